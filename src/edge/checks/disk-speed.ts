// Owns measuring how fast the disk below the cache takes bytes: a file of its own, written and synced piece by piece,
// within bounds of bytes and time, and removed again.
import { randomFillSync } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '#base'

/** Each piece is on the disk before the next one begins, so that a slow disk is left alone after one. */
const PIECE_BYTES = 4 * 1024 * 1024
const FILE_NAME = 'speed-check.tmp'

export interface DiskLimits {
  readonly bytesMax: number
  readonly msMax: number
}

export interface DiskSpeed {
  readonly bytes: number
  readonly ms: number
}

/** `mayGoOn` is asked before each piece. Throws what the file system says. */
export async function measureDisk(
  folder: string,
  { bytesMax, msMax }: DiskLimits,
  clock: Clock,
  mayGoOn: () => boolean,
): Promise<DiskSpeed> {
  const file = join(folder, FILE_NAME)
  // Noise, for disks that compress or leave out zeros.
  const piece = randomFillSync(Buffer.allocUnsafe(PIECE_BYTES))
  const handle = await open(file, 'w', 0o600)
  let bytes = 0
  const startMs = clock.monotonicMs()
  let ms = 0
  try {
    while (bytes < bytesMax && ms < msMax && mayGoOn()) {
      const part = piece.subarray(0, Math.min(PIECE_BYTES, bytesMax - bytes))
      let written = 0
      while (written < part.length) {
        const { bytesWritten } = await handle.write(part, written, part.length - written, bytes + written)
        if (bytesWritten === 0) throw new Error('the disk takes no more bytes')
        written += bytesWritten
      }
      await handle.datasync()
      bytes += part.length
      ms = clock.monotonicMs() - startMs
    }
  } finally {
    await handle.close()
    await rm(file, { force: true })
  }
  return { bytes, ms }
}

/** What a crash may have left. */
export async function removeLeftover(folder: string): Promise<void> {
  await rm(join(folder, FILE_NAME), { force: true })
}
