import { describe, expect, it } from 'vitest'
import { systemClock } from '#base'
import { EXTRAPOLATIONS, extrapolate } from './extrapolate.ts'
import { newRow } from './frame.ts'
import { QueryMeter } from './meter.ts'
import { RANGE_FUNCTIONS, type Window } from './range-functions.ts'

/** Applies a function to samples [seconds, value] in a window of seconds. */
function apply(
  name: string,
  pairs: readonly (readonly [number, number])[],
  startS: number,
  endS: number,
): number | null {
  const window: Window = {
    times: Float64Array.from(pairs, ([seconds]) => seconds * 1000),
    values: Float64Array.from(pairs, ([, value]) => value),
    from: 0,
    to: pairs.length,
    startMs: startS * 1000,
    endMs: endS * 1000,
    stepMs: endS * 1000,
    parameter: Number.NaN,
  }
  const extrapolation = EXTRAPOLATIONS.get(name)
  if (extrapolation !== undefined) {
    const row = newRow({}, 1)
    const endsMs = Float64Array.of(window.endMs)
    const windows = { rangeMs: window.endMs - window.startMs, endsMs, stepsMs: () => 0, parameters: null }
    extrapolate(row, window, windows, extrapolation, new QueryMeter({ clock: systemClock }))
    return row.present[0] === 1 ? (row.values[0] ?? null) : null
  }
  const range = RANGE_FUNCTIONS.get(name)
  if (range === undefined) throw new Error(`no function ${name}`)
  return range(window)
}

describe('rate', () => {
  it('is extended to the borders of the window when they are near', () => {
    const steady = [10, 20, 30, 40, 50].map((seconds): [number, number] => [seconds, 1000 + seconds * 2])
    expect(apply('rate', steady, 0, 60)).toBeCloseTo(2, 12)
    expect(apply('increase', steady, 0, 60)).toBeCloseTo(120, 12)
    expect(apply('delta', steady, 0, 60)).toBeCloseTo(120, 12)
  })

  it('is extended by half an interval when the series begins or ends inside', () => {
    // 20 s sampled, 5 s on each side: 40 * 30 / 20.
    expect(
      apply(
        'increase',
        [
          [30, 1000],
          [40, 1020],
          [50, 1040],
        ],
        0,
        100,
      ),
    ).toBeCloseTo(60, 12)
  })

  it('is never extended below zero', () => {
    // The counter was 0 one second before its first sample, nearer than the 5 s of half an interval.
    expect(
      apply(
        'increase',
        [
          [30, 2],
          [40, 22],
          [50, 42],
        ],
        0,
        50,
      ),
    ).toBeCloseTo(42, 12)
    // Prometheus 3 limits the extension to half an interval first: 2.42 would go back 8 s here, to zero.
    expect(
      apply(
        'increase',
        [
          [30, 16],
          [40, 36],
          [50, 56],
        ],
        0,
        50,
      ),
    ).toBeCloseTo(50, 12)
    // A gauge may well have been below.
    expect(
      apply(
        'delta',
        [
          [30, 2],
          [40, 22],
          [50, 42],
        ],
        0,
        50,
      ),
    ).toBeCloseTo(50, 12)
  })

  it('counts a reset as a start from zero', () => {
    const reset: [number, number][] = [
      [10, 1000],
      [20, 1010],
      [30, 4],
      [40, 10],
    ]
    expect(apply('increase', reset, 5, 45)).toBeCloseTo((20 * 40) / 30, 12)
    expect(apply('delta', reset, 5, 45)).toBeCloseTo((-990 * 40) / 30, 9)
    expect(apply('resets', reset, 5, 45)).toBe(1)
    expect(apply('irate', reset.slice(0, 3), 5, 35)).toBeCloseTo(0.4, 12)
  })

  it('needs two samples', () => {
    for (const name of ['rate', 'increase', 'delta', 'irate', 'idelta', 'deriv', 'predict_linear']) {
      expect(apply(name, [[10, 1]], 0, 60)).toBeNull()
    }
  })

  it('is not a number when a sample is not', () => {
    expect(
      apply(
        'rate',
        [
          [10, 1],
          [20, Number.NaN],
        ],
        0,
        30,
      ),
    ).toBeNaN()
  })
})

describe('functions over time', () => {
  const values: [number, number][] = [
    [1, 3],
    [2, Number.NaN],
    [3, -1],
    [4, 7],
  ]

  it.each([
    ['min_over_time', -1],
    ['max_over_time', 7],
    ['sum_over_time', Number.NaN],
    ['count_over_time', 4],
    ['last_over_time', 7],
    ['present_over_time', 1],
    ['changes', 3],
  ])('%s takes NaN as Prometheus does', (name, expected) => {
    expect(apply(name, values, 0, 5)).toBe(expected)
  })

  it('loses no small number beside large ones in a sum', () => {
    const pairs: [number, number][] = [
      [1, 1e100],
      [2, 1],
      [3, -1e100],
      [4, 1],
    ]
    expect(apply('sum_over_time', pairs, 0, 5)).toBe(2)
    expect(apply('avg_over_time', pairs, 0, 5)).toBe(0.5)
  })

  it('has a mean of numbers whose sum is too large', () => {
    const large: [number, number][] = [
      [1, 1.5e308],
      [2, 1.5e308],
      [3, 1.5e308],
    ]
    expect(apply('sum_over_time', large, 0, 5)).toBe(Infinity)
    expect(apply('avg_over_time', large, 0, 5)).toBeCloseTo(1.5e308, -298)
  })

  it('takes the mean of infinities as Prometheus does', () => {
    expect(
      apply(
        'avg_over_time',
        [
          [1, 1],
          [2, Infinity],
          [3, 5],
        ],
        0,
        5,
      ),
    ).toBe(Infinity)
    expect(
      apply(
        'avg_over_time',
        [
          [1, Infinity],
          [2, -Infinity],
        ],
        0,
        5,
      ),
    ).toBeNaN()
  })
})
