// Owns sliding a window over the samples of one series. It refuses to go back: the ends of the windows never fall.
import { isStale } from '../stale.ts'
import type { Row } from './frame.ts'
import type { QueryMeter } from './meter.ts'
import { newWindow, type RangeFunction } from './range-functions.ts'
import type { LoadedSamples } from './source.ts'

export interface Windows {
  readonly rangeMs: number
  /** Where each window ends, and the instant of evaluation that it is for; they differ under an offset. */
  readonly endsMs: Float64Array
  readonly stepsMs: (step: number) => number
  /** The scalar argument at each step. */
  readonly parameters: Float64Array | null
}

export function slide(
  row: Row,
  samples: LoadedSamples,
  windows: Windows,
  apply: RangeFunction,
  meter: QueryMeter,
): void {
  const { times } = samples
  const { rangeMs, endsMs, parameters, stepsMs } = windows
  const window = newWindow(samples)
  const head = new Cursor(times)
  const tail = new Cursor(times)
  for (let step = 0; step < endsMs.length; step += 1) {
    const endMs = endsMs[step] ?? 0
    window.to = head.after(endMs)
    window.from = tail.after(endMs - rangeMs)
    meter.work(window.to - window.from + 1)
    if (window.from === window.to) continue
    window.startMs = endMs - rangeMs
    window.endMs = endMs
    window.stepMs = stepsMs(step)
    window.parameter = parameters === null ? Number.NaN : (parameters[step] ?? Number.NaN)
    const value = apply(window)
    if (value === null) continue
    row.present[step] = 1
    row.values[step] = value
  }
}

/**
 * Finds the first sample after a time that only grows. It tries as many samples further on as the last time: stamps
 * are mostly regular, so that the guess is mostly right and no sample in between is looked at. A wrong guess costs at
 * most as many steps as were saved before.
 */
export class Cursor {
  readonly #times: Float64Array
  #at = 0
  #stride = 0

  constructor(times: Float64Array) {
    this.#times = times
  }

  after(timeMs: number): number {
    const times = this.#times
    const before = this.#at
    let at = Math.min(before + this.#stride, times.length)
    while (at > before && (times[at - 1] ?? 0) > timeMs) at -= 1
    while (at < times.length && (times[at] ?? 0) <= timeMs) at += 1
    this.#stride = at - before
    this.#at = at
    return at
  }
}

/** Stale markers are no samples of a range. Most series have none and are not copied. */
export function withoutStale(samples: LoadedSamples): LoadedSamples {
  const { times, values, known } = samples
  if (known !== undefined && !known.hasNan) return samples
  let stale = 0
  for (let at = 0; at < values.length; at += 1) {
    const value = values[at] ?? 0
    if (value !== value && isStale(value)) stale += 1
  }
  if (stale === 0) return samples
  const kept = {
    times: new Float64Array(values.length - stale),
    values: new Float64Array(values.length - stale),
  }
  let length = 0
  for (let at = 0; at < values.length; at += 1) {
    const value = values[at] ?? 0
    if (value !== value && isStale(value)) continue
    kept.times[length] = times[at] ?? 0
    kept.values[length++] = value
  }
  return kept
}

export function fillInstants(
  row: Row,
  { times, values }: LoadedSamples,
  references: Float64Array,
  lookbackMs: number,
  asTimestamps: boolean,
): void {
  const cursor = new Cursor(times)
  for (let step = 0; step < references.length; step += 1) {
    const referenceMs = references[step] ?? 0
    const next = cursor.after(referenceMs)
    if (next === 0) continue
    const timeMs = times[next - 1] ?? 0
    const value = values[next - 1] ?? 0
    if (timeMs <= referenceMs - lookbackMs || isStale(value)) continue
    row.present[step] = 1
    row.values[step] = asTimestamps ? timeMs / 1000 : value
  }
}

/** What lies in the window that ends at `toMs`. */
export function slice({ times, values }: LoadedSamples, afterMs: number, toMs: number): LoadedSamples {
  let from = 0
  let to = times.length
  while (from < to && (times[from] ?? 0) <= afterMs) from += 1
  while (to > from && (times[to - 1] ?? 0) > toMs) to -= 1
  return { times: times.slice(from, to), values: values.slice(from, to) }
}
