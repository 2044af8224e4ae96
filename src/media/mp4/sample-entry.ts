// Owns sample entries (`stsd`): what decodes a track, as a codec string and as bytes for the init segment.
// Bytes pass through as they are, but for QuickTime sound, which is rewritten as ISO 14496-12 section 12.2.3 has it.
import type { Fault } from '#base'
import { CHILDREN_MAX, childMap, children, required } from './box.ts'
import { av1Codec, avcCodec, hevcCodec, mp4aCodec, vp9Codec } from './codec-string.ts'
import { Cursor, printable } from './cursor.ts'
import { readElementaryStream } from './descriptor.ts'
import { boxOf, fourccBytes, joinBytes, u16Bytes, u32Bytes } from './write-box.ts'

export interface SampleEntry {
  /** `avc1`, `mp4a`, ... */
  readonly format: string
  /** RFC 6381. */
  readonly codec: string
  /** The whole entry box. */
  readonly bytes: Uint8Array
  /** Video only: coded size. */
  readonly width: number | null
  readonly height: number | null
  /** From `colr`, else null. ISO 23091-2 transfer characteristics. */
  readonly transfer: number | null
  /** Audio only. */
  readonly channels: number | null
  readonly rateHz: number | null
}

const VISUAL_FIELDS_BYTES = 78 // section 12.1.3: up to the first child box
const SOUND_FIELDS_BYTES = 28 // section 12.2.3

const playable: Readonly<Record<'video' | 'audio', ReadonlySet<string>>> = {
  video: new Set(['avc1', 'avc3', 'hvc1', 'hev1', 'av01', 'vp09']),
  audio: new Set(['mp4a', '.mp3', 'ms\u0000U', 'Opus', 'fLaC', 'ac-3', 'ec-3', 'alac']),
}

/** Codecs that are known, but that HLS players do not take; the words stand in the reason. */
const foreign: Readonly<Record<string, string>> = {
  mp4v: 'MPEG-4 Part 2 video',
  apcn: 'ProRes video',
  apch: 'ProRes video',
  apcs: 'ProRes video',
  apco: 'ProRes video',
  ap4h: 'ProRes video',
  ap4x: 'ProRes video',
  AVdn: 'DNxHD video',
  AVdh: 'DNxHR video',
  mjpa: 'Motion JPEG video',
  mjpb: 'Motion JPEG video',
  jpeg: 'JPEG pictures',
  'png ': 'PNG pictures',
  s263: 'H.263 video',
  vp08: 'VP8 video',
  vvc1: 'H.266 video',
  dvh1: 'Dolby Vision video',
  dvhe: 'Dolby Vision video',
  lpcm: 'uncompressed sound',
  sowt: 'uncompressed sound',
  twos: 'uncompressed sound',
  ipcm: 'uncompressed sound',
  fpcm: 'uncompressed sound',
  'raw ': 'uncompressed sound',
  in24: 'uncompressed sound',
  in32: 'uncompressed sound',
  fl32: 'uncompressed sound',
  samr: 'AMR sound',
  sawb: 'AMR sound',
  alaw: 'A-law sound',
  ulaw: 'u-law sound',
  dtsc: 'DTS sound',
  'ac-4': 'AC-4 sound',
  mlpa: 'TrueHD sound',
  encv: 'encrypted video',
  enca: 'encrypted sound',
  drms: 'encrypted sound',
  drmi: 'encrypted video',
}

/** Cover art and chapter pictures: a track of these is no video. */
export function isStillPicture(format: string): boolean {
  return format === 'jpeg' || format === 'png ' || format === 'mjpg' || format === 'tiff'
}

/** For messages: `ProRes video (apcn)`. */
export function codecWords(format: string): string {
  const words = foreign[format]
  return words === undefined ? `codec ${printable(format)}` : `${words} (${printable(format)})`
}

function unsupported(format: string, cursor: Cursor): Fault {
  return cursor.fault('media-mp4-unsupported', `${codecWords(format)} cannot be played over HLS`)
}

