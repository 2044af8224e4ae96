// Owns what playlists in the cache's memory say of a segment: its length and its nominal bitrate. It asks nobody: what
// is not in memory is not known.
import { readMedia, readMultivariant } from '#media'
import { bodyOf, type StoredObject } from '../cache/stored.ts'
import type { ObjectFacts } from './requests.ts'

const KEPT_MAX = 512
const nothing: ObjectFacts = { mediaS: null, bitrateBps: null }

interface Read<Value> {
  /** The object that was read: another one is another playlist. */
  readonly of: Buffer
  readonly value: Value
}

export class PlaylistFacts {
  readonly #held: (key: string) => StoredObject | null
  /** Lengths by name of the segment, by folder. */
  readonly #lengths = new Map<string, Read<ReadonlyMap<string, number>>>()
  /** Bits a second by rendition, by title. */
  readonly #bitrates = new Map<string, Read<ReadonlyMap<string, number>>>()

  constructor(held: (key: string) => StoredObject | null) {
    this.#held = held
  }

  /** `key`: `/vod/{title}/{revision}/{rendition}/{number}.m4s`. */
  of = (key: string): ObjectFacts => {
    const [, , title, , rendition, name] = key.split('/')
    if (title === undefined || rendition === undefined || name === undefined) return nothing
    const folder = key.slice(0, -name.length)
    const lengths = this.#read(this.#lengths, `${folder}index.m3u8`, lengthsOf)
    const bitrates = this.#read(this.#bitrates, `/vod/${title}/master.m3u8`, bitratesOf)
    return { mediaS: lengths?.get(name) ?? null, bitrateBps: bitrates?.get(rendition) ?? null }
  }

  #read<Value>(kept: Map<string, Read<Value>>, key: string, read: (text: string) => Value): Value | null {
    const object = this.#held(key)
    if (object === null) return kept.get(key)?.value ?? null
    const before = kept.get(key)
    if (before !== undefined && before.of === object.whole) return before.value
    try {
      const value = read(bodyOf(object).toString('utf8'))
      if (kept.size >= KEPT_MAX) kept.clear()
      kept.set(key, { of: object.whole, value })
      return value
    } catch {
      return null // not a playlist: players will say so
    }
  }
}

function lengthsOf(text: string): ReadonlyMap<string, number> {
  return new Map(readMedia(text).segments.map(({ uri, durationS }) => [lastName(uri), durationS]))
}

function bitratesOf(text: string): ReadonlyMap<string, number> {
  const variants = readMultivariant(text).variants
  return new Map(
    variants.map(({ uri, bandwidth }) => [uri.split('?', 1)[0]?.split('/').at(-2) ?? '', bandwidth]),
  )
}

function lastName(uri: string): string {
  return uri.split('?', 1)[0]?.split('/').at(-1) ?? ''
}
