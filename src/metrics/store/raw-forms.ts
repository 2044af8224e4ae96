// Owns finding what is known by its bytes as they came: hash, then byte by byte; no strings are made.
// It refuses to trust the hash, and to grow past its limit: what it does not know has to be read.

const FIRST_ENTRIES = 1024
const SLAB_FIRST_BYTES = 256 * 1024

/** Numbers of an entry that lie together, so that finding it touches one line of memory for all of them. */
const ENTRY = 4
const OFFSET = 0
const LENGTH = 1
/** The entry that followed last time, or -1: senders mostly keep their order. */
const FOLLOWING = 2
const HASH = 3

const EXPECTED_MAX = 64
const LINE_BYTES = 64
const hashes = new Int32Array(EXPECTED_MAX)
const found = new Int32Array(EXPECTED_MAX)
const offsets = new Int32Array(EXPECTED_MAX)

/** Of series by their label sets, or of labels. */
export class RawForms<Known> {
  readonly #entriesMax: number
  #known: Known[] = []
  #entries = new Int32Array(FIRST_ENTRIES * ENTRY)
  /** Pairs of hash and entry + 1, open addressing; twice as many as there are entries, at least. */
  #table = new Int32Array(FIRST_ENTRIES * 4)
  #slab = Buffer.allocUnsafeSlow(SLAB_FIRST_BYTES)
  #slabView = viewOf(this.#slab)
  #slabUsed = 0
  #previous = -1
  /** Nobody reads it: it keeps a compiler from leaving out the loads that it is made of. */
  touched = 0
  /** Forms that did not follow the one before as they did last time. */
  misses = 0

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax
  }

  get isFull(): boolean {
    return this.#known.length >= this.#entriesMax
  }

  /**
   * Gives what will likely be found, by hash alone, of `count` forms; null where there is nothing. In short loops that a
   * processor runs ahead in, so that it waits for many lines of memory at a time: most of finding is waiting for them.
   */
  expect(
    view: DataView,
    starts: Int32Array,
    ends: Int32Array,
    likely: (Known | null)[],
    count: number,
  ): void {
    const table = this.#table
    const mask = table.length - 1
    for (let at = 0; at < count; at += 1) hashes[at] = hashOf(view, starts[at] ?? 0, ends[at] ?? 0)
    for (let at = 0; at < count; at += 1) {
      const hash = hashes[at] ?? 0
      let slot = (hash * 2) & mask
      while ((table[slot + 1] ?? 0) !== 0 && table[slot] !== hash) slot = (slot + 2) & mask
      found[at] = (table[slot + 1] ?? 0) - 1
    }
    const entries = this.#entries
    for (let at = 0; at < count; at += 1)
      offsets[at] = entries[Math.max(found[at] ?? 0, 0) * ENTRY + OFFSET] ?? 0
    const slab = this.#slab
    let sum = 0
    for (let at = 0; at < count; at += 1) {
      const from = offsets[at] ?? 0
      sum += (slab[from] ?? 0) + (slab[from + LINE_BYTES] ?? 0)
    }
    this.touched = sum
    const known = this.#known
    for (let at = 0; at < count; at += 1) {
      const entry = found[at] ?? -1
      likely[at] = entry < 0 ? null : (known[entry] ?? null)
    }
  }

  /** The next `find` begins a request. */
  restart(): void {
    this.#previous = -1
  }

  /** What has been entered with the bytes `view[start..end)`. */
  find(view: DataView, start: number, end: number): Known | null {
    const length = end - start
    const entries = this.#entries
    const previous = this.#previous
    const guess = previous < 0 ? -1 : (entries[previous * ENTRY + FOLLOWING] ?? -1)
    if (guess >= 0 && this.#equals(guess, view, start, length)) {
      this.#previous = guess
      return this.#known[guess] ?? null
    }
    this.misses += 1
    const table = this.#table
    const mask = table.length - 1
    const hash = hashOf(view, start, end)
    for (let at = (hash * 2) & mask; ; at = (at + 2) & mask) {
      const entry = (table[at + 1] ?? 0) - 1
      if (entry < 0) return null
      if (table[at] !== hash || !this.#equals(entry, view, start, length)) continue
      if (previous >= 0) entries[previous * ENTRY + FOLLOWING] = entry
      this.#previous = entry
      return this.#known[entry] ?? null
    }
  }

  /** Enters what `find` did not know. */
  add(view: DataView, start: number, end: number, known: Known): void {
    if (this.isFull) return
    const length = end - start
    const entry = this.#known.length
    this.#reserve(entry, length)
    this.#slab.set(new Uint8Array(view.buffer, view.byteOffset + start, length), this.#slabUsed)
    const hash = hashOf(view, start, end)
    this.#known.push(known)
    this.#entries.set([this.#slabUsed, length, -1, hash], entry * ENTRY)
    this.#slabUsed += length
    this.#insert(hash, entry)
    if (this.#previous >= 0) this.#entries[this.#previous * ENTRY + FOLLOWING] = entry
    this.#previous = entry
  }

  /** What was known is learnt again as it comes. */
  clear(): void {
    this.#known = []
    this.#table.fill(0)
    this.#slabUsed = 0
    this.#previous = -1
  }

  #equals(entry: number, view: DataView, start: number, length: number): boolean {
    const entries = this.#entries
    if (entries[entry * ENTRY + LENGTH] !== length || start + length > view.byteLength) return false
    const slab = this.#slabView
    const from = entries[entry * ENTRY + OFFSET] ?? 0
    let at = 0
    for (; at + 8 <= length; at += 8) {
      const differ =
        (slab.getInt32(from + at, true) ^ view.getInt32(start + at, true)) |
        (slab.getInt32(from + at + 4, true) ^ view.getInt32(start + at + 4, true))
      if (differ !== 0) return false
    }
    for (; at < length; at += 1) if (slab.getUint8(from + at) !== view.getUint8(start + at)) return false
    return true
  }

  #insert(hash: number, entry: number): void {
    const table = this.#table
    const mask = table.length - 1
    let at = (hash * 2) & mask
    while ((table[at + 1] ?? 0) !== 0) at = (at + 2) & mask
    table[at] = hash
    table[at + 1] = entry + 1
  }

  #reserve(entry: number, bytes: number): void {
    if (this.#slabUsed + bytes > this.#slab.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(this.#slab.length * 2, this.#slabUsed + bytes))
      larger.set(this.#slab.subarray(0, this.#slabUsed))
      this.#slab = larger
      this.#slabView = viewOf(larger)
    }
    if ((entry + 1) * ENTRY <= this.#entries.length) return
    const larger = new Int32Array(this.#entries.length * 2)
    larger.set(this.#entries)
    this.#entries = larger
    this.#table = new Int32Array(larger.length)
    for (let known = 0; known < entry; known += 1) this.#insert(larger[known * ENTRY + HASH] ?? 0, known)
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Two chains of multiplications, which a processor works on at the same time. Collisions cost time only: the bytes decide. */
function hashOf(view: DataView, start: number, end: number): number {
  let one = end - start
  let two = 0x1b873593
  let at = start
  for (; at + 8 <= end; at += 8) {
    one = Math.imul(one ^ view.getInt32(at, true), 0xcc9e2d51 | 0)
    two = Math.imul(two ^ view.getInt32(at + 4, true), 0x85ebca6b | 0)
    // What differs in high bits alone must reach the low ones before the next word comes.
    one ^= one >>> 15
    two ^= two >>> 13
  }
  for (; at < end; at += 1) one = Math.imul(one ^ view.getUint8(at), 0x5bd1e995)
  let hash = Math.imul(one, 0x9e3779b1 | 0) ^ two
  hash ^= hash >>> 16
  hash = Math.imul(hash, 0x85ebca6b | 0)
  hash ^= hash >>> 13
  return hash | 0
}