/** The formats of all entries of `stsd`, without reading into them. */
export function entryFormats(stsd: Cursor): string[] {
  const walk = new Cursor(stsd.view, stsd.path, stsd.base, stsd.at, stsd.end)
  walk.skip(8)
  const formats: string[] = []
  for (const box of children(walk)) formats.push(box.type)
  return formats
}

/** Reads entry `index` of `stsd`. */
export function readSampleEntry(stsd: Cursor, kind: 'video' | 'audio', index: number): SampleEntry {
  const { version } = stsd.fullBox()
  const count = stsd.u32()
  if (count > CHILDREN_MAX) throw stsd.fault('media-mp4-limit', `${count} sample descriptions`)
  const entry = [...children(stsd)][index]
  if (entry === undefined) {
    throw stsd.fault('media-mp4-invalid', `sample description ${index + 1} is used, but is not there`)
  }
  // Before its fields: what is foreign may be laid out in another way.
  if (!playable[kind].has(entry.type)) throw unsupported(entry.type, entry.cursor)
  return kind === 'video'
    ? readVisual(entry.type, entry.cursor)
    : readSound(entry.type, entry.cursor, version)
}

function readVisual(format: string, cursor: Cursor): SampleEntry {
  const start = cursor.at
  cursor.skip(24)
  const width = cursor.u16()
  const height = cursor.u16()
  cursor.at = start
  cursor.skip(VISUAL_FIELDS_BYTES)
  const fields = slice(cursor, start, cursor.at)
  const boxesFrom = cursor.at
  const boxes = childMap(cursor)
  const body = slice(cursor, boxesFrom, cursor.at)
  const colour = boxes.get('colr')?.cursor
  return {
    format,
    codec: visualCodec(format, boxes, cursor),
    bytes: entryBox(format, fields, body),
    width,
    height,
    transfer: colour === undefined ? null : readTransfer(colour),
    channels: null,
    rateHz: null,
  }
}

function visualCodec(format: string, boxes: ReturnType<typeof childMap>, cursor: Cursor): string {
  switch (format) {
    case 'avc1':
    case 'avc3':
      return avcCodec(format, required(boxes, 'avcC', cursor))
    case 'hvc1':
    case 'hev1':
      return hevcCodec(format, required(boxes, 'hvcC', cursor))
    case 'av01':
      return av1Codec(required(boxes, 'av1C', cursor))
    case 'vp09':
      return vp9Codec(required(boxes, 'vpcC', cursor))
    default:
      throw unsupported(format, cursor)
  }
}

/** `nclx` of ISO, `nclc` of QuickTime: primaries, transfer, matrix. */
function readTransfer(colr: Cursor): number | null {
  if (colr.left < 10) return null
  const type = colr.fourcc()
  if (type !== 'nclx' && type !== 'nclc') return null
  colr.skip(2)
  return colr.u16()
}

function readSound(format: string, cursor: Cursor, stsdVersion: number): SampleEntry {
  const start = cursor.at
  cursor.skip(8)
  const entryVersion = cursor.u16()
  cursor.skip(6)
  let channels = cursor.u16()
  cursor.skip(6)
  let rateHz = Math.floor(cursor.u32() / 65536)
  // Version 1 in an stsd of version 0 is QuickTime's, with fields of its own; so is version 2.
  const isQuickTime = stsdVersion === 0 && entryVersion > 0
  if (isQuickTime && entryVersion === 1) cursor.skip(16)
  if (isQuickTime && entryVersion === 2) {
    cursor.skip(12)
    rateHz = Math.round(cursor.view.getFloat64(cursor.at - 8))
    channels = cursor.u32() & 0xffff
    cursor.skip(20)
  }
  const boxesFrom = cursor.at
  let boxes = childMap(cursor)
  let body: Uint8Array = slice(cursor, boxesFrom, cursor.at)
  const wave = boxes.get('wave')
  if (wave !== undefined) {
    body = withoutWave(cursor, boxesFrom, wave.cursor)
    const merged = new Cursor(viewOf(body), `${cursor.path}/wave`, wave.cursor.base + wave.start)
    boxes = childMap(merged)
  }
  const isMp3 = format === '.mp3' || format === 'ms\u0000U'
  const codec = isMp3 ? { codec: 'mp4a.6b', channels: null } : soundCodec(format, boxes, cursor)
  if (isMp3) body = mp3Descriptor()
  const isoFormat = isMp3 ? 'mp4a' : format
  const fields =
    isQuickTime || stsdVersion > 0 || isMp3
      ? soundFields(channels, rateHz)
      : slice(cursor, start, start + SOUND_FIELDS_BYTES)
  return {
    format: isoFormat,
    codec: codec.codec,
    bytes: entryBox(isoFormat, fields, body),
    width: null,
    height: null,
    transfer: null,
    channels: codec.channels ?? channels,
    rateHz,
  }
}

