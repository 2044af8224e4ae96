// Owns the functions of a range vector: one number from the samples of one window, which is open on the left. rate,
// increase and delta stand in extrapolate.ts.
// It refuses windows with too few samples by giving null: the series is then absent at that step.
import { countOf, maxOf, meanOf, minOf, quantileOf, type Reducer, sumOf, varianceOverTime } from './reduce.ts'
import type { LoadedSamples } from './source.ts'

/** Samples `from..to` of the arrays lie in the window `(startMs, endMs]`; there is at least one. */
export interface Window {
  readonly times: Float64Array
  readonly values: Float64Array
  from: number
  to: number
  startMs: number
  endMs: number
  /** The instant of evaluation; differs from `endMs` under an offset. */
  stepMs: number
  /** The scalar argument at this step. */
  parameter: number
}

/** A window that is slid over one series; it only moves forward. */
export function newWindow({ times, values }: LoadedSamples): Window {
  return {
    times,
    values,
    from: 0,
    to: 0,
    startMs: 0,
    endMs: 0,
    stepMs: 0,
    parameter: 0,
  }
}

export type RangeFunction = (window: Window) => number | null

/** irate and idelta: the last two samples alone. */
function instant({ times, values, from, to }: Window, isRate: boolean): number | null {
  if (to - from < 2) return null
  const last = values[to - 1] ?? 0
  const previous = values[to - 2] ?? 0
  if (!isRate) return last - previous
  // After a reset the counter has grown by what it shows.
  const grown = last < previous ? last : last - previous
  return grown / (((times[to - 1] ?? 0) - (times[to - 2] ?? 0)) / 1000)
}

/** Least squares over the window; x is seconds from `originMs`. */
function regression(window: Window, originMs: number): { slope: number; intercept: number } | null {
  const { times, values, from, to } = window
  const count = to - from
  if (count < 2) return null
  const first = values[from] ?? 0
  let constant = true
  const xs = new Float64Array(count)
  const products = new Float64Array(count)
  const squares = new Float64Array(count)
  for (let index = 0; index < count; index += 1) {
    const x = ((times[from + index] ?? 0) - originMs) / 1000
    const y = values[from + index] ?? 0
    if (y !== first) constant = false
    xs[index] = x
    products[index] = x * y
    squares[index] = x * x
  }
  if (constant) {
    return Number.isFinite(first)
      ? { slope: 0, intercept: first }
      : { slope: Number.NaN, intercept: Number.NaN }
  }
  const sumX = sumOf(xs, 0, count)
  const sumY = sumOf(values, from, to)
  const covariance = sumOf(products, 0, count) - (sumX * sumY) / count
  const variance = sumOf(squares, 0, count) - (sumX * sumX) / count
  const slope = covariance / variance
  return { slope, intercept: sumY / count - (slope * sumX) / count }
}

function deriv(window: Window): number | null {
  // Times count from the first sample, so that large numbers do not eat the digits.
  return regression(window, window.times[window.from] ?? 0)?.slope ?? null
}

function predictLinear(window: Window): number | null {
  const line = regression(window, window.stepMs)
  return line === null ? null : line.slope * window.parameter + line.intercept
}

function countPairs(window: Window, differs: (value: number, previous: number) => boolean): number {
  let count = 0
  for (let at = window.from + 1; at < window.to; at += 1) {
    if (differs(window.values[at] ?? 0, window.values[at - 1] ?? 0)) count += 1
  }
  return count
}

function isChange(value: number, previous: number): boolean {
  return value !== previous && !(Number.isNaN(value) && Number.isNaN(previous))
}

function over(reducer: Reducer): RangeFunction {
  return ({ values, from, to }) => reducer(values, from, to)
}

export const RANGE_FUNCTIONS: ReadonlyMap<string, RangeFunction> = new Map<string, RangeFunction>([
  ['irate', window => instant(window, true)],
  ['idelta', window => instant(window, false)],
  ['deriv', deriv],
  ['predict_linear', predictLinear],
  ['changes', window => countPairs(window, isChange)],
  ['resets', window => countPairs(window, (value, previous) => value < previous)],
  ['avg_over_time', over(meanOf)],
  ['min_over_time', over(minOf)],
  ['max_over_time', over(maxOf)],
  ['sum_over_time', over(sumOf)],
  ['count_over_time', over(countOf)],
  ['stddev_over_time', over((values, from, to) => Math.sqrt(varianceOverTime(values, from, to)))],
  ['stdvar_over_time', over(varianceOverTime)],
  ['last_over_time', ({ values, to }) => values[to - 1] ?? 0],
  ['present_over_time', () => 1],
  ['quantile_over_time', ({ parameter, values, from, to }) => quantileOf(parameter, values, from, to)],
])
