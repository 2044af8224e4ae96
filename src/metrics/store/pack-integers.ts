// Owns packing of whole numbers below 2^51: deltas in blocks, each with its least, its power of two and its width.
// It refuses nothing; the caller has made sure that the numbers are exact. Layout: docs/reference/metrics-store.md
import type { ByteReader, ByteWriter } from './chunk-bytes.ts'

/** 128: a jump (a reset, a gap) widens its own block alone; a block's head is about 3 bytes. */
const BLOCK = 128
/** A piece of this width and the 7 bits before it fit into 32. */
const PIECE_BITS = 24
const PIECE = 2 ** PIECE_BITS

const deltas: Float64Array = new Float64Array(BLOCK)

/** The first number, then blocks of deltas. */
export function writeIntegers(writer: ByteWriter, numbers: Float64Array, count: number): void {
  if (count === 0) return
  let previous = numbers[0] ?? 0
  writer.zigzag(previous)
  for (let from = 1; from < count; from += BLOCK) {
    const length = Math.min(BLOCK, count - from)
    let least = Infinity
    let most = -Infinity
    for (let at = 0; at < length; at += 1) {
      const number = numbers[from + at] ?? 0
      const delta = number - previous
      previous = number
      deltas[at] = delta
      if (delta < least) least = delta
      if (delta > most) most = delta
    }
    writeBlock(writer, length, least, most)
  }
}

function writeBlock(writer: ByteWriter, length: number, least: number, most: number): void {
  if (least === most) {
    writer.byte(0)
    writer.zigzag(least)
    return
  }
  const shift = commonShift(length, least)
  const unit = 2 ** shift
  const width = bitsOf((most - least) / unit)
  writer.byte(width)
  writer.byte(shift)
  writer.zigzag(least)
  let pending = 0
  let bits = 0
  for (let at = 0; at < length; at += 1) {
    let rest = ((deltas[at] ?? 0) - least) / unit
    let left = width
    while (left > 0) {
      const piece = left > PIECE_BITS ? PIECE_BITS : left
      pending |= (rest % PIECE) << bits
      bits += piece
      while (bits >= 8) {
        writer.byte(pending & 255)
        pending >>>= 8
        bits -= 8
      }
      if (left > PIECE_BITS) rest = Math.floor(rest / PIECE)
      left -= piece
    }
  }
  if (bits > 0) writer.byte(pending & 255)
}

/** Trailing zero bits that all `delta - least` share: pages, hundreds of blocks. */
function commonShift(length: number, least: number): number {
  let low = 0
  for (let at = 0; at < length; at += 1) {
    const rest = (deltas[at] ?? 0) - least
    // The low 31 bits are enough: a zero there alone says "at least 31".
    low |= rest % 2 ** 31
    if ((low & 1) === 1) return 0
  }
  return low === 0 ? 0 : 31 - Math.clz32(low & -low)
}

function bitsOf(most: number): number {
  return most < 2 ** 31 ? 32 - Math.clz32(most) : 32 + (32 - Math.clz32(Math.floor(most / 2 ** 32)))
}

/** Into `out[start..start + count)`. */
export function readIntegers(reader: ByteReader, out: Float64Array, start: number, count: number): void {
  if (count === 0) return
  let value = reader.zigzag()
  out[start] = value
  const end = start + count
  for (let from = start + 1; from < end; from += BLOCK) {
    const length = Math.min(BLOCK, end - from)
    const width = reader.byte()
    if (width === 0) {
      const delta = reader.zigzag()
      for (let at = from; at < from + length; at += 1) out[at] = value += delta
      continue
    }
    const unit = 2 ** reader.byte()
    const least = reader.zigzag()
    const bytes = Math.ceil((width * length) / 8)
    // A piece is read as four bytes; those after a block are the next block or the checksum.
    if (reader.at + bytes + 4 > reader.bytes().length) return
    value = width <= PIECE_BITS ? narrow(reader, out, { from, length, width, unit, least, value }) : value
    if (width > PIECE_BITS) value = wide(reader, out, { from, length, width, unit, least, value })
    reader.skip(bytes)
  }
}

interface Block {
  readonly from: number
  readonly length: number
  readonly width: number
  readonly unit: number
  readonly least: number
  readonly value: number
}

function narrow(reader: ByteReader, out: Float64Array, block: Block): number {
  const view = reader.view()
  const { from, length, width, unit, least } = block
  const mask = 2 ** width - 1
  let value = block.value
  let bit = reader.at * 8
  for (let at = from; at < from + length; at += 1) {
    value += ((view.getUint32(bit >>> 3, true) >>> (bit & 7)) & mask) * unit + least
    out[at] = value
    bit += width
  }
  return value
}

function wide(reader: ByteReader, out: Float64Array, block: Block): number {
  const view = reader.view()
  const { from, length, width, unit, least } = block
  let value = block.value
  let bit = reader.at * 8
  // Widths above 48 are numbers of more than 2^48: their third piece is rare.
  const secondBits = Math.min(width - PIECE_BITS, PIECE_BITS)
  const secondMask = 2 ** secondBits - 1
  const thirdMask = width > 2 * PIECE_BITS ? 2 ** (width - 2 * PIECE_BITS) - 1 : 0
  for (let at = from; at < from + length; at += 1) {
    let rest = (view.getUint32(bit >>> 3, true) >>> (bit & 7)) & (PIECE - 1)
    bit += PIECE_BITS
    rest += ((view.getUint32(bit >>> 3, true) >>> (bit & 7)) & secondMask) * PIECE
    bit += secondBits
    if (thirdMask > 0) {
      rest += ((view.getUint32(bit >>> 3, true) >>> (bit & 7)) & thirdMask) * (PIECE * PIECE)
      bit += width - 2 * PIECE_BITS
    }
    value += rest * unit + least
    out[at] = value
  }
  return value
}
