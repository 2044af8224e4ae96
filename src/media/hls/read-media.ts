// Owns reading media playlists, those of other servers too: byte ranges, gaps, discontinuities, dates.
// It refuses what it would misread: a range without a place, durations that are no numbers.
import { mediaFaults } from '../faults.ts'
import { readAttributeList } from './attribute-list.ts'
import { playlistLines } from './lines.ts'
import type { ByteRange, MediaPlaylist, MediaSegment } from './playlist.ts'
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
  mapByteRange?: ByteRange
  encrypted?: true
  segments: MediaSegment[]
  ended: boolean
}

/** What tags said of the segment whose URI comes next. */
interface Next {
  durationS: number | null
  byteRange: { bytes: number; offset: number | null } | null
  marks: Pick<MediaSegment, 'discontinuity' | 'gap' | 'programDateTime'>
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
  let next: Next = { durationS: null, byteRange: null, marks: {} }
  for (const line of playlistLines(text)) {
    if (line.kind === 'uri') {
      if (next.durationS === null) throw unreadable(`${line.where}: a URI without EXTINF before it`)
      if (draft.segments.length >= SEGMENTS_MAX)
        throw unreadable(`${line.where}: more than ${SEGMENTS_MAX} segments`)
      draft.segments.push(segmentOf(line.uri, next, draft.segments.at(-1), line.where))
      next = { durationS: null, byteRange: null, marks: {} }
    } else if (!readSegmentTag(next, line.name, line.value, line.where)) {
      readTag(draft, line.name, line.value, line.where)
    }
  }
  if (next.durationS !== null) throw unreadable('the last EXTINF has no URI')
  const { targetDurationS } = draft
  if (targetDurationS === null) throw unreadable('EXT-X-TARGETDURATION is missing')
  return { ...draft, targetDurationS }
}

function segmentOf(uri: string, next: Next, before: MediaSegment | undefined, where: string): MediaSegment {
  const { durationS, byteRange, marks } = next
  const plain = { uri, durationS: durationS ?? 0, ...marks }
  if (byteRange === null) return plain
  // Without an offset it begins where the range before ends, which must be of the same resource (section 4.4.4.2).
  const follows = before?.uri === uri ? before.byteRange : undefined
  const offset = byteRange.offset ?? (follows === undefined ? null : follows.offset + follows.bytes)
  if (offset === null) throw unreadable(`${where}: a byte range without an offset, and none before it`)
  return { ...plain, byteRange: { offset, bytes: byteRange.bytes } }
}

/** Takes a tag that belongs to the next segment; false: another one. */
function readSegmentTag(next: Next, name: string, value: string, where: string): boolean {
  switch (name) {
    case 'EXTINF':
      next.durationS = decimal(value.split(',')[0] ?? '', where)
      return true
    case 'EXT-X-BYTERANGE':
      next.byteRange = readByteRange(value, where)
      return true
    case 'EXT-X-DISCONTINUITY':
      next.marks = { ...next.marks, discontinuity: true }
      return true
    case 'EXT-X-GAP':
      next.marks = { ...next.marks, gap: true }
      return true
    case 'EXT-X-PROGRAM-DATE-TIME':
      next.marks = { ...next.marks, programDateTime: value.slice(0, 64) }
      return true
    default:
      return false
  }
}

/** `n[@o]`, section 4.4.4.2. */
function readByteRange(text: string, where: string): { bytes: number; offset: number | null } {
  const match = /^(\d{1,15})(?:@(\d{1,15}))?$/.exec(text)
  if (match === null)
    throw unreadable(`${where}: expected LENGTH or LENGTH@OFFSET, found ${text.slice(0, 40)}`)
  return { bytes: Number(match[1]), offset: match[2] === undefined ? null : Number(match[2]) }
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
    case 'EXT-X-MAP': {
      if (draft.mapUri !== null) break // of a later discontinuity; the first one is what a player starts with
      const attributes = readAttributeList(value, where)
      draft.mapUri = attributes.requiredQuoted('URI')
      const range = attributes.quoted('BYTERANGE')
      if (range === null) break
      const { bytes, offset } = readByteRange(range, where)
      draft.mapByteRange = { bytes, offset: offset ?? 0 }
      break
    }
    case 'EXT-X-KEY':
      if (!/(^|,)METHOD=NONE(,|$)/.test(value)) draft.encrypted = true
      break
    case 'EXT-X-ENDLIST':
      draft.ended = true
      break
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
