// Owns packing of whole numbers below 2^51: deltas in blocks, each with its least, its power of two and its width.
// It refuses nothing; the caller has made sure that the numbers are exact. Layout: docs/reference/metrics-store.md
import type { ByteReader, ByteWriter } from './chunk-bytes.ts'

/** A jump (a reset, a gap) should widen few other deltas: blocks are made of units, as many as pay for their one head. */
const UNIT = 128
const UNITS_MAX = 8
const BLOCK_MAX = UNIT * UNITS_MAX
/** What a head takes, more or less: units, form, shift, least delta. */
const HEAD_BITS = 48
/** A piece of this width and the 7 bits before it fit into 32. */
const PIECE_BITS = 24
const PIECE = 2 ** PIECE_BITS

/** The two highest bits of a block's first byte say how it is packed; the others are the width. */
const DENSE = 0
const MAPPED = 64
const LISTED = 128
const WIDTH_MASK = 63
/** A map costs a bit for each delta: with fewer repeats than one in 8, it hardly ever pays. */
const SPARSE_SHARE = 8

/** A unit more: one that turns out not to fit stands after the block. */
const deltas: Float64Array = new Float64Array(BLOCK_MAX + UNIT)
const rareDeltas: Float64Array = new Float64Array(BLOCK_MAX)
const rareAt: Uint16Array = new Uint16Array(BLOCK_MAX)

/** The first number, then blocks of deltas. */
export function writeIntegers(writer: ByteWriter, numbers: Float64Array, count: number): void {
  if (count === 0) return
  writer.zigzag(numbers[0] ?? 0)
  let pending = 0
  let known: Deltas = NOTHING
  for (let from = 1; from < count; from += UNIT) {
    const length = Math.min(UNIT, count - from)
    const unit = readUnit(numbers, from, length, pending)
    const joined = join(known, unit)
    if (pending > 0 && (pending + length > BLOCK_MAX || costOf(joined) > costOf(known) + costOf(unit))) {
      writeBlock(writer, pending, known)
      deltas.copyWithin(0, pending, pending + length)
      pending = 0
      known = unit
    } else known = joined
    pending += length
  }
  if (pending > 0) writeBlock(writer, pending, known)
}

/** Fills `deltas` from `into` on. */
function readUnit(numbers: Float64Array, from: number, length: number, into: number): Deltas {
  let least = Infinity
  let most = -Infinity
  let repeats = 0
  let before = 0
  let previous = numbers[from - 1] ?? 0
  for (let at = 0; at < length; at += 1) {
    const number = numbers[from + at] ?? 0
    const delta = number - previous
    previous = number
    deltas[into + at] = delta
    if (delta === 0 || delta === before) repeats += 1
    before = delta
    if (delta < least) least = delta
    if (delta > most) most = delta
  }
  return { least, most, repeats, length }
}

const NOTHING: Deltas = { least: Infinity, most: -Infinity, repeats: 0, length: 0 }

function join(a: Deltas, b: Deltas): Deltas {
  return {
    least: Math.min(a.least, b.least),
    most: Math.max(a.most, b.most),
    repeats: a.repeats + b.repeats,
    length: a.length + b.length,
  }
}

/** In bits, as if it were dense: where zeros are common the width is paid for the others only. */
function costOf({ least, most, repeats, length }: Deltas): number {
  const width = bitsOf(most - least)
  return HEAD_BITS + Math.min(width * length, length + width * (length - repeats))
}

interface Deltas {
  readonly least: number
  readonly most: number
  /** Deltas that are zero, or the same as the one before. */
  readonly repeats: number
  readonly length: number
}

function writeBlock(writer: ByteWriter, length: number, { least, most, repeats }: Deltas): void {
  writer.byte(Math.ceil(length / UNIT))
  if (least === most) {
    writer.byte(DENSE)
    writer.zigzag(least)
    return
  }
  const shift = commonShift(deltas, length, least)
  const width = bitsOf((most - least) / 2 ** shift)
  // Most counters never repeat a delta: they are not looked at twice.
  if (repeats * SPARSE_SHARE > length && writeSparse(writer, length, Math.ceil((width * length) / 8))) return
  writer.byte(DENSE + width)
  writer.byte(shift)
  writer.zigzag(least)
  writePacked(writer, deltas, length, { least, shift, width })
}

/** Where one delta is common, most often zero, only the others are packed; false when that takes `denseBytes` or more. */
function writeSparse(writer: ByteWriter, length: number, denseBytes: number): boolean {
  const common = commonDelta(length)
  let rare = 0
  let least = Infinity
  let most = -Infinity
  for (let at = 0; at < length; at += 1) {
    const delta = deltas[at] ?? 0
    if (delta === common) continue
    rareAt[rare] = at
    rareDeltas[rare] = delta
    rare += 1
    if (delta < least) least = delta
    if (delta > most) most = delta
  }
  const shift = least === most ? 0 : commonShift(rareDeltas, rare, least)
  const width = least === most ? 0 : bitsOf((most - least) / 2 ** shift)
  const listBytes = 2 + rare + Math.floor(length / UNIT)
  const mapBytes = Math.ceil(length / 8)
  const isListed = listBytes < mapBytes
  if (Math.min(listBytes, mapBytes) + Math.ceil((width * rare) / 8) >= denseBytes) return false
  writer.byte((isListed ? LISTED : MAPPED) + width)
  writer.zigzag(common)
  if (isListed) {
    writer.varint(rare)
    for (let at = 0; at < rare; at += 1) writer.varint((rareAt[at] ?? 0) - (rareAt[at - 1] ?? 0))
  } else writeMap(writer, length, rare)
  if (width > 0) writer.byte(shift)
  writer.zigzag(least)
  if (width > 0) writePacked(writer, rareDeltas, rare, { least, shift, width })
  return true
}

