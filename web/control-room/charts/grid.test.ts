import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { isStale, mergeTail, newest, type Points, stepFor, tailFrom, times, valueAt } from './grid.ts'

const line = (fromS: number, toS: number, value = 1): Points =>
  Array.from({ length: toS - fromS + 1 }, (_, index) => [fromS + index, value] as const)
const series = (points: Points) => new Map([['eu-west', points]])

test('moves on: old cells are kept, new ones are added, those that left the window are dropped', () => {
  const first = mergeTail(null, {
    fromS: 100,
    toS: 110,
    windowS: 10,
    stepS: 1,
    series: series(line(100, 110)),
  })
  const next = mergeTail(first, {
    fromS: 108,
    toS: 113,
    windowS: 10,
    stepS: 1,
    series: series(line(108, 113, 2)),
  })
  expect(times(next)).toEqual([103, 104, 105, 106, 107, 108, 109, 110, 111, 112, 113])
  expect(next.columns.get('eu-west')).toEqual([1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2])
})

test('a gap in the samples is a gap in the line, never a value carried forward', () => {
  const points = [...line(100, 102), ...line(107, 110)]
  const grid = mergeTail(null, { fromS: 100, toS: 110, windowS: 10, stepS: 1, series: series(points) })
  expect(grid.columns.get('eu-west')).toEqual([1, 1, 1, null, null, null, null, 1, 1, 1, 1])
})

test('a series that stopped ages while the grid moves on', () => {
  const first = mergeTail(null, {
    fromS: 100,
    toS: 110,
    windowS: 10,
    stepS: 1,
    series: series(line(100, 110)),
  })
  const next = mergeTail(first, { fromS: 111, toS: 116, windowS: 10, stepS: 1, series: new Map() })
  expect(newest(next, 'eu-west')).toEqual({ value: 1, atS: 110, ageS: 6 })
  const gone = mergeTail(next, { fromS: 117, toS: 140, windowS: 10, stepS: 1, series: new Map() })
  expect(newest(gone, 'eu-west')).toBeNull()
})

test('samples that came late fill the cells that were asked again', () => {
  const first = mergeTail(null, {
    fromS: 100,
    toS: 110,
    windowS: 10,
    stepS: 1,
    series: series(line(100, 107)),
  })
  const fromS = tailFrom(first, { fromS: 101, stepS: 1 }, 5)
  expect(fromS).toBe(105)
  const next = mergeTail(first, { fromS, toS: 111, windowS: 10, stepS: 1, series: series(line(105, 111)) })
  expect(next.columns.get('eu-west')).toEqual(Array.from({ length: 11 }, () => 1))
})

test('asks for the whole window when the step changes or the window grows to the left', () => {
  const grid = mergeTail(null, {
    fromS: 100,
    toS: 160,
    windowS: 60,
    stepS: 1,
    series: series(line(100, 160)),
  })
  expect(tailFrom(grid, { fromS: 0, stepS: 2 }, 5)).toBe(0)
  expect(tailFrom(grid, { fromS: 40, stepS: 1 }, 5)).toBe(40)
})

test('one second wherever the width has room for it', () => {
  expect(stepFor(60, 1_000)).toBe(1)
  expect(stepFor(300, 1_000)).toBe(1)
  expect(stepFor(900, 1_000)).toBe(1)
  expect(stepFor(3_600, 1_000)).toBe(5)
  expect(stepFor(21_600, 1_000)).toBe(30)
})

test('older than three intervals is stale', () => {
  expect(isStale(3, 1)).toBe(false)
  expect(isStale(4, 1)).toBe(true)
})

test('fetching in tails gives the same cells as fetching at once', () => {
  const seed = 20120630
  fc.assert(
    fc.property(
      fc.array(fc.option(fc.integer({ min: 0, max: 50 }), { nil: null }), { minLength: 40, maxLength: 120 }),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 12 }),
      (values, hops) => {
        const points = values.flatMap((value, second) =>
          value === null ? [] : [[1_000 + second, value] as const],
        )
        const windowS = 30
        let toS = 1_030
        let grid = mergeTail(null, {
          fromS: toS - windowS,
          toS,
          windowS,
          stepS: 1,
          series: series(cut(points, 0, toS)),
        })
        for (const hop of hops) {
          toS += hop
          const fromS = tailFrom(grid, { fromS: toS - windowS, stepS: 1 }, 5)
          grid = mergeTail(grid, { fromS, toS, windowS, stepS: 1, series: series(cut(points, fromS, toS)) })
        }
        const whole = mergeTail(null, {
          fromS: toS - windowS,
          toS,
          windowS,
          stepS: 1,
          series: series(cut(points, 0, toS)),
        })
        for (const timeS of times(whole)) {
          expect(valueAt(grid, 'eu-west', timeS)).toBe(valueAt(whole, 'eu-west', timeS))
        }
      },
    ),
    { seed, numRuns: 300 },
  )
})

function cut(points: Points, fromS: number, toS: number): Points {
  return points.filter(([timeS]) => timeS >= fromS && timeS <= toS)
}
