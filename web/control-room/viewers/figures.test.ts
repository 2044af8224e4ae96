import { expect, test } from 'vitest'
import { BREAKDOWNS, type Cut, countExpr, countWords, FIGURES, spanWords } from './figures.ts'

const [byEdge] = BREAKDOWNS
const all: Cut = { estimated: false, only: {} }

function figure(id: string): (typeof FIGURES)[number] {
  const found = FIGURES.find(one => one.id === id)
  if (found === undefined) throw new Error(id)
  return found
}

test('a ratio is sum over sum, of measured sessions alone, and absent where nobody watched', () => {
  expect(figure('rebuffering').expr({ cut: all, by: byEdge, windowS: 300 })).toBe(
    'sum by (instance) (increase(vitrine_viewers_rebuffering_seconds_total{estimate="no"}[300s])) / (sum by (instance) (increase(vitrine_viewers_asked_seconds_total{estimate="no"}[300s])) > 0)',
  )
})

test('percentiles come from one histogram, whatever it is narrowed to', () => {
  const cut: Cut = { estimated: true, only: { edge: 'eu-west', player: 'hls.js "1"' } }
  expect(figure('start95').expr({ cut, by: null, windowS: 60 })).toBe(
    'histogram_quantile(0.95, sum by (le) (increase(vitrine_viewers_start_seconds_bucket{estimate="yes",instance="eu-west",player="hls.js \\"1\\""}[60s])))',
  )
})

test('each figure has the expression that it is counted from', () => {
  for (const { of } of FIGURES) {
    expect(countExpr(of, { cut: all, by: null, windowS: 60 })).toMatch(/^sum \(increase\(vitrine_viewers_/)
  }
})

test('says what a figure is of', () => {
  expect(countWords('started', 1)).toBe('of 1 start')
  expect(countWords('sessions', 79.6)).toBe('of 80 sessions')
  expect(countWords('asked', 1234)).toBe('of 21 min')
  expect(countWords('asked', null)).toBe('n not known')
  expect([spanWords(40), spanWords(5400), spanWords(720_000)]).toEqual(['40 s', '1.5 h', '200 h'])
})
