// Owns the form of a chunk: stamps as runs or packed deltas, values as scaled integers in packed blocks, or as bits.
// It refuses chunks whose checksum or lengths are wrong. Layout: docs/reference/metrics-store.md
import { crc32 } from 'node:zlib'
import { ByteReader, ByteWriter } from './chunk-bytes.ts'
import { readIntegers, writeIntegers } from './pack-integers.ts'
import type { SampleBuffer, Samples } from './sample-column.ts'

const VERSION = 3
/** The same, but a reference stands in the place of its stamps. */
const VERSION_SHARED = 4
/** Version 2 had dense blocks and stamps of its own only: what reads 3 reads it too. */
const VERSION_LEAST = 2
const FORM_BITS = 15 // the four bits that otherwise hold the number of decimals
const DECIMALS_MAX = 9 // nanoseconds; more digits are mostly ratios, which are not decimal at all
const SAMPLES_MAX = 2 ** 26 // more than the log can hold before it is sealed: a larger count is damage
const CRC_BYTES = 4

/** Scaled values stay below this, so that deltas and their ranges are exact in float64. */
const INTEGER_MAX = 2 ** 51
/** NaN, infinities and -0 stand beside the integers when they are few; 9 bytes or so each. */
const SPECIALS_SHARE = 16

const writer: ByteWriter = new ByteWriter()
const reader: ByteReader = new ByteReader()
let integers = new Float64Array(512)
let specialAt = new Uint32Array(64)
let specials = 0

/** Where the stamps of the chunk that was encoded last begin and end. */
let stampsFrom = 0
let stampsTo = 0

export interface PartedChunk {
  readonly chunk: Buffer
  readonly stampsFrom: number
  readonly stampsTo: number
}

/** The same, with the place of its stamps: series of one sender mostly share them byte by byte. */
export function encodeParted(samples: Samples): PartedChunk {
  const chunk = encodeChunk(samples)
  return { chunk, stampsFrom, stampsTo }
}

/** The chunk with a reference in the place of its stamps. */
export function withSharedStamps(parted: PartedChunk, stamps: number): Buffer {
  const { chunk } = parted
  writer.reset(0)
  writer.varint(stamps)
  const end = chunk.length - CRC_BYTES
  const length = parted.stampsFrom + writer.length + end - parted.stampsTo
  const shared = Buffer.allocUnsafe(length + CRC_BYTES)
  chunk.copy(shared, 0, 0, parted.stampsFrom)
  shared[0] = VERSION_SHARED * 16 + ((chunk[0] ?? 0) & 15)
  writer.copyTo(shared.subarray(parted.stampsFrom))
  chunk.copy(shared, parted.stampsFrom + writer.length, parted.stampsTo, end)
  shared.writeUInt32LE(crc32(shared.subarray(0, length)), length)
  return shared
}

/** Stamps that chunks refer to: their count, then as they would stand in a chunk, then a checksum. */
export function encodeStamps({ chunk, stampsTo: end }: PartedChunk): Buffer {
  const stamps = Buffer.allocUnsafe(end - 1 + CRC_BYTES)
  chunk.copy(stamps, 0, 1, end)
  stamps.writeUInt32LE(crc32(stamps.subarray(0, end - 1)), end - 1)
  return stamps
}

/** Null when they are damaged. */
export function decodeStamps(stamps: Uint8Array): Float64Array | null {
  const end = stamps.length - CRC_BYTES
  if (end < 1) return null
  const view = new DataView(stamps.buffer, stamps.byteOffset, stamps.byteLength)
  if (crc32(stamps.subarray(0, end)) !== view.getUint32(end, true)) return null
  reader.reset(stamps, view, 0)
  const count = reader.varint()
  if (count > SAMPLES_MAX) return null
  hasUnits = true
  const times = new Float64Array(count)
  readTimes(times, 0, count)
  return times
}

/** Gives the stamps that a chunk refers to; null when there are none. */
export type SharedStamps = (stamps: number) => Float64Array | null

/** Times ascend; values may be any bits. The chunk ends with its checksum. */
export function encodeChunk({ times, values }: Samples): Buffer {
  const count = times.length
  writer.reset(count)
  const decimals = scaleAll(values)
  writer.byte(VERSION * 16 + decimals)
  writer.varint(count)
  stampsFrom = writer.length
  writeTimes(times)
  stampsTo = writer.length
  if (decimals === FORM_BITS) writePlanes(values)
  else {
    writeSpecials(values)
    writeIntegers(writer, integers, count)
  }
  const chunk = Buffer.allocUnsafeSlow(writer.length + CRC_BYTES)
  writer.copyTo(chunk)
  chunk.writeUInt32LE(crc32(chunk.subarray(0, writer.length)), writer.length)
  return chunk
}