function soundCodec(
  format: string,
  boxes: ReturnType<typeof childMap>,
  cursor: Cursor,
): { codec: string; channels: number | null } {
  switch (format) {
    case 'mp4a': {
      const { objectType, audio } = readElementaryStream(required(boxes, 'esds', cursor))
      if (objectType === 0x40 && audio === null) {
        throw cursor.fault('media-mp4-invalid', 'AAC without an AudioSpecificConfig')
      }
      return {
        codec: mp4aCodec(objectType, audio?.audioObjectType ?? null),
        channels: audio?.channels ?? null,
      }
    }
    case 'Opus':
      required(boxes, 'dOps', cursor)
      return { codec: 'opus', channels: null }
    case 'fLaC':
      required(boxes, 'dfLa', cursor)
      return { codec: 'fLaC', channels: null }
    case 'ac-3':
      required(boxes, 'dac3', cursor)
      return { codec: 'ac-3', channels: null }
    case 'ec-3':
      required(boxes, 'dec3', cursor)
      return { codec: 'ec-3', channels: null }
    case 'alac':
      return { codec: 'alac', channels: null }
    default:
      throw unsupported(format, cursor)
  }
}

/** The children of the entry with those of QuickTime's `wave` in its place; what only QuickTime needs is left out. */
function withoutWave(cursor: Cursor, boxesFrom: number, wave: Cursor): Uint8Array {
  const kept: Uint8Array[] = []
  const around = new Cursor(cursor.view, cursor.path, cursor.base, boxesFrom, cursor.end)
  const inside = new Cursor(wave.view, wave.path, wave.base, wave.at, wave.end)
  const quickTimeOnly = new Set(['frma', 'enda', 'wave', 'mp4a', 'chan', '\u0000\u0000\u0000\u0000'])
  for (const list of [inside, around]) {
    for (const box of children(list)) {
      if (!quickTimeOnly.has(box.type)) kept.push(slice(cursor, box.start, box.end))
    }
  }
  return joinBytes(kept)
}

function soundFields(channels: number, rateHz: number): Uint8Array {
  return joinBytes([
    new Uint8Array(6),
    u16Bytes(1),
    new Uint8Array(8),
    u16Bytes(channels === 0 ? 2 : channels),
    u16Bytes(16),
    new Uint8Array(4),
    // 16.16; a rate above 65535 Hz cannot be written and stands in the codec's own configuration.
    u32Bytes(rateHz > 0xffff ? 0 : rateHz * 65536),
  ])
}

/** `esds` for MPEG-1 layer 3, which QuickTime files name by the entry's type alone. */
function mp3Descriptor(): Uint8Array {
  const decoder = [4, 13, 0x6b, 0x15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
  const payload = [0, 0, 0, 0, 3, 3 + decoder.length + 3, 0, 0, 0, ...decoder, 6, 1, 2]
  return boxOf('esds', Uint8Array.from(payload))
}

/** The entry with data reference 1, since the init segment has one reference: itself. */
function entryBox(format: string, fields: Uint8Array, body: Uint8Array): Uint8Array {
  const patched = fields.slice()
  patched[6] = 0
  patched[7] = 1
  const bytes = joinBytes([patched, body])
  return joinBytes([u32Bytes(bytes.length + 8), fourccBytes(format), bytes])
}

function slice(cursor: Cursor, from: number, to: number): Uint8Array {
  return new Uint8Array(cursor.view.buffer, cursor.view.byteOffset + from, to - from).slice()
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
