// Owns reading `moov` (ISO 14496-12 section 8.2). A track that cannot be played is skipped with its reason;
// it refuses a movie whose structure is damaged, and one with more tracks than any file has.
import { Fault } from '#base'
import { type Box, childMap, children, required } from './box.ts'
import { Cursor } from './cursor.ts'
import { languageTag } from './language.ts'
import type { Edit, Movie, SkippedTrack, Track, TrackDefaults, TrackKind } from './movie.ts'
import { readSampleTable } from './read-sample-table.ts'
import { entryFormats, isStillPicture, readSampleEntry } from './sample-entry.ts'
import { withoutEmptySamples } from './without-empty.ts'

export const TRACKS_MAX = 100
/** A moov this large indexes about 100 h; it is read whole. */
export const MOOV_BYTES_MAX: number = 160 * 1024 * 1024
const EDITS_MAX = 1000

/** Reads a whole `moov` box, header included; `offset` is its place in the file. */
export function readMovie(moov: Uint8Array, offset: number): Movie {
  if (moov.length > MOOV_BYTES_MAX) {
    const root = new Cursor(new DataView(moov.buffer, moov.byteOffset, 0), 'mp4', offset)
    throw root.fault('media-mp4-limit', `moov of ${moov.length} bytes, expected at most ${MOOV_BYTES_MAX}`)
  }
  const view = new DataView(moov.buffer, moov.byteOffset, moov.byteLength)
  const root = new Cursor(view, 'mp4', offset)
  const box = childMap(root).get('moov')
  if (box === undefined) throw root.fault('media-mp4-invalid', 'moov is missing')
  return readPayload(box.cursor)
}

function readPayload(moov: Cursor): Movie {
  const tracks: Track[] = []
  const skipped: SkippedTrack[] = []
  const traks: Cursor[] = []
  let header: Cursor | null = null
  let extends_: Cursor | null = null
  for (const box of children(moov)) {
    if (box.type === 'mvhd') header ??= box.cursor
    else if (box.type === 'mvex') extends_ ??= box.cursor
    else if (box.type === 'trak') traks.push(box.cursor)
    else if (box.type === 'cmov') {
      throw box.cursor.fault('media-mp4-unsupported', 'a compressed movie header (cmov) is not read')
    }
    if (traks.length > TRACKS_MAX) throw moov.fault('media-mp4-limit', `more than ${TRACKS_MAX} tracks`)
  }
  if (header === null) throw moov.fault('media-mp4-invalid', 'mvhd is missing')
  const timescale = readTimescale(header)
  for (const trak of traks) {
    const read = readTrack(trak)
    if (read === null) continue
    if ('reason' in read) skipped.push(read)
    else tracks.push(read)
  }
  return { timescale, tracks, skipped, fragments: extends_ === null ? null : readDefaults(extends_) }
}

/** The timescale of `mvhd` and `mdhd`, which begin alike; the cursor stays behind the duration. */
function readTimescale(header: Cursor): number {
  const { version } = header.fullBox()
  header.skip(version === 1 ? 16 : 8)
  const timescale = header.u32()
  if (timescale === 0) throw header.fault('media-mp4-invalid', 'timescale 0', header.at - 4)
  header.skip(version === 1 ? 8 : 4)
  return timescale
}

/** Null for what is neither sound nor picture. */
function readTrack(trak: Cursor): Track | SkippedTrack | null {
  const boxes = childMap(trak)
  const mdia = required(boxes, 'mdia', trak)
  const media = childMap(mdia)
  const kind = readKind(required(media, 'hdlr', mdia))
  if (kind === null) return null
  const { id, geometry } = readTrackHeader(required(boxes, 'tkhd', trak))
  const mdhd = required(media, 'mdhd', mdia)
  const timescale = readTimescale(mdhd)
  const language = languageTag(mdhd.u16())
  const minf = required(media, 'minf', mdia)
  const media2 = childMap(minf)
  const stbl = required(media2, 'stbl', minf)
  const stsd = required(childMap(copyOf(stbl)), 'stsd', stbl)
  const format = entryFormats(stsd)[0] ?? ''
  try {
    refuseForeignData(media2.get('dinf'))
    // The codec first: a table of uncompressed sound has more samples than are worth reading.
    readSampleEntry(copyOf(stsd), kind, 0)
    const { table, entryIndex } = readSampleTable(stbl)
    const entry = readSampleEntry(stsd, kind, entryIndex)
    const edits = readEdits(boxes.get('edts'))
    return { id, kind, timescale, language, geometry, entry, edits, table: withoutEmptySamples(table) }
  } catch (thrown) {
    if (!(thrown instanceof Fault) || thrown.code !== 'media-mp4-unsupported') throw thrown
    const still = kind === 'video' && isStillPicture(format)
    const reason = thrown.message.replace(/^.* @\d+: /, '')
    return { id, kind, reason, still }
  }
}

function copyOf(cursor: Cursor): Cursor {
  return new Cursor(cursor.view, cursor.path, cursor.base, cursor.at, cursor.end)
}

function readKind(hdlr: Cursor): TrackKind | null {
  hdlr.skip(8)
  const handler = hdlr.fourcc()
  if (handler === 'vide') return 'video'
  return handler === 'soun' ? 'audio' : null
}

function readTrackHeader(tkhd: Cursor): { id: number; geometry: Uint8Array } {
  const { version } = tkhd.fullBox()
  tkhd.skip(version === 1 ? 16 : 8)
  const id = tkhd.u32()
  tkhd.skip(4 + (version === 1 ? 8 : 4) + 16)
  return { id, geometry: tkhd.bytes(44) }
}

/** Section 8.7.2: the media data must lie in this file. */
function refuseForeignData(dinf: Box | undefined): void {
  const dref = dinf === undefined ? undefined : childMap(dinf.cursor).get('dref')?.cursor
  if (dref === undefined) return
  dref.skip(8)
  for (const entry of children(dref)) {
    const { flags } = entry.cursor.fullBox()
    if ((flags & 1) === 0 && (entry.type === 'url ' || entry.type === 'urn ') && entry.cursor.left > 1) {
      throw entry.cursor.fault('media-mp4-unsupported', 'the media data lies in another file')
    }
  }
}

function readEdits(edts: Box | undefined): Edit[] {
  const elst = edts === undefined ? undefined : childMap(edts.cursor).get('elst')?.cursor
  if (elst === undefined) return []
  const { version } = elst.fullBox()
  const count = elst.u32()
  elst.expectEntries(count, version === 1 ? 20 : 12, 'edits')
  if (count > EDITS_MAX) {
    throw elst.fault('media-mp4-limit', `${count} edits, expected at most ${EDITS_MAX}`, elst.at - 4)
  }
  const edits: Edit[] = []
  for (let index = 0; index < count; index += 1) {
    const movieTicks = version === 1 ? elst.u64() : elst.u32()
    const mediaTicks = version === 1 ? elst.i64() : elst.i32()
    elst.skip(4)
    edits.push({ movieTicks, mediaTicks })
  }
  return edits
}

function readDefaults(mvex: Cursor): Map<number, TrackDefaults> {
  const defaults = new Map<number, TrackDefaults>()
  for (const box of children(mvex)) {
    if (box.type !== 'trex') continue
    const trex = box.cursor
    trex.fullBox()
    const id = trex.u32()
    trex.skip(4)
    defaults.set(id, { durationTicks: trex.u32(), sizeBytes: trex.u32(), flags: trex.u32() })
  }
  return defaults
}
