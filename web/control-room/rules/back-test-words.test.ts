import { describe, expect, it } from 'vitest'
import type { BackTestResult } from '#wire'
import { BOUND, gridOf, marksOf, placeOf, summary } from './back-test-words.ts'

const T0 = 1_700_000_000_000
const result: BackTestResult = {
  rule: 'Busy',
  expr: 'load > 0.9',
  forMs: 0,
  keepFiringForMs: 0,
  from: T0,
  to: T0 + 60_000,
  stepMs: 10_000,
  intervalMs: 10_000,
  alerts: 2,
  neverFired: 1,
  longestMs: 20_000,
  sets: 1,
  shown: [
    {
      labels: {},
      spans: [
        { state: 'pending', from: T0, to: T0 + 10_000 },
        { state: 'firing', from: T0 + 10_000, to: T0 + 30_000 },
        { state: 'firing', from: T0 + 50_000, to: null },
      ],
      alerts: 2,
      firingMs: 30_000,
    },
  ],
  watched: {
    text: 'load',
    bound: 0.9,
    stepMs: 10_000,
    cut: false,
    series: [
      {
        labels: {},
        points: [
          [T0, 0.1],
          [T0 + 20_000, 0.95],
        ],
      },
    ],
  },
  hadData: true,
  notes: [],
}

describe('a back-test', () => {
  it('is told in one sentence', () => {
    expect(summary(result)).toBe(
      'It would have fired 2 times in 1 min, the longest for 20 s. Once it was pending and over before it fired.',
    )
    expect(summary({ ...result, alerts: 0, neverFired: 0, to: T0 + 7 * 86_400_000 })).toBe(
      'It would not have fired in 7 days.',
    )
    expect(summary({ ...result, hadData: false, alerts: 0 })).toContain('Is a name misspelt?')
  })

  it('is drawn with holes where nothing was stored, and its bound all along', () => {
    const grid = gridOf(result, { fromMs: result.from, toMs: result.to })
    expect([grid.startS, grid.stepS, grid.length]).toEqual([T0 / 1000, 10, 7])
    expect(grid.columns.get('0')).toEqual([0.1, null, 0.95, null, null, null, null])
    expect(new Set(grid.columns.get(BOUND))).toEqual(new Set([0.9]))
    const near = gridOf(result, { fromMs: T0 + 20_000, toMs: T0 + 40_000 })
    expect([near.startS, near.columns.get('0')]).toEqual([T0 / 1000 + 20, [0.95, null, null]])
  })

  it('marks the moments at which it would have fired', () => {
    expect(marksOf(result.shown).map(({ atMs }) => atMs - T0)).toEqual([10_000, 50_000])
    const view = { fromMs: T0, toMs: T0 + 40_000 }
    expect(placeOf({ from: T0 + 10_000, to: T0 + 30_000 }, view)).toEqual({ left: 25, width: 50 })
    expect(placeOf({ from: T0 + 50_000, to: null }, view)).toBeNull()
    expect(placeOf({ from: T0 - 9000, to: T0 + 20_000 }, view)).toEqual({ left: 0, width: 50 })
  })
})
