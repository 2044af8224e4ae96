// Owns filling the cache with the beginnings of titles, as their first viewers will ask for them, within bounds.
import type { Clock } from '#base'
import type { CheckOrder } from '#wire'
import type { ObjectCache } from '../cache/object-cache.ts'
import { keysOf, readWhole, renditionsOf } from './read-title.ts'

export interface Warmth {
  /** Of media; playlists are small. */
  bytes: number
  objects: number
  titles: number
  readonly titlesOf: number
}

export interface WarmOptions {
  readonly cache: ObjectCache
  readonly order: CheckOrder['warm']
  readonly clock: Clock
  readonly mayGoOn: () => boolean
  readonly onProgress: (warmth: Warmth) => void
}

/** The most watched first; what does not fit any more is left out. Throws the fault of the first title that fails. */
export async function warmCache({ cache, order, clock, mayGoOn, onProgress }: WarmOptions): Promise<Warmth> {
  const endMs = clock.monotonicMs() + order.msMax
  const warmth: Warmth = { bytes: 0, objects: 0, titles: 0, titlesOf: order.titles.length }
  const hasRoom = (): boolean => warmth.bytes < order.bytesMax && clock.monotonicMs() < endMs && mayGoOn()
  for (const title of order.titles) {
    if (!hasRoom()) break
    for (const playlist of await renditionsOf(cache, title)) {
      if (!hasRoom()) return warmth
      const { init, segments } = await keysOf(cache, playlist)
      const keys = [...(init === null ? [] : [init]), ...segments.slice(0, order.segments)]
      for (const key of keys) {
        if (!hasRoom()) return warmth
        warmth.bytes += (await readWhole(cache, key, true)).length
        warmth.objects += 1
        onProgress(warmth)
      }
    }
    warmth.titles += 1
    onProgress(warmth)
  }
  return warmth
}
