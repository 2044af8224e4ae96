// Owns the snappy block format. It refuses blocks that lie about their length or point outside of what was written.
// See https://github.com/google/snappy/blob/main/format_description.txt
import { compress } from 'snappyjs'

export function compressBlock(bytes: Uint8Array): Uint8Array {
  return compress(bytes)
}

/** Why a block cannot be read, with the offset in the compressed bytes. */
export interface SnappyFailure {
  readonly kind: 'invalid' | 'too-large'
  readonly message: string
}

/**
 * The decompressor of snappyjs does not bound its writes, and runs backwards on a literal whose length has the
 * top bit set: this one checks each element against both ends.
 */
export function decompressBlock(block: Uint8Array, bytesMax: number): Uint8Array | SnappyFailure {
  let at = 0
  let length = 0
  for (let shift = 0; ; shift += 7) {
    const byte = block[at]
    if (byte === undefined || shift > 28) return invalid('expected a length varint', at)
    at += 1
    length += (byte & 127) * 2 ** shift
    if (byte < 128) break
  }
  if (length > bytesMax) {
    return { kind: 'too-large', message: `expected at most ${bytesMax} bytes after snappy, got ${length}` }
  }
  // A snappy element makes at most 64 bytes out of two: a longer promise is a lie, found before memory is taken.
  if (length > block.length * 32) return invalid(`${length} bytes are promised by ${block.length}`, at)
  const out = Buffer.allocUnsafe(length)
  return fill(out, block, at) ?? out
}

/** Literals up to this length are copied in the loop: a native call costs more. */
const LITERAL_LOOP_MAX = 128

function fill(out: Buffer, block: Uint8Array, start: number): SnappyFailure | null {
  const view = new DataView(out.buffer, out.byteOffset, out.byteLength)
  const source = new DataView(block.buffer, block.byteOffset, block.byteLength)
  let at = start
  let written = 0
  while (at < block.length) {
    const tag = block[at] ?? 0
    const kind = tag & 3
    if (kind === 0) {
      let length = (tag >>> 2) + 1
      const extra = length > 60 ? length - 60 : 0
      if (extra > 0) length = readLittle(block, at + 1, extra) + 1
      const from = at + 1 + extra
      if (from + length > block.length) return invalid('a literal ends after the block', at)
      if (written + length > out.length) return invalid('more bytes than were promised', at)
      if (length > LITERAL_LOOP_MAX) out.set(block.subarray(from, from + length), written)
      else {
        let byte = 0
        for (; byte + 4 <= length; byte += 4) {
          view.setInt32(written + byte, source.getInt32(from + byte, true), true)
        }
        for (; byte < length; byte += 1) out[written + byte] = block[from + byte] ?? 0
      }
      at = from + length
      written += length
      continue
    }
    const length = kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1
    const width = kind === 3 ? 4 : kind
    if (at + width >= block.length) return invalid('a copy ends after the block', at)
    const offset =
      kind === 1
        ? (tag >>> 5) * 256 + (block[at + 1] ?? 0)
        : kind === 2
          ? (block[at + 1] ?? 0) + (block[at + 2] ?? 0) * 256
          : readLittle(block, at + 1, width)
    if (offset === 0 || offset > written)
      return invalid(`a copy from ${offset} bytes back, before the start`, at)
    if (written + length > out.length) return invalid('more bytes than were promised', at)
    copyBack(out, view, written, offset, length)
    written += length
    at += 1 + width
  }
  return written === out.length ? null : invalid(`${out.length} bytes are promised, ${written} came`, at)
}

/** Four bytes at a time, or byte by byte where a copy overlaps itself: that is how runs are written. */
function copyBack(out: Buffer, view: DataView, written: number, offset: number, length: number): void {
  const end = written + length
  let to = written
  if (offset >= 4) {
    for (; to + 4 <= end; to += 4) view.setInt32(to, view.getInt32(to - offset, true), true)
  }
  for (; to < end; to += 1) out[to] = out[to - offset] ?? 0
}

function readLittle(block: Uint8Array, at: number, width: number): number {
  let value = 0
  for (let index = width - 1; index >= 0; index -= 1) value = value * 256 + (block[at + index] ?? 0)
  return value
}

function invalid(message: string, at: number): SnappyFailure {
  return { kind: 'invalid', message: `snappy @${at}: ${message}` }
}
