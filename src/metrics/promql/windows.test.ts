import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { systemClock } from '#base'
import { isStale, staleMarker } from '../stale.ts'
import { EXTRAPOLATIONS, extrapolate } from './extrapolate.ts'
import { newRow } from './frame.ts'
import { QueryMeter } from './meter.ts'
import { RANGE_FUNCTIONS } from './range-functions.ts'
import { slide, withoutStale } from './slide.ts'

interface Sample {
  readonly timeMs: number
  readonly value: number
}

/** The samples of one window, at least one, and its borders; null where nothing is. */
type Model = (window: readonly Sample[], startMs: number, endMs: number) => number | null

function pairs(window: readonly Sample[]): [before: number, after: number][] {
  return window.slice(1).map(({ value }, at): [number, number] => [window[at]?.value ?? 0, value])
}

function grown(window: readonly Sample[], isCounter: boolean): number {
  let difference = (window.at(-1)?.value ?? 0) - (window[0]?.value ?? 0)
  if (isCounter) for (const [before, after] of pairs(window)) if (after < before) difference += before
  return difference
}

/** As the documentation of Prometheus words it: the growth between the samples, stretched to the window. */
function stretched(isCounter: boolean, isRate: boolean): Model {
  return (window, startMs, endMs) => {
    const [first] = window
    const last = window.at(-1)
    if (window.length < 2 || first === undefined || last === undefined) return null
    const difference = grown(window, isCounter)
    const sampledMs = last.timeMs - first.timeMs
    const intervalMs = sampledMs / (window.length - 1)
    let beforeMs = first.timeMs - startMs
    let afterMs = endMs - last.timeMs
    if (beforeMs >= intervalMs * 1.1) beforeMs = intervalMs / 2
    if (isCounter && difference > 0 && first.value >= 0) {
      beforeMs = Math.min(beforeMs, (sampledMs * first.value) / difference)
    }
    if (afterMs >= intervalMs * 1.1) afterMs = intervalMs / 2
    const whole = (difference * (sampledMs + beforeMs + afterMs)) / sampledMs
    return isRate ? whole / ((endMs - startMs) / 1000) : whole
  }
}

function extreme(isBetter: (value: number, best: number) => boolean): Model {
  return window =>
    window
      .map(one => one.value)
      .reduce((best, value) => (Number.isNaN(best) || isBetter(value, best) ? value : best))
}

const MODELS: Readonly<Record<string, Model>> = {
  rate: stretched(true, true),
  increase: stretched(true, false),
  delta: stretched(false, false),
  count_over_time: window => window.length,
  present_over_time: () => 1,
  last_over_time: window => window.at(-1)?.value ?? 0,
  max_over_time: extreme((value, best) => value > best),
  min_over_time: extreme((value, best) => value < best),
  sum_over_time: window => window.reduce((sum, { value }) => sum + value, 0),
  avg_over_time: window => window.reduce((sum, { value }) => sum + value, 0) / window.length,
  changes: window => pairs(window).filter(pair => !Object.is(...pair) && pair[0] !== pair[1]).length,
  resets: window => pairs(window).filter(([before, after]) => after < before).length,
  idelta: window => {
    const last = pairs(window).at(-1)
    return last === undefined ? null : last[1] - last[0]
  },
  irate: window => {
    const last = pairs(window).at(-1)
    if (last === undefined) return null
    const spanMs = (window.at(-1)?.timeMs ?? 0) - (window.at(-2)?.timeMs ?? 0)
    return ((last[1] < last[0] ? last[1] : last[1] - last[0]) * 1000) / spanMs
  },
}

/** By the code that queries run. */
function evaluated(
  name: string,
  samples: readonly Sample[],
  rangeMs: number,
  ends: readonly number[],
): (number | null)[] {
  const row = newRow({}, ends.length)
  const endsMs = Float64Array.from(ends)
  const windows = { rangeMs, endsMs, stepsMs: (step: number) => endsMs[step] ?? 0, parameters: null }
  const meter = new QueryMeter({ clock: systemClock })
  const loaded = withoutStale({
    times: Float64Array.from(samples, one => one.timeMs),
    values: Float64Array.from(samples, one => one.value),
  })
  const extrapolation = EXTRAPOLATIONS.get(name)
  const range = RANGE_FUNCTIONS.get(name)
  if (extrapolation !== undefined) extrapolate(row, loaded, windows, extrapolation, meter)
  else if (range !== undefined) slide(row, loaded, windows, range, meter)
  else throw new Error(`no function ${name}`)
  return ends.map((_, step) => (row.present[step] === 1 ? (row.values[step] ?? 0) : null))
}

/** By looking at each window alone. */
function modelled(
  name: string,
  samples: readonly Sample[],
  rangeMs: number,
  ends: readonly number[],
): (number | null)[] {
  return ends.map(endMs => {
    const startMs = endMs - rangeMs
    const window = samples.filter(
      ({ timeMs, value }) => timeMs > startMs && timeMs <= endMs && !isStale(value),
    )
    return window.length === 0 ? null : (MODELS[name]?.(window, startMs, endMs) ?? null)
  })
}

const value = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 40 }) },
  { weight: 2, arbitrary: fc.integer({ min: -40, max: 40 }).map(number => number / 8) },
  { weight: 1, arbitrary: fc.constantFrom(Number.NaN, -0, Infinity, -Infinity) },
  { weight: 1, arbitrary: fc.constant(null) },
)
const gap = fc.oneof(fc.constant(1000), fc.integer({ min: 1, max: 30_000 }))
const series = fc.array(fc.tuple(gap, value), { maxLength: 60, size: 'max' }).map(steps => {
  let timeMs = 100_000
  // Null stands for a stale marker, whose bits not every operation keeps.
  return steps.map(
    ([gapMs, number]): Sample => ({ timeMs: (timeMs += gapMs), value: number ?? staleMarker() }),
  )
})

describe('a function over windows', () => {
  it.each(Object.keys(MODELS))('%s gives what each window by itself gives', name => {
    fc.assert(
      fc.property(
        series,
        fc.integer({ min: 1, max: 40_000 }),
        fc.integer({ min: 1, max: 20_000 }),
        fc.integer({ min: 90_000, max: 200_000 }),
        (samples, rangeMs, stepMs, fromMs) => {
          const ends = Array.from({ length: 40 }, (_, step) => fromMs + step * stepMs)
          const got = evaluated(name, samples, rangeMs, ends)
          const expected = modelled(name, samples, rangeMs, ends)
          for (const [step, wanted] of expected.entries()) {
            if (wanted === null || !Number.isFinite(wanted)) expect(got[step]).toEqual(wanted)
            else expect(got[step]).toBeCloseTo(wanted, 6)
          }
        },
      ),
      { numRuns: 300 },
    )
  })
})