/** Null when the chunk is damaged, or refers to stamps that are not there. */
export function decodeChunk(chunk: Uint8Array, shared: SharedStamps | null = null): Samples | null {
  const end = chunk.length - CRC_BYTES
  const version = (chunk[0] ?? 0) >> 4
  if (end < 2 || version < VERSION_LEAST || version > VERSION_SHARED) return null
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength)
  if (crc32(chunk.subarray(0, end)) !== view.getUint32(end, true)) return null
  reader.reset(chunk, view, 0)
  hasUnits = version >= VERSION
  const decimals = reader.byte() & 15
  const count = reader.varint()
  if (count > SAMPLES_MAX) return null
  const times = takeTimes(count, version === VERSION_SHARED ? (shared ?? NO_STAMPS) : null)
  if (times === null) return null
  // Looking shared stamps up may have read others.
  reader.reset(chunk, view, timesEnd)
  hasUnits = version >= VERSION
  const values = new Float64Array(count)
  readValues(values, 0, count, decimals)
  return { times, values }
}

let timesEnd = 0
/** False while a chunk of version 2 is read. */
let hasUnits = true

const NO_STAMPS: SharedStamps = () => null

/** Shared stamps are given as they are: series that have been read keep one column of them together. */
function takeTimes(count: number, shared: SharedStamps | null): Float64Array | null {
  if (shared !== null) {
    const reference = reader.varint()
    timesEnd = reader.at
    const times = shared(reference)
    return times?.length === count ? times : null
  }
  const times = new Float64Array(count)
  readTimes(times, 0, count)
  timesEnd = reader.at
  return times
}

/** Appends a chunk whose checksum was true when it was made; its last four bytes are never used, nor shared stamps. */
export function decodeInto(out: SampleBuffer, bytes: Uint8Array, view: DataView, start: number): boolean {
  reader.reset(bytes, view, start)
  hasUnits = true
  const decimals = reader.byte() & 15
  const count = reader.varint()
  if (count > SAMPLES_MAX) return false
  const from = out.reserve(count)
  readTimes(out.times, from, count)
  readValues(out.values, from, count, decimals)
  return true
}

function readValues(values: Float64Array, from: number, count: number, decimals: number): void {
  if (decimals === FORM_BITS) {
    readPlanes(values, from, count)
    return
  }
  const specialsFrom = reader.at
  skipSpecials()
  readIntegers(reader, values, { start: from, count, hasUnits })
  if (decimals > 0) {
    const scale = 10 ** decimals
    for (let at = from; at < from + count; at += 1) values[at] = (values[at] ?? 0) / scale
  }
  readSpecials(specialsFrom, values.subarray(from, from + count))
}

/** Fills `integers` and `specialAt`; gives the fewest decimals with which every value comes back exactly, or FORM_BITS. */
function scaleAll(values: Float64Array): number {
  const count = values.length
  if (integers.length < count) {
    integers = new Float64Array(count * 2)
    specialAt = new Uint32Array(Math.ceil(count / 8))
  }
  const specialsMax = Math.max(2, Math.floor(count / SPECIALS_SHARE))
  let decimals = 0
  let scale = 1
  let last = 0
  specials = 0
  for (let at = 0; at < count; at += 1) {
    const value = values[at] ?? 0
    if (value - value !== 0 || (value === 0 && 1 / value < 0)) {
      if (specials >= specialsMax) return FORM_BITS
      specialAt[specials++] = at
      integers[at] = last
      continue
    }
    let scaled = Math.round(value * scale)
    if (scaled / scale !== value || scaled >= INTEGER_MAX || scaled <= -INTEGER_MAX) {
      // More decimals for all: what was scaled is scaled again, and must stay exact.
      do {
        decimals += 1
        if (decimals > DECIMALS_MAX) return FORM_BITS
        scale = 10 ** decimals
        scaled = Math.round(value * scale)
        if (scaled >= INTEGER_MAX || scaled <= -INTEGER_MAX) return FORM_BITS
      } while (scaled / scale !== value)
      if (!rescale(values, at, scale)) return FORM_BITS
    }
    // Rounding makes -0 of small negative numbers; they are not exact and never come here.
    integers[at] = last = scaled
  }
  // A special stands for the integer before it; after a change of scale that one is the new one.
  return decimals
}

