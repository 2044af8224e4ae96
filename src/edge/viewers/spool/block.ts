// Owns a block of the spool: some records that were written at once, with a checksum. Pure.
//   0 magic "VSP1"   4 bytes of the records   8 their number   12 CRC-32 of both the number and the records
import { crc32 } from 'node:zlib'

const MAGIC = 0x31505356
export const BLOCK_HEAD_BYTES = 16
/** A reader's buffer holds at least one. */
export const BLOCK_BYTES_MAX: number = 192 * 1024
export const BLOCK_RECORDS_MAX = 500

export interface Block {
  readonly count: number
  /** With its head. */
  readonly bytes: number
}

/** `lines` hold no line feed. */
export function writeBlock(lines: readonly string[]): Buffer {
  const text = `${lines.join('\n')}\n`
  const size = Buffer.byteLength(text)
  const block = Buffer.allocUnsafe(BLOCK_HEAD_BYTES + size)
  block.writeUInt32LE(MAGIC, 0)
  block.writeUInt32LE(size, 4)
  block.writeUInt32LE(lines.length, 8)
  block.write(text, BLOCK_HEAD_BYTES, 'utf8')
  block.writeUInt32LE(checksum(block), 12)
  return block
}

/** The block at the beginning of `bytes`; `short`: more bytes are needed; `broken`: none is here. */
export function readBlock(bytes: Buffer): Block | 'short' | 'broken' {
  if (bytes.length < BLOCK_HEAD_BYTES) return 'short'
  const size = bytes.readUInt32LE(4)
  const count = bytes.readUInt32LE(8)
  const isSane = size <= BLOCK_BYTES_MAX * 2 && count > 0 && count <= BLOCK_RECORDS_MAX
  if (bytes.readUInt32LE(0) !== MAGIC || !isSane) return 'broken'
  const end = BLOCK_HEAD_BYTES + size
  if (bytes.length < end) return 'short'
  const whole = bytes.subarray(0, end)
  return checksum(whole) === whole.readUInt32LE(12) ? { count, bytes: end } : 'broken'
}

/** The records of a block that `readBlock` has found good. */
export function linesOf(bytes: Buffer, block: Block): string[] {
  return bytes.toString('utf8', BLOCK_HEAD_BYTES, block.bytes - 1).split('\n')
}

function checksum(block: Buffer): number {
  return crc32(block.subarray(BLOCK_HEAD_BYTES), crc32(block.subarray(8, 12)))
}
