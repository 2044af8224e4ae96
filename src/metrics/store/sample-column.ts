// Owns lists of samples as two typed arrays in ascending time, and cutting a window out of them.
// It refuses nothing; the store decides what may enter.

/** The arrays are valid until the store is next written to, unless stated otherwise. */
export interface Samples {
  readonly times: Float64Array
  readonly values: Float64Array
}

export const NO_SAMPLES: Samples = { times: new Float64Array(0), values: new Float64Array(0) }

/** Index of the first time at or after `timeMs`; the length when there is none. */
export function searchTime(times: Float64Array, timeMs: number): number {
  let low = 0
  let high = times.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((times[middle] ?? 0) < timeMs) low = middle + 1
    else high = middle
  }
  return low
}

/** Samples with `fromMs <= time <= toMs`, without a copy. */
export function within(samples: Samples, fromMs: number, toMs: number): Samples {
  const { times, values } = samples
  if (times.length === 0) return NO_SAMPLES
  if ((times[0] ?? 0) >= fromMs && (times.at(-1) ?? 0) <= toMs) return samples
  const from = searchTime(times, fromMs)
  const to = searchTime(times, toMs + 1)
  return { times: times.subarray(from, to), values: values.subarray(from, to) }
}

const VIEW_SPAN = 2 ** 26
const VIEWS_MAX = 4096

/** Two columns that grow, to decode into; what stands in them is valid until the next `clear`. */
export class SampleBuffer {
  times: Float64Array = new Float64Array(1024)
  values: Float64Array = new Float64Array(1024)
  length = 0
  readonly #views = new Map<number, Samples>()

  clear(): void {
    this.length = 0
  }

  /** Makes room for `more` samples; gives where they begin. */
  reserve(more: number): number {
    const from = this.length
    const capacity = from + more
    if (capacity > this.times.length) {
      const times = new Float64Array(capacity * 2)
      const values = new Float64Array(capacity * 2)
      times.set(this.times.subarray(0, from))
      values.set(this.values.subarray(0, from))
      this.times = times
      this.values = values
      this.#views.clear()
    }
    this.length = capacity
    return from
  }

  add(samples: Samples): void {
    const from = this.reserve(samples.times.length)
    this.times.set(samples.times, from)
    this.values.set(samples.values, from)
  }

  /** What stands in it with `fromMs <= time <= toMs`; null when its times do not ascend. */
  window(fromMs: number, toMs: number): Samples | null {
    const { times, length } = this
    for (let at = 1; at < length; at += 1) if ((times[at] ?? 0) <= (times[at - 1] ?? 0)) return null
    let from = 0
    let to = length
    while (from < to && (times[from] ?? 0) < fromMs) from += 1
    while (to > from && (times[to - 1] ?? 0) > toMs) to -= 1
    return this.#view(from, to)
  }

  /** Windows of a thousand series mostly lie in the same places: making views takes longer than what is done to them. */
  #view(from: number, to: number): Samples {
    const key = from * VIEW_SPAN + to
    const known = this.#views.get(key)
    if (known !== undefined) return known
    const view = { times: this.times.subarray(from, to), values: this.values.subarray(from, to) }
    if (this.#views.size >= VIEWS_MAX) this.#views.clear()
    this.#views.set(key, view)
    return view
  }

  copy(): Samples {
    return { times: this.times.slice(0, this.length), values: this.values.slice(0, this.length) }
  }
}
