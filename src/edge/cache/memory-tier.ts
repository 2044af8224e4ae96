// Owns the hot objects: whole, in memory, least recently used out first, bounded by bytes.
import type { StoredObject } from './stored.ts'

/** Bookkeeping of an entry besides its bytes: map slot, object, strings. */
const ENTRY_BYTES = 512
/** An object that would push out more than a quarter of all others is not kept. */
const OBJECT_SHARE_MAX = 0.25

/** Least-recently-used map. Not kept objects are simply missed later. */
export class MemoryTier {
  readonly #bytesMax: number
  readonly #objects = new Map<string, StoredObject>()
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  get(key: string): StoredObject | null {
    const object = this.#objects.get(key)
    if (object === undefined) return null
    // A Map keeps the order of insertion: what is put in again is the youngest.
    this.#objects.delete(key)
    this.#objects.set(key, object)
    return object
  }

  put(object: StoredObject): void {
    this.remove(object.key)
    const bytes = cost(object)
    if (bytes > this.#bytesMax * OBJECT_SHARE_MAX) return
    this.#objects.set(object.key, object)
    this.#bytes += bytes
    while (this.#bytes > this.#bytesMax) {
      const oldest = this.#objects.keys().next()
      if (oldest.done === true) return
      this.remove(oldest.value)
    }
  }

  remove(key: string): void {
    const object = this.#objects.get(key)
    if (object === undefined) return
    this.#objects.delete(key)
    this.#bytes -= cost(object)
  }
}

function cost(object: StoredObject): number {
  // The buffer under `whole` has room for a head of full size.
  return object.whole.buffer.byteLength + ENTRY_BYTES
}
