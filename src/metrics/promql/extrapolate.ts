// Owns rate, increase and delta over all windows of one series, in one loop without a call or an object a window:
// they are what most graphs ask for. It refuses windows with fewer than two samples: nothing is there at that step.
import type { Row } from './frame.ts'
import type { QueryMeter } from './meter.ts'
import { Cursor, type Windows } from './slide.ts'
import type { LoadedSamples, WindowEnds } from './source.ts'

export interface Extrapolation {
  readonly isCounter: boolean
  readonly isRate: boolean
}

export const EXTRAPOLATIONS: ReadonlyMap<string, Extrapolation> = new Map<string, Extrapolation>([
  ['rate', { isCounter: true, isRate: true }],
  ['increase', { isCounter: true, isRate: false }],
  ['delta', { isCounter: false, isRate: false }],
])

/** Filled again for each window. */
const ends: WindowEnds = { firstMs: 0, first: 0, lastMs: 0, last: 0, count: 0, lost: 0 }

/**
 * The difference between first and last sample, extended to the borders of the window. Where the samples stop further
 * than 1.1 intervals before a border, the series is taken to begin or end half an interval beyond them; a counter is
 * never extended below zero. As extrapolatedRate in Prometheus 3.
 */
export function extrapolate(
  row: Row,
  samples: LoadedSamples,
  { rangeMs, endsMs }: Windows,
  how: Extrapolation,
  meter: QueryMeter,
): void {
  const { times, values } = samples
  const { present, values: out } = row
  const head = new Cursor(times)
  const tail = new Cursor(times)
  const falls = how.isCounter ? new Falls(samples) : null
  for (let step = 0; step < endsMs.length; step += 1) {
    const endMs = endsMs[step] ?? 0
    const to = head.after(endMs)
    const from = tail.after(endMs - rangeMs)
    if (to - from < 2) continue
    ends.firstMs = times[from] ?? 0
    ends.lastMs = times[to - 1] ?? 0
    ends.first = values[from] ?? 0
    ends.last = values[to - 1] ?? 0
    ends.count = to - from
    ends.lost = falls !== null && falls.any ? falls.lost(from, to) : 0
    present[step] = 1
    out[step] = betweenEnds(ends, endMs, rangeMs, how)
  }
  meter.work(endsMs.length)
}

/** Of one window with two samples or more. */
export function betweenEnds(
  { firstMs, first, lastMs, last, count, lost }: WindowEnds,
  endMs: number,
  rangeMs: number,
  { isCounter, isRate }: Extrapolation,
): number {
  let difference = last - first
  if (isCounter) difference += lost
  const sampled = (lastMs - firstMs) / 1000
  const interval = sampled / (count - 1)
  const threshold = interval * 1.1
  let toStart = (firstMs - endMs + rangeMs) / 1000
  let toEnd = (endMs - lastMs) / 1000
  if (toStart >= threshold) toStart = interval / 2
  if (isCounter && difference > 0 && first >= 0) toStart = Math.min(toStart, sampled * (first / difference))
  if (toEnd >= threshold) toEnd = interval / 2
  let factor = (sampled + toStart + toEnd) / sampled
  if (isRate) factor /= rangeMs / 1000
  return difference * factor
}

/** What a counter has lost by resets: it goes on from the first of them inside a window, which never goes back. */
class Falls {
  readonly any: boolean
  readonly #at: readonly number[]
  readonly #values: Float64Array
  #next = 0

  constructor({ values, known }: LoadedSamples) {
    this.#at = known?.falls() ?? fallsOf(values)
    this.#values = values
    this.any = this.#at.length > 0
  }

  lost(from: number, to: number): number {
    const falls = this.#at
    while (this.#next < falls.length && (falls[this.#next] ?? 0) <= from) this.#next += 1
    let lost = 0
    for (let next = this.#next; next < falls.length; next += 1) {
      const at = falls[next] ?? 0
      if (at >= to) break
      lost += this.#values[at - 1] ?? 0
    }
    return lost
  }
}

function fallsOf(values: Float64Array): number[] {
  const falls: number[] = []
  for (let at = 1; at < values.length; at += 1) if ((values[at] ?? 0) < (values[at - 1] ?? 0)) falls.push(at)
  return falls
}
