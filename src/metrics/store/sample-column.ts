// Owns one series' samples in memory: two typed arrays that grow, in ascending time.
// It refuses nothing; the head decides what may enter.

const CAPACITY_FIRST = 16

/** A window on samples; the arrays are valid until the column is next changed, unless stated otherwise. */
export interface Samples {
  readonly times: Float64Array
  readonly values: Float64Array
}

export const NO_SAMPLES: Samples = { times: new Float64Array(0), values: new Float64Array(0) }

export class SampleColumn {
  #times = new Float64Array(CAPACITY_FIRST)
  #values = new Float64Array(CAPACITY_FIRST)
  #start = 0
  #end = 0

  get length(): number {
    return this.#end - this.#start
  }

  time(index: number): number {
    return this.#times[this.#start + index] ?? Number.NaN
  }

  value(index: number): number {
    return this.#values[this.#start + index] ?? Number.NaN
  }

  /** The caller has made sure that `timeMs` is after the last one, or does not care for order. */
  append(timeMs: number, value: number): void {
    this.#reserve()
    this.#times[this.#end] = timeMs
    this.#values[this.#end] = value
    this.#end += 1
  }

  /** Index of the first sample at or after `timeMs`; `length` when there is none. */
  search(timeMs: number): number {
    let low = this.#start
    let high = this.#end
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#times[middle] ?? 0) < timeMs) low = middle + 1
      else high = middle
    }
    return low - this.#start
  }

  insert(index: number, timeMs: number, value: number): void {
    this.#reserve()
    const at = this.#start + index
    this.#times.copyWithin(at + 1, at, this.#end)
    this.#values.copyWithin(at + 1, at, this.#end)
    this.#times[at] = timeMs
    this.#values[at] = value
    this.#end += 1
  }

  remove(index: number): void {
    const at = this.#start + index
    this.#times.copyWithin(at, at + 1, this.#end)
    this.#values.copyWithin(at, at + 1, this.#end)
    this.#end -= 1
  }

  /** Forgets what is older than `timeMs`, and gives memory back when most of it is unused. */
  dropBefore(timeMs: number): void {
    this.#start += this.search(timeMs)
    const capacity = this.#times.length
    if (this.length * 4 < capacity && capacity > CAPACITY_FIRST) {
      this.#move(Math.max(CAPACITY_FIRST, this.length * 2))
    }
  }

  /** Samples with `fromMs <= time <= toMs`, without a copy. */
  between(fromMs: number, toMs: number): Samples {
    const from = this.#start + this.search(fromMs)
    const to = this.#start + this.search(toMs + 1)
    return { times: this.#times.subarray(from, to), values: this.#values.subarray(from, to) }
  }

  /** All samples, without a copy. */
  all(): Samples {
    return {
      times: this.#times.subarray(this.#start, this.#end),
      values: this.#values.subarray(this.#start, this.#end),
    }
  }

  #reserve(): void {
    const capacity = this.#times.length
    if (this.#end < capacity) return
    // A column that drops from its front only needs to be moved there, not to be made larger.
    this.#move(this.#start >= capacity / 2 ? capacity : capacity * 2)
  }

  #move(capacity: number): void {
    const times = new Float64Array(capacity)
    const values = new Float64Array(capacity)
    times.set(this.#times.subarray(this.#start, this.#end))
    values.set(this.#values.subarray(this.#start, this.#end))
    this.#times = times
    this.#values = values
    this.#end -= this.#start
    this.#start = 0
  }
}