/** Zero, unless more than half of the deltas are another one (majority vote of Boyer and Moore). */
function commonDelta(length: number): number {
  let candidate = 0
  let votes = 0
  for (let at = 0; at < length; at += 1) {
    const delta = deltas[at] ?? 0
    if (votes === 0) candidate = delta
    votes += delta === candidate ? 1 : -1
  }
  let count = 0
  for (let at = 0; at < length; at += 1) if (deltas[at] === candidate) count += 1
  return count * 2 > length ? candidate : 0
}

/** A bit for each delta, the lowest first; 1 where it is not the common one. */
function writeMap(writer: ByteWriter, length: number, rare: number): void {
  let next = 0
  for (let from = 0; from < length; from += 8) {
    let bits = 0
    while (next < rare && (rareAt[next] ?? 0) < from + 8) {
      bits |= 1 << ((rareAt[next] ?? 0) - from)
      next += 1
    }
    writer.byte(bits)
  }
}

interface Packing {
  readonly least: number
  readonly shift: number
  readonly width: number
}

function writePacked(writer: ByteWriter, numbers: Float64Array, length: number, packing: Packing): void {
  const { least, shift, width } = packing
  const unit = 2 ** shift
  let pending = 0
  let bits = 0
  for (let at = 0; at < length; at += 1) {
    let rest = ((numbers[at] ?? 0) - least) / unit
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

/** Trailing zero bits that all `number - least` share: pages, hundreds of blocks. */
function commonShift(numbers: Float64Array, length: number, least: number): number {
  let low = 0
  for (let at = 0; at < length; at += 1) {
    const rest = (numbers[at] ?? 0) - least
    // The low 31 bits are enough: a zero there alone says "at least 31".
    low |= rest % 2 ** 31
    if ((low & 1) === 1) return 0
  }
  return low === 0 ? 0 : 31 - Math.clz32(low & -low)
}

function bitsOf(most: number): number {
  return most < 2 ** 31 ? 32 - Math.clz32(most) : 32 + (32 - Math.clz32(Math.floor(most / 2 ** 32)))
}

/** Into `out[start..start + count)`. Before version 3 each block had one unit, and no byte that says so. */
export function readIntegers(
  reader: ByteReader,
  out: Float64Array,
  { start, count, hasUnits }: { readonly start: number; readonly count: number; readonly hasUnits: boolean },
): void {
  if (count === 0) return
  let value = reader.zigzag()
  out[start] = value
  const end = start + count
  let length = 0
  for (let from = start + 1; from < end; from += length) {
    const units = hasUnits ? Math.min(Math.max(reader.byte(), 1), UNITS_MAX) : 1
    length = Math.min(units * UNIT, end - from)
    const width = reader.byte()
    if (width > WIDTH_MASK) {
      value = sparse(reader, out, { from, length, form: width, value })
      continue
    }
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

interface SparseBlock {
  readonly from: number
  readonly length: number
  readonly form: number
  readonly value: number
}

/** First all deltas, in `deltas`; then their sums. A damaged block gives any numbers, but touches nothing else. */
function sparse(reader: ByteReader, out: Float64Array, block: SparseBlock): number {
  const { from, length, form } = block
  deltas.fill(reader.zigzag(), 0, length)
  const rare = form >= LISTED ? readList(reader) : readMap(reader, length)
  const width = form & WIDTH_MASK
  const shift = width === 0 ? 0 : reader.byte()
  const least = reader.zigzag()
  if (width > 0) {
    const bytes = Math.ceil((width * rare) / 8)
    if (reader.at + bytes + 4 > reader.bytes().length) return block.value
    readPacked(reader, rareDeltas, rare, { least, shift, width })
    reader.skip(bytes)
  } else rareDeltas.fill(least, 0, rare)
  for (let at = 0; at < rare; at += 1) deltas[rareAt[at] ?? 0] = rareDeltas[at] ?? 0
  let value = block.value
  for (let at = 0; at < length; at += 1) out[from + at] = value += deltas[at] ?? 0
  return value
}

/** The inverse of `writePacked`; the caller skips the bytes. */
function readPacked(reader: ByteReader, out: Float64Array, length: number, packing: Packing): void {
  const view = reader.view()
  const unit = 2 ** packing.shift
  let bit = reader.at * 8
  for (let at = 0; at < length; at += 1) {
    let rest = 0
    let factor = 1
    for (let left = packing.width; left > 0; left -= PIECE_BITS) {
      const piece = left > PIECE_BITS ? PIECE_BITS : left
      rest += ((view.getUint32(bit >>> 3, true) >>> (bit & 7)) & (2 ** piece - 1)) * factor
      factor *= PIECE
      bit += piece
    }
    out[at] = rest * unit + packing.least
  }
}

function readList(reader: ByteReader): number {
  const rare = Math.min(reader.varint(), BLOCK_MAX)
  let at = 0
  for (let index = 0; index < rare; index += 1) {
    at = (at + reader.varint()) % BLOCK_MAX
    rareAt[index] = at
  }
  return rare
}

function readMap(reader: ByteReader, length: number): number {
  let rare = 0
  for (let from = 0; from < length; from += 8) {
    for (let bits = reader.byte(); bits !== 0; bits &= bits - 1) {
      rareAt[rare] = from + 31 - Math.clz32(bits & -bits)
      rare += 1
    }
  }
  return rare
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
