// Owns the places where the newest samples of each series are collected until they make a chunk: slots in large arrays.
// It refuses nothing; a slot belongs to one series until it is given back.

/** Two cache lines are touched a sample; 64 samples pack nearly as well as more, and 120k slots take 123 MB. */
export const OPEN_SAMPLES = 64
const SLOTS_A_PAGE = 1024

export interface OpenPage {
  readonly times: Float64Array
  readonly values: Float64Array
}

export interface Slot {
  readonly page: OpenPage
  /** Index of the first sample of the slot in the arrays of the page. */
  readonly base: number
}

export class OpenColumns {
  readonly #free: Slot[] = []
  #pages = 0

  get bytes(): number {
    return this.#pages * SLOTS_A_PAGE * OPEN_SAMPLES * 16
  }

  take(): Slot {
    if (this.#free.length === 0) this.#grow()
    const slot = this.#free.pop()
    if (slot === undefined) throw new Error('a page of slots has slots')
    return slot
  }

  give(slot: Slot): void {
    this.#free.push(slot)
  }

  #grow(): void {
    this.#pages += 1
    const samples = SLOTS_A_PAGE * OPEN_SAMPLES
    const page = { times: new Float64Array(samples), values: new Float64Array(samples) }
    for (let at = SLOTS_A_PAGE - 1; at >= 0; at -= 1) this.#free.push({ page, base: at * OPEN_SAMPLES })
  }
}
