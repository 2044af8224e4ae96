// Owns reading a segment's samples from the source file: only the bytes that are needed, in few reads.
// It refuses to mix two states of a file: after each read the file must still be the one that was indexed.
import type { FileHandle } from 'node:fs/promises'
import { writeFragmentHead } from '#media'
import { originFaults } from '../faults.ts'
import { checkUnchanged, type FileFacts } from '../library/index-title.ts'
import { fragmentSamples, type RenditionPlan, segmentDecodeTicks } from './plan.ts'

/** A response is written in pieces of this size, so that a slow reader of a large segment holds little memory. */
export const PIECE_BYTES: number = 1024 * 1024
/** Bytes of other tracks that are read and thrown away rather than paying for one more read. */
const GAP_BYTES_MAX = 64 * 1024
/** One read, gaps included. */
const READ_BYTES_MAX = 4 * 1024 * 1024

/** Bytes of the source that stand one behind the other in the segment as well. */
interface Extent {
  readonly offset: number
  bytes: number
}

/** Gives a segment in pieces; the buffers belong to the caller. */
export async function* segmentPieces(
  handle: FileHandle,
  facts: FileFacts,
  plan: RenditionPlan,
  segment: number,
): AsyncGenerator<Buffer> {
  const from = plan.samples[segment] as number
  const samples = fragmentSamples(plan.placed, from, plan.samples[segment + 1] as number)
  const head = writeFragmentHead(segment + 1, segmentDecodeTicks(plan.placed, from), samples)
  // The head goes first and alone when it is large; most segments are one piece, head and samples together.
  const total = head.length + sum(samples.sizes)
  const isWhole = total <= PIECE_BYTES
  if (!isWhole) yield Buffer.from(head.buffer, head.byteOffset, head.byteLength)
  let piece = startPiece(isWhole ? total : total - head.length)
  if (isWhole) piece.fill(head)
  for (const batch of batches(extentsOf(samples.offsetBytes, samples.sizes))) {
    const bytes = await readBatch(handle, batch)
    await checkUnchanged(handle, facts)
    const first = (batch[0] as Extent).offset
    for (const extent of batch) {
      let at = extent.offset - first
      const end = at + extent.bytes
      while (at < end) {
        at += piece.fill(bytes.subarray(at, end))
        if (!piece.full) continue
        yield piece.buffer
        piece = startPiece(piece.leftAfter)
      }
    }
  }
  if (piece.filled > 0) yield piece.buffer.subarray(0, piece.filled)
}

/** A buffer that is filled from the front; `left` bytes of the segment are still to come, this piece included. */
function startPiece(left: number): {
  readonly buffer: Buffer
  readonly leftAfter: number
  readonly filled: number
  readonly full: boolean
  fill(bytes: Uint8Array): number
} {
  const buffer = Buffer.allocUnsafe(Math.min(left, PIECE_BYTES))
  let filled = 0
  return {
    buffer,
    leftAfter: left - buffer.length,
    get filled() {
      return filled
    },
    get full() {
      return filled === buffer.length
    },
    fill(bytes) {
      const count = Math.min(bytes.length, buffer.length - filled)
      buffer.set(bytes.subarray(0, count), filled)
      filled += count
      return count
    },
  }
}

function extentsOf(offsets: Float64Array, sizes: Uint32Array): Extent[] {
  const extents: Extent[] = []
  for (let sample = 0; sample < sizes.length; sample += 1) {
    const offset = offsets[sample] as number
    let bytes = sizes[sample] as number
    const last = extents.at(-1)
    if (last !== undefined && last.offset + last.bytes === offset && last.bytes + bytes <= READ_BYTES_MAX) {
      last.bytes += bytes
      continue
    }
    // A sample larger than one read is read in parts.
    for (let at = offset; bytes > 0; at += READ_BYTES_MAX, bytes -= READ_BYTES_MAX) {
      extents.push({ offset: at, bytes: Math.min(bytes, READ_BYTES_MAX) })
    }
  }
  return extents
}

/** Groups extents that lie close together, ascending, into one read each. */
function* batches(extents: readonly Extent[]): Generator<Extent[]> {
  let batch: Extent[] = []
  let start = 0
  let end = 0
  for (const extent of extents) {
    const gap = extent.offset - end
    const fits = gap >= 0 && gap <= GAP_BYTES_MAX && extent.offset + extent.bytes - start <= READ_BYTES_MAX
    if (batch.length > 0 && !fits) {
      yield batch
      batch = []
    }
    if (batch.length === 0) start = extent.offset
    batch.push(extent)
    end = extent.offset + extent.bytes
  }
  if (batch.length > 0) yield batch
}

async function readBatch(handle: FileHandle, batch: readonly Extent[]): Promise<Buffer> {
  const first = batch[0] as Extent
  const last = batch.at(-1) as Extent
  const buffer = Buffer.allocUnsafe(last.offset + last.bytes - first.offset)
  let filled = 0
  while (filled < buffer.length) {
    const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, first.offset + filled)
    if (bytesRead === 0) {
      const message = `the file ends at ${first.offset + filled}, expected ${buffer.length - filled} bytes more`
      throw originFaults.fault('origin-revision-gone', message)
    }
    filled += bytesRead
  }
  return buffer
}

function sum(sizes: Uint32Array): number {
  return sizes.reduce((total, size) => total + size, 0)
}
