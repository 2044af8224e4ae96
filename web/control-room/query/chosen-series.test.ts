import { describe, expect, it } from 'vitest'
import type { Grid } from '../charts/grid.ts'
import { LINES_MAX, lineLook, notNumbers, ranked } from './chosen-series.ts'

function grid(columns: Record<string, (number | null)[]>): Grid {
  return { startS: 100, stepS: 1, length: 3, columns: new Map(Object.entries(columns)) }
}

describe('series to draw', () => {
  it('are those with the highest newest value; without a number comes last', () => {
    const answer = grid({ low: [9, 9, 1], high: [0, 5, null], nan: [7, 7, Number.NaN], negative: [0, 0, -4] })
    expect(ranked(answer)).toEqual(['high', 'low', 'negative', 'nan'])
  })

  it('look different, each from all others', () => {
    const looks = Array.from({ length: LINES_MAX }, (_, place) => JSON.stringify(lineLook(place)))
    expect(new Set(looks).size).toBe(LINES_MAX)
  })

  it('tell how much of them is not a number', () => {
    const answer = grid({ a: [Number.NaN, 1, Number.POSITIVE_INFINITY], b: [1, null, 1] })
    expect(notNumbers(answer)).toEqual({ series: 1, cells: 2 })
  })
})
