// Owns double_exponential_smoothing, which Prometheus 2 called holt_winters: the last value of a window, smoothed with its
// trend. It refuses factors outside of 0..1. See https://prometheus.io/docs/prometheus/latest/querying/functions/
import type { Grid } from './frame.ts'
import type { RangeFunction, Window } from './range-functions.ts'
import { executionFault } from './syntax-fault.ts'

/** The smoothing factor comes with the window, the trend factor is given for each step of the grid. */
export function smoothing(trends: Float64Array, { startMs, stepMs }: Grid): RangeFunction {
  return window => {
    const step = Math.round((window.stepMs - startMs) / stepMs)
    return smoothed(window, factor('smoothing', window.parameter), factor('trend', trends[step] ?? 0))
  }
}

function factor(name: string, value: number): number {
  // Written so that NaN passes, as in Prometheus: the answer is then NaN.
  if (value <= 0 || value >= 1)
    throw executionFault(`invalid ${name} factor: expected 0 < f < 1, got ${value}`)
  return value
}

function smoothed({ values, from, to }: Window, level: number, trend: number): number | null {
  if (to - from < 2) return null
  let estimate = values[from] ?? 0
  let slope = (values[from + 1] ?? 0) - estimate
  for (let at = from + 1; at < to; at += 1) {
    const next = level * (values[at] ?? 0) + (1 - level) * (estimate + slope)
    // The slope for the sample after this one; there is none after the last.
    slope = trend * (next - estimate) + (1 - trend) * slope
    estimate = next
  }
  return estimate
}
