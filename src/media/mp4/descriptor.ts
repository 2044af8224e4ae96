// Owns MPEG-4 descriptors (ISO 14496-1 section 7.2.6) and the AudioSpecificConfig inside (ISO 14496-3 section 1.6):
// as much as names the codec. It refuses descriptors that reach beyond their box.
import type { Cursor } from './cursor.ts'

const TAG_ES = 3
const TAG_DECODER_CONFIG = 4
const TAG_DECODER_SPECIFIC = 5

export interface ElementaryStream {
  /** ISO 14496-1 table 5: 0x40 is MPEG-4 audio, 0x6b MPEG-1 audio. */
  readonly objectType: number
  readonly audio: AudioConfig | null
}

export interface AudioConfig {
  /** 2 is AAC-LC, 5 SBR (HE-AAC), 29 PS (HE-AAC v2). */
  readonly audioObjectType: number
  /** Null: described in the stream itself. */
  readonly channels: number | null
}

/** Reads the payload of `esds`. */
export function readElementaryStream(esds: Cursor): ElementaryStream {
  esds.fullBox()
  expectTag(esds, TAG_ES)
  esds.skip(2)
  const flags = esds.u8()
  if ((flags & 0x80) !== 0) esds.skip(2)
  if ((flags & 0x40) !== 0) esds.skip(esds.u8())
  if ((flags & 0x20) !== 0) esds.skip(2)
  expectTag(esds, TAG_DECODER_CONFIG)
  const objectType = esds.u8()
  esds.skip(12)
  if (objectType !== 0x40 || esds.left < 4) return { objectType, audio: null }
  const bytes = expectTag(esds, TAG_DECODER_SPECIFIC)
  return { objectType, audio: readAudioConfig(esds.bytes(Math.min(bytes, esds.left))) }
}

function expectTag(cursor: Cursor, expected: number): number {
  const at = cursor.at
  const tag = cursor.u8()
  if (tag !== expected) throw cursor.fault('media-mp4-invalid', `descriptor ${tag}, expected ${expected}`, at)
  let bytes = 0
  for (let digit = 0; digit < 4; digit += 1) {
    const byte = cursor.u8()
    bytes = (bytes << 7) | (byte & 0x7f)
    if ((byte & 0x80) === 0) break
  }
  return bytes
}

/** Reads as far as the object type; a config that ends early gives what was read. */
export function readAudioConfig(bytes: Uint8Array): AudioConfig {
  let at = 0
  const bits = (count: number): number => {
    let value = 0
    for (let bit = 0; bit < count; bit += 1, at += 1) {
      value = (value << 1) | (((bytes[at >> 3] ?? 0) >> (7 - (at & 7))) & 1)
    }
    return value
  }
  const objectType = (): number => {
    const short = bits(5)
    return short === 31 ? 32 + bits(6) : short
  }
  const frequency = (): void => {
    if (bits(4) === 15) bits(24)
  }
  const audioObjectType = objectType()
  frequency()
  const configuration = bits(4)
  const channels = configuration === 0 ? null : configuration === 7 ? 8 : configuration
  if (audioObjectType !== 2 || configuration === 0) return { audioObjectType, channels }
  bits(1)
  if (bits(1) === 1) bits(14)
  bits(1)
  // ISO 14496-3 section 1.6.6: backward compatible signalling of SBR behind the AAC-LC config.
  const hasMore = bytes.length * 8 - at >= 17
  const signalsSbr = hasMore && bits(11) === 0x2b7 && objectType() === 5 && bits(1) === 1
  return { audioObjectType: signalsSbr ? 5 : audioObjectType, channels }
}
