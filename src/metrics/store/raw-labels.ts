// Owns finding known series by the bytes of their labels as they came: hash, then byte by byte; no strings are made.
// It refuses to trust the hash, and to grow past its limit: what it does not know is found by its label set.
import type { Series } from './series.ts'

const FIRST_ENTRIES = 1024
/** A sender may order labels in its own way, so that a series can have more than one form. */
const FORMS_A_SERIES = 2
const SLAB_FIRST_BYTES = 256 * 1024

export class RawLabels {
  readonly #entriesMax: number
  #series: Series[] = []
  #hashes = new Int32Array(FIRST_ENTRIES)
  #offsets = new Uint32Array(FIRST_ENTRIES)
  #lengths = new Uint32Array(FIRST_ENTRIES)
  /** The entry that followed last time: senders mostly keep their order. */
  #following = new Int32Array(FIRST_ENTRIES).fill(-1)
  /** Entry + 1 by hash, open addressing; twice as long as there are entries, at least. */
  #table = new Int32Array(FIRST_ENTRIES * 2)
  #slab = Buffer.allocUnsafeSlow(SLAB_FIRST_BYTES)
  #slabView = viewOf(this.#slab)
  #slabUsed = 0
  #previous = -1

  constructor(seriesMax: number) {
    this.#entriesMax = seriesMax * FORMS_A_SERIES
  }

  /** The next `find` begins a request. */
  restart(): void {
    this.#previous = -1
  }

  /** The series whose label bytes are `bytes[start..end)`; `view` is on the same bytes. */
  find(view: DataView, start: number, end: number): Series | null {
    const length = end - start
    const guess = this.#previous < 0 ? -1 : (this.#following[this.#previous] ?? -1)
    if (guess >= 0 && this.#equals(guess, view, start, length)) {
      this.#previous = guess
      return this.#series[guess] ?? null
    }
    const hash = hashOf(view, start, end)
    const mask = this.#table.length - 1
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const entry = (this.#table[at] ?? 0) - 1
      if (entry < 0) return null
      if (this.#hashes[entry] !== hash || !this.#equals(entry, view, start, length)) continue
      if (this.#previous >= 0) this.#following[this.#previous] = entry
      this.#previous = entry
      return this.#series[entry] ?? null
    }
  }

  /** Enters what `find` did not know. */
  add(view: DataView, start: number, end: number, series: Series): void {
    if (this.#series.length >= this.#entriesMax) return
    const length = end - start
    const entry = this.#series.length
    this.#reserve(entry, length)
    for (let at = 0; at < length; at += 1) this.#slab[this.#slabUsed + at] = view.getUint8(start + at)
    const hash = hashOf(view, start, end)
    this.#series.push(series)
    this.#hashes[entry] = hash
    this.#offsets[entry] = this.#slabUsed
    this.#lengths[entry] = length
    this.#slabUsed += length
    this.#insert(hash, entry)
    if (this.#previous >= 0) this.#following[this.#previous] = entry
    this.#previous = entry
  }

  /** After series were removed: forms of the others are learnt again as they come. */
  clear(): void {
    this.#series = []
    this.#table.fill(0)
    this.#following.fill(-1)
    this.#slabUsed = 0
    this.#previous = -1
  }

  #equals(entry: number, view: DataView, start: number, length: number): boolean {
    if (this.#lengths[entry] !== length || start + length > view.byteLength) return false
    const known = this.#slabView
    const from = this.#offsets[entry] ?? 0
    let at = 0
    for (; at + 4 <= length; at += 4) {
      if (known.getInt32(from + at, true) !== view.getInt32(start + at, true)) return false
    }
    for (; at < length; at += 1) if (known.getUint8(from + at) !== view.getUint8(start + at)) return false
    return true
  }

  #insert(hash: number, entry: number): void {
    const mask = this.#table.length - 1
    let at = hash & mask
    while ((this.#table[at] ?? 0) !== 0) at = (at + 1) & mask
    this.#table[at] = entry + 1
  }

  #reserve(entry: number, bytes: number): void {
    if (this.#slabUsed + bytes > this.#slab.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(this.#slab.length * 2, this.#slabUsed + bytes))
      larger.set(this.#slab.subarray(0, this.#slabUsed))
      this.#slab = larger
      this.#slabView = viewOf(larger)
    }
    if (entry < this.#hashes.length) return
    const capacity = this.#hashes.length * 2
    const grow = <Column extends Int32Array | Uint32Array>(old: Column, next: Column): Column => {
      next.set(old)
      return next
    }
    this.#hashes = grow(this.#hashes, new Int32Array(capacity))
    this.#offsets = grow(this.#offsets, new Uint32Array(capacity))
    this.#lengths = grow(this.#lengths, new Uint32Array(capacity))
    this.#following = grow(this.#following, new Int32Array(capacity).fill(-1))
    this.#table = new Int32Array(capacity * 2)
    for (let known = 0; known < entry; known += 1) this.#insert(this.#hashes[known] ?? 0, known)
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Murmur's mixing, four bytes at a time. Collisions cost time only: the bytes decide. */
function hashOf(view: DataView, start: number, end: number): number {
  let hash = end - start
  let at = start
  for (; at + 4 <= end; at += 4) {
    let word = Math.imul(view.getInt32(at, true), 0xcc9e2d51)
    word = (word << 15) | (word >>> 17)
    hash ^= Math.imul(word, 0x1b873593)
    hash = Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64
  }
  for (; at < end; at += 1) hash = Math.imul(hash ^ view.getUint8(at), 0x5bd1e995)
  hash ^= hash >>> 16
  hash = Math.imul(hash, 0x85ebca6b)
  hash ^= hash >>> 13
  return hash | 0
}
