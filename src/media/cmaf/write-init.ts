// Owns init segments (ISO 23000-19 section 7.3.1): ftyp and a moov with one track and no samples.
// The sample entry is the source's; it refuses an edit that the box cannot hold.
import { mediaFaults } from '../faults.ts'
import type { TrackKind } from '../mp4/movie.ts'
import { boxOf, fourccBytes, fullBoxOf, joinBytes, u16Bytes, u32Bytes } from '../mp4/write-box.ts'

export const TRACK_ID = 1 // each rendition is a file of its own, so every track is the first one

export interface InitTrack {
  readonly kind: TrackKind
  readonly timescale: number
  /** A whole sample entry box. */
  readonly entry: Uint8Array
  /** Transformation matrix, width and height as in `tkhd`: 44 bytes. */
  readonly geometry: Uint8Array
  /** Media time at which the presentation starts: behind audio priming, or behind the delay of reordered video. 0: no edit list. */
  readonly editTicks: number
}

/** Writes an init segment. */
export function writeInit(track: InitTrack): Uint8Array {
  const moov = boxOf('moov', movieHeader(track.timescale), trackBox(track), movieExtends())
  return joinBytes([fileType(), moov])
}

function fileType(): Uint8Array {
  // iso6 for tfdt version 1; cmfc for edit lists of one offset (ISO 23000-19 section 7.5.13).
  return boxOf('ftyp', ...['iso6', '\0\0\0\0', 'iso6', 'cmfc', 'dash'].map(fourccBytes))
}

function movieHeader(timescale: number): Uint8Array {
  return fullBoxOf(
    'mvhd',
    0,
    0,
    zeros(8),
    u32Bytes(timescale),
    u32Bytes(0),
    u32Bytes(0x10000),
    u16Bytes(0x100),
    zeros(10),
    unityMatrix(),
    zeros(24),
    u32Bytes(TRACK_ID + 1),
  )
}

function trackBox(track: InitTrack): Uint8Array {
  const { geometry, kind } = track
  if (geometry.length !== 44) {
    const message = `track geometry of ${geometry.length} bytes, expected 44`
    throw mediaFaults.fault('media-cmaf-unwritable', message)
  }
  const volume = u16Bytes(kind === 'audio' ? 0x100 : 0)
  const flags = 7 // section 8.3.2: enabled, in movie, in preview
  const header = fullBoxOf(
    'tkhd',
    0,
    flags,
    zeros(8),
    u32Bytes(TRACK_ID),
    zeros(20),
    volume,
    zeros(2),
    geometry,
  )
  return boxOf('trak', header, ...editList(track.editTicks), mediaBox(track))
}

/** One edit that, with duration 0, lasts to the end (section 8.6.6). */
function editList(editTicks: number): Uint8Array[] {
  if (editTicks === 0) return []
  if (editTicks < 0 || editTicks >= 2 ** 31) {
    throw mediaFaults.fault('media-cmaf-unwritable', `an edit that starts at ${editTicks} ticks`)
  }
  const edit = [u32Bytes(1), u32Bytes(0), u32Bytes(editTicks), u32Bytes(0x10000)]
  return [boxOf('edts', fullBoxOf('elst', 0, 0, ...edit))]
}

function mediaBox(track: InitTrack): Uint8Array {
  const isVideo = track.kind === 'video'
  const undetermined = 0x55c4 // `und`: the language stands in the playlist
  const mdhd = fullBoxOf(
    'mdhd',
    0,
    0,
    zeros(8),
    u32Bytes(track.timescale),
    zeros(4),
    u16Bytes(undetermined),
    zeros(2),
  )
  const name = isVideo ? 'VideoHandler\0' : 'SoundHandler\0'
  const handler = fourccBytes(isVideo ? 'vide' : 'soun')
  const hdlr = fullBoxOf('hdlr', 0, 0, zeros(4), handler, zeros(12), fourccBytes(name))
  const header = isVideo ? fullBoxOf('vmhd', 0, 1, zeros(8)) : fullBoxOf('smhd', 0, 0, zeros(4))
  const selfContained = 1
  const dref = fullBoxOf('dref', 0, 0, u32Bytes(1), fullBoxOf('url ', 0, selfContained))
  const stbl = boxOf(
    'stbl',
    fullBoxOf('stsd', 0, 0, u32Bytes(1), track.entry),
    fullBoxOf('stts', 0, 0, zeros(4)),
    fullBoxOf('stsc', 0, 0, zeros(4)),
    fullBoxOf('stsz', 0, 0, zeros(8)),
    fullBoxOf('stco', 0, 0, zeros(4)),
  )
  return boxOf('mdia', mdhd, hdlr, boxOf('minf', header, boxOf('dinf', dref), stbl))
}

function movieExtends(): Uint8Array {
  return boxOf('mvex', fullBoxOf('trex', 0, 0, u32Bytes(TRACK_ID), u32Bytes(1), zeros(12)))
}

function unityMatrix(): Uint8Array {
  return joinBytes([0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000].map(u32Bytes))
}

function zeros(count: number): Uint8Array {
  return new Uint8Array(count)
}
