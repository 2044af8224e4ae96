// Owns the places where the newest samples of each series are collected until they make a chunk: slots in large arrays.
// It refuses nothing; a slot belongs to one series until it is given back.
import type { Samples } from './sample-column.ts'

/** 64 samples pack nearly as well as more, and 120k slots take 123 MB. */
export const OPEN_SAMPLES = 64
export const NO_SLOT = -1
const PAGE_BITS = 10
const SLOTS_A_PAGE = 2 ** PAGE_BITS
const SLOT_MASK = SLOTS_A_PAGE - 1
/** Stamp and value lie side by side, so that one line of memory is touched a sample. */
const SLOT_NUMBERS = OPEN_SAMPLES * 2

export class OpenColumns {
  readonly #free: number[] = []
  readonly #pages: Float64Array[] = []

  get bytes(): number {
    return this.#pages.length * SLOTS_A_PAGE * SLOT_NUMBERS * 8
  }

  take(): number {
    if (this.#free.length === 0) this.#grow()
    return this.#free.pop() ?? NO_SLOT
  }

  give(slot: number): void {
    this.#free.push(slot)
  }

  /** Sample number `at` of a slot. */
  put(slot: number, at: number, timeMs: number, value: number): void {
    const page = this.#pages[slot >>> PAGE_BITS]
    if (page === undefined) return
    const index = (slot & SLOT_MASK) * SLOT_NUMBERS + at * 2
    page[index] = timeMs
    page[index + 1] = value
  }

  /** Copies one sample to the first place; its bits stay, also those of a NaN. */
  readOne(slot: number, at: number, { times, values }: Samples): void {
    const page = this.#pages[slot >>> PAGE_BITS]
    if (page === undefined) return
    const index = (slot & SLOT_MASK) * SLOT_NUMBERS + at * 2
    times[0] = page[index] ?? 0
    values[0] = page[index + 1] ?? 0
  }

  /** The stamp of sample number `at`. */
  peek(slot: number, at: number): number {
    return this.#pages[slot >>> PAGE_BITS]?.[(slot & SLOT_MASK) * SLOT_NUMBERS + at * 2] ?? 0
  }

  /** Copies the first `count` samples of a slot to the places from `into` on. */
  read(slot: number, count: number, times: Float64Array, values: Float64Array, into: number): void {
    const page = this.#pages[slot >>> PAGE_BITS]
    if (page === undefined) return
    const base = (slot & SLOT_MASK) * SLOT_NUMBERS
    // One-element copies of typed arrays keep the bits of a NaN, which tell a stale marker from a plain one.
    for (let at = 0; at < count; at += 1) {
      times[into + at] = page[base + at * 2] ?? 0
      values[into + at] = page[base + at * 2 + 1] ?? 0
    }
  }

  #grow(): void {
    const first = this.#pages.length * SLOTS_A_PAGE
    this.#pages.push(new Float64Array(SLOTS_A_PAGE * SLOT_NUMBERS))
    for (let at = SLOTS_A_PAGE - 1; at >= 0; at -= 1) this.#free.push(first + at)
  }
}
