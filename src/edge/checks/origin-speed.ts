// Owns measuring the way to the origin: real segments, fetched past the cache, within bounds of bytes and time.
import type { Clock } from '#base'
import type { ObjectCache } from '../cache/object-cache.ts'
import type { OriginClient } from '../upstream/origin-client.ts'
import { keysOf, renditionsOf } from './read-title.ts'

export interface OriginSpeed {
  readonly bytes: number
  /** From asking to the last byte, over all segments. */
  readonly ms: number
  /** The middle one. */
  readonly firstByteMs: number
}

export interface OriginSpeedOptions {
  readonly cache: ObjectCache
  readonly origin: OriginClient
  readonly title: string
  readonly bytesMax: number
  readonly msMax: number
  readonly clock: Clock
}

/** One after the other, as the first viewer of a cold title would have them. Throws the fault that was met. */
export async function measureOrigin(options: OriginSpeedOptions): Promise<OriginSpeed> {
  const { cache, origin, title, bytesMax, msMax, clock } = options
  const [best] = await renditionsOf(cache, title)
  const { segments } = best === undefined ? { segments: [] } : await keysOf(cache, best)
  if (segments.length === 0) throw new Error(`${title} has no segments`)
  const endMs = clock.monotonicMs() + msMax
  const firstBytes: number[] = []
  let bytes = 0
  let ms = 0
  for (const key of segments) {
    const leftMs = endMs - clock.monotonicMs()
    if (bytes >= bytesMax || (leftMs <= 0 && bytes > 0)) break
    const piece = await origin.measure(key, { bytesMax: bytesMax - bytes, msMax: Math.max(1, leftMs), clock })
    bytes += piece.bytes
    ms += piece.ms
    firstBytes.push(piece.firstByteMs)
    if (piece.isCut) break
  }
  const middle = firstBytes.toSorted((a, b) => a - b)[Math.floor(firstBytes.length / 2)] ?? 0
  return { bytes, ms, firstByteMs: middle }
}
