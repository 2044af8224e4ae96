import { describe, expect, it } from 'vitest'
import { readStats } from './stats.ts'

describe('statistics of a query', () => {
  it('reads those of the Prometheus API', () => {
    const stats = readStats({
      timings: { evalTotalTime: 0.003, innerEvalTime: 0.002, resultSortTime: 0.001, execTotalTime: 0.004 },
      samples: { totalQueryableSamples: 1200, peakSamples: 300, totalQueryableSamplesPerStep: [[1, 2]] },
    })
    expect(stats?.totalMs).toBe(4)
    expect(stats?.stages).toEqual([
      { name: 'evaluating', ms: 2 },
      { name: 'sorting', ms: 1 },
    ])
    expect(stats?.counts).toEqual([
      { name: 'samples touched', value: 1200 },
      { name: 'samples in memory at most', value: 300 },
    ])
  })

  it('reads those of our own store, whose stages are apart', () => {
    const stats = readStats({
      timings: { evalTotalTime: 0.003, queryPreparationTime: 0.001 },
      samples: { totalQueryableSamples: 40 },
      series: 4,
    })
    expect(stats?.stages.map(({ name }) => name)).toEqual(['evaluating', 'preparing'])
    expect(stats?.counts).toContainEqual({ name: 'series touched', value: 4 })
  })

  it('shows what it does not know under its own name', () => {
    const stats = readStats({ seriesTouched: 7, timings: { chunkReadMs: 3 } })
    expect(stats).toEqual({
      totalMs: null,
      stages: [{ name: 'chunk read', ms: 3 }],
      counts: [{ name: 'series touched', value: 7 }],
    })
  })

  it.each([undefined, null, 7, 'x', [], {}, { timings: { a: 'b' } }])('finds nothing in %j', value => {
    expect(readStats(value)).toBeNull()
  })
})
