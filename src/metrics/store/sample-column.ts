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
