// Owns reading media playlists as far as Vitrine writes them. It refuses what it would misread: byte ranges.
import { mediaFaults } from '../faults.ts'
import { readAttributeList } from './attribute-list.ts'
import { playlistLines } from './lines.ts'
import type { MediaPlaylist, MediaSegment } from './playlist.ts'
import { readVersion } from './read-multivariant.ts'

/** A day in 1 s segments. */
export const SEGMENTS_MAX = 86_400

interface Draft {
  version: number
  targetDurationS: number | null
  mediaSequence: number
  playlistType: 'VOD' | 'EVENT' | null
  independentSegments: boolean
  mapUri: string | null
  segments: MediaSegment[]
  ended: boolean
}

/** Reads a media playlist or throws `media-hls-unreadable` with the line. */
export function readMedia(text: string): MediaPlaylist {
  const draft: Draft = {
    version: 1,
    targetDurationS: null,
    mediaSequence: 0,
    playlistType: null,
    independentSegments: false,
    mapUri: null,
    segments: [],
    ended: false,
  }
  let durationS: number | null = null
  for (const line of playlistLines(text)) {
    if (line.kind === 'uri') {
      if (durationS === null) throw unreadable(`${line.where}: a URI without EXTINF before it`)
      if (draft.segments.length >= SEGMENTS_MAX)
        throw unreadable(`${line.where}: more than ${SEGMENTS_MAX} segments`)
      draft.segments.push({ uri: line.uri, durationS })
      durationS = null
    } else if (line.name === 'EXTINF') durationS = decimal(line.value.split(',')[0] ?? '', line.where)
    else readTag(draft, line.name, line.value, line.where)
  }
  if (durationS !== null) throw unreadable('the last EXTINF has no URI')
  const { targetDurationS } = draft
  if (targetDurationS === null) throw unreadable('EXT-X-TARGETDURATION is missing')
  return { ...draft, targetDurationS }
}

function readTag(draft: Draft, name: string, value: string, where: string): void {
  switch (name) {
    case 'EXT-X-VERSION':
      draft.version = readVersion(value, where)
      break
    case 'EXT-X-TARGETDURATION':
      draft.targetDurationS = decimal(value, where)
      break
    case 'EXT-X-MEDIA-SEQUENCE':
      draft.mediaSequence = decimal(value, where)
      break
    case 'EXT-X-PLAYLIST-TYPE':
      if (value === 'VOD' || value === 'EVENT') draft.playlistType = value
      break
    case 'EXT-X-INDEPENDENT-SEGMENTS':
      draft.independentSegments = true
      break
    case 'EXT-X-MAP':
      draft.mapUri = readAttributeList(value, where).requiredQuoted('URI')
      break
    case 'EXT-X-ENDLIST':
      draft.ended = true
      break
    case 'EXT-X-BYTERANGE':
      throw unreadable(`${where}: byte ranges are not read here`)
    case 'EXT-X-STREAM-INF':
      throw unreadable(`${where}: expected a media playlist, found a multivariant playlist`)
    default: // Section 6.3.1: unknown tags are ignored.
  }
}

function decimal(text: string, where: string): number {
  if (!/^\d{1,15}(\.\d{0,20})?$/.test(text)) {
    throw unreadable(`${where}: expected a number, found ${text.slice(0, 40)}`)
  }
  return Number(text)
}

function unreadable(message: string): Error {
  return mediaFaults.fault('media-hls-unreadable', message)
}
