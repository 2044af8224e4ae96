// Owns the form of a sealed chunk: delta-coded timestamps, values as scaled integers or as XORed bit patterns, deflated.
// It refuses chunks whose checksum or lengths are wrong. Layout: docs/reference/metrics-store.md
import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib'
import type { Samples } from './sample-column.ts'

const HEADER_BYTES = 12
const VERSION = 1
const FORM_BITS = 255 // the byte that otherwise holds the number of decimals
const DECIMALS_MAX = 3 // seconds with milliseconds; more digits are mostly ratios, which are not decimal at all
const SAMPLES_MAX = 1_000_000 // far more than a seal interval can hold: a larger count is damage

/** Deflate level 1: level 6 was not measurably smaller on such columns, and slower. */
const DEFLATE_LEVEL = 1

export function encodeChunk({ times, values }: Samples): Buffer {
  const count = times.length
  const decimals = decimalsOf(values)
  const writer = new VarintWriter(count * 20 + 16)
  writeDeltas(writer, times, 1)
  if (decimals !== FORM_BITS) writeDeltas(writer, values, 10 ** decimals)
  const columns = writer.bytes()
  const raw = decimals === FORM_BITS ? Buffer.concat([columns, xorPlanes(values)]) : columns
  const packed = deflateRawSync(raw, { level: DEFLATE_LEVEL })
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUInt8(VERSION, 0)
  header.writeUInt8(decimals, 1)
  header.writeUInt32LE(count, 4)
  header.writeUInt32LE(crc32(packed), 8)
  return Buffer.concat([header, packed])
}

/** Null when the chunk is damaged. */
export function decodeChunk(chunk: Buffer): Samples | null {
  if (chunk.length < HEADER_BYTES || chunk.readUInt8(0) !== VERSION) return null
  const decimals = chunk.readUInt8(1)
  const count = chunk.readUInt32LE(4)
  const packed = chunk.subarray(HEADER_BYTES)
  if (count > SAMPLES_MAX || crc32(packed) !== chunk.readUInt32LE(8)) return null
  // Two varints of at most nine bytes a sample, or one and eight bytes.
  const raw = inflateRawSync(packed, { maxOutputLength: count * 20 + 16 })
  const times = new Float64Array(count)
  const values = new Float64Array(count)
  const at = readDeltas(raw, 0, times, 1)
  if (decimals === FORM_BITS) unxorPlanes(raw.subarray(at), values)
  else readDeltas(raw, at, values, 10 ** decimals)
  return { times, values }
}

/** The fewest decimals with which every value comes back exactly, or FORM_BITS. */
function decimalsOf(values: Float64Array): number {
  for (let decimals = 0; decimals <= DECIMALS_MAX; decimals += 1) {
    const scale = 10 ** decimals
    if (values.every(value => isExact(value, scale))) return decimals
  }
  return FORM_BITS
}

// The zigzag code of deltas of deltas of such numbers stays below 2^53.
const INTEGER_MAX = 2 ** 49

function isExact(value: number, scale: number): boolean {
  const scaled = Math.round(value * scale)
  // NaN and infinities are not below the limit; -0 has no integer form.
  return Math.abs(scaled) < INTEGER_MAX && scaled / scale === value && !Object.is(value, -0)
}

function writeDeltas(writer: VarintWriter, numbers: Float64Array, scale: number): void {
  let previous = 0
  let previousDelta = 0
  for (const number of numbers) {
    const scaled = Math.round(number * scale)
    const delta = scaled - previous
    writer.zigzag(delta - previousDelta)
    previous = scaled
    previousDelta = delta
  }
}

function readDeltas(raw: Buffer, start: number, out: Float64Array, scale: number): number {
  let at = start
  let previous = 0
  let previousDelta = 0
  for (let index = 0; index < out.length; index += 1) {
    let code = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = raw[at++] ?? 0
      code += (byte & 127) * factor
      if (byte < 128) break
    }
    previousDelta += code % 2 === 0 ? code / 2 : -(code + 1) / 2
    previous += previousDelta
    out[index] = previous / scale
  }
  return at
}

/** XOR with the value before, byte planes one after the other: what rarely changes becomes runs of zeros. */
function xorPlanes(values: Float64Array): Buffer {
  const copy = values.slice() // copies bits, also those of a NaN
  const words = new Uint32Array(copy.buffer)
  const planes = Buffer.allocUnsafe(copy.byteLength)
  for (let at = words.length - 1; at >= 2; at -= 1) words[at] = (words[at] ?? 0) ^ (words[at - 2] ?? 0)
  const bytes = new Uint8Array(copy.buffer)
  const count = values.length
  for (let index = 0; index < count; index += 1) {
    for (let plane = 0; plane < 8; plane += 1) planes[plane * count + index] = bytes[index * 8 + plane] ?? 0
  }
  return planes
}

function unxorPlanes(planes: Buffer, out: Float64Array): void {
  const bytes = new Uint8Array(out.buffer)
  const count = out.length
  for (let index = 0; index < count; index += 1) {
    for (let plane = 0; plane < 8; plane += 1) bytes[index * 8 + plane] = planes[plane * count + index] ?? 0
  }
  const words = new Uint32Array(out.buffer)
  for (let at = 2; at < words.length; at += 1) words[at] = (words[at] ?? 0) ^ (words[at - 2] ?? 0)
}

class VarintWriter {
  readonly #buffer: Buffer
  #at = 0

  constructor(bytesMax: number) {
    this.#buffer = Buffer.allocUnsafe(bytesMax)
  }

  zigzag(value: number): void {
    let code = value >= 0 ? value * 2 : value * -2 - 1
    while (code >= 128) {
      this.#buffer[this.#at++] = (code % 128) | 128
      code = Math.floor(code / 128)
    }
    this.#buffer[this.#at++] = code
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#at)
  }
}