function rescale(values: Float64Array, end: number, scale: number): boolean {
  let special = 0
  let last = 0
  for (let at = 0; at < end; at += 1) {
    if (special < specials && specialAt[special] === at) {
      special += 1
      integers[at] = last
      continue
    }
    const value = values[at] ?? 0
    const scaled = Math.round(value * scale)
    if (scaled / scale !== value || scaled >= INTEGER_MAX || scaled <= -INTEGER_MAX) return false
    integers[at] = last = scaled
  }
  return true
}

const TIMES_RUNS = 0
const TIMES_PACKED = 1

/** Runs of equal deltas when they are fewer than the samples' bytes packed; both start from the first stamp. */
function writeTimes(times: Float64Array): void {
  const count = times.length
  if (count === 0) return
  writer.varint(times[0] ?? 0)
  let runs = 0
  let previous = Number.NaN
  for (let at = 1; at < count; at += 1) {
    const delta = (times[at] ?? 0) - (times[at - 1] ?? 0)
    if (delta !== previous) runs += 1
    previous = delta
  }
  if (runs * 4 > count) {
    writer.byte(TIMES_PACKED)
    writeIntegers(writer, times, count)
    return
  }
  writer.byte(TIMES_RUNS)
  for (let at = 1; at < count; ) {
    const delta = (times[at] ?? 0) - (times[at - 1] ?? 0)
    let end = at + 1
    while (end < count && (times[end] ?? 0) - (times[end - 1] ?? 0) === delta) end += 1
    writer.zigzag(delta)
    writer.varint(end - at)
    at = end
  }
}

function readTimes(times: Float64Array, from: number, count: number): void {
  if (count === 0) return
  let time = reader.varint()
  if (reader.byte() === TIMES_PACKED) {
    readIntegers(reader, times, { start: from, count, hasUnits })
    return
  }
  times[from] = time
  for (let at = from + 1; at < from + count; ) {
    const delta = reader.zigzag()
    const end = Math.min(from + count, at + Math.max(1, reader.varint()))
    for (; at < end; at += 1) times[at] = time += delta
  }
}

function writeSpecials(values: Float64Array): void {
  writer.varint(specials)
  if (specials === 0) return
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  for (let special = 0; special < specials; special += 1) {
    const at = specialAt[special] ?? 0
    writer.varint(at)
    for (let byte = 0; byte < 8; byte += 1) writer.byte(bytes[at * 8 + byte] ?? 0)
  }
}

function skipSpecials(): void {
  for (let left = reader.varint(); left > 0; left -= 1) {
    reader.varint()
    reader.skip(8)
  }
}

/** Bytes, not numbers, so that the bits of a NaN stay what they are. */
function readSpecials(from: number, values: Float64Array): void {
  reader.at = from
  const left = reader.varint()
  if (left === 0) return
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  for (let special = 0; special < left; special += 1) {
    const at = reader.varint()
    if (at >= values.length) return
    for (let byte = 0; byte < 8; byte += 1) bytes[at * 8 + byte] = reader.byte()
  }
}

/** XOR with the value before, byte planes one after the other; planes of zeros are left out. */
function writePlanes(values: Float64Array): void {
  const count = values.length
  const copy = new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice()
  const words = new Uint32Array(copy.buffer)
  for (let at = words.length - 1; at >= 2; at -= 1) words[at] = (words[at] ?? 0) ^ (words[at - 2] ?? 0)
  let kept = 0
  for (let plane = 0; plane < 8; plane += 1) {
    for (let index = plane; index < copy.length; index += 8) {
      if (copy[index] === 0) continue
      kept |= 1 << plane
      break
    }
  }
  writer.byte(kept)
  for (let plane = 0; plane < 8; plane += 1) {
    if ((kept & (1 << plane)) === 0) continue
    for (let index = 0; index < count; index += 1) writer.byte(copy[index * 8 + plane] ?? 0)
  }
}

function readPlanes(out: Float64Array, from: number, count: number): void {
  const bytes = new Uint8Array(out.buffer, from * 8, count * 8).fill(0)
  const kept = reader.byte()
  const chunk = reader.bytes()
  let { at } = reader
  for (let plane = 0; plane < 8; plane += 1) {
    if ((kept & (1 << plane)) === 0) continue
    // Straight from the chunk: a call of the reader for each byte takes nearly twice as long.
    for (let index = 0; index < count; index += 1) bytes[index * 8 + plane] = chunk[at + index] ?? 0
    at += count
  }
  reader.at = at
  const words = new Uint32Array(out.buffer, from * 8, count * 2)
  for (let word = 2; word < words.length; word += 1) words[word] = (words[word] ?? 0) ^ (words[word - 2] ?? 0)
}
