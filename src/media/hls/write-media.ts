// Owns writing media playlists. It refuses a target duration that a segment exceeds, and what cannot be a URI.
import { mediaFaults } from '../faults.ts'
import { AttributeWriter } from './attribute-list.ts'
import { uriLine } from './lines.ts'
import type { MediaPlaylist, MediaSegment } from './playlist.ts'

// Nanoseconds: a sum over 100,000 segments is then off by less than 0.1 ms.
const DURATION_DECIMALS = 9

/** The smallest EXT-X-TARGETDURATION for these segments: each rounds to at most it (section 4.4.3.1). */
export function targetDurationS(segments: readonly MediaSegment[]): number {
  let longestS = 0
  for (const segment of segments) longestS = Math.max(longestS, Math.round(segment.durationS))
  return Math.max(1, longestS)
}

/** Writes a media playlist, or throws `media-hls-unwritable`. */
export function writeMedia(playlist: MediaPlaylist): string {
  const lines = [
    '#EXTM3U',
    `#EXT-X-VERSION:${playlist.version}`,
    `#EXT-X-TARGETDURATION:${playlist.targetDurationS}`,
    `#EXT-X-MEDIA-SEQUENCE:${playlist.mediaSequence}`,
  ]
  if (playlist.playlistType !== null) lines.push(`#EXT-X-PLAYLIST-TYPE:${playlist.playlistType}`)
  if (playlist.independentSegments) lines.push('#EXT-X-INDEPENDENT-SEGMENTS')
  if (playlist.mapUri !== null) {
    lines.push(new AttributeWriter('EXT-X-MAP').quoted('URI', playlist.mapUri).toString())
  }
  for (const segment of playlist.segments) {
    lines.push(`#EXTINF:${duration(segment, playlist.targetDurationS)},`, uriLine(segment.uri))
  }
  if (playlist.ended) lines.push('#EXT-X-ENDLIST')
  return `${lines.join('\n')}\n`
}

function duration(segment: MediaSegment, targetS: number): string {
  const { durationS } = segment
  if (!(durationS >= 0) || Math.round(durationS) > targetS) {
    const message = `segment ${segment.uri} lasts ${durationS} s, expected 0 to ${targetS}`
    throw mediaFaults.fault('media-hls-unwritable', message)
  }
  return durationS.toFixed(DURATION_DECIMALS).replace(/0{1,6}$/, '')
}
