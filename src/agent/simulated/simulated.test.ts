import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Latencies } from './latencies.ts'
import { MadeUpHost } from './made-up-host.ts'
import { TableArrivals } from './table-arrivals.ts'

describe('latencies', () => {
  it('give each quantile to the step, never below the true one and never above the longest', () => {
    const waits = fc.array(fc.double({ min: 0, max: 5000, noNaN: true }), { minLength: 1, maxLength: 300 })
    fc.assert(
      fc.property(waits, fc.double({ min: 0.01, max: 1, noNaN: true }), (list, share) => {
        const latencies = new Latencies()
        for (const ms of list) latencies.add(ms)
        const sorted = list.toSorted((a, b) => a - b)
        const exact = sorted[Math.ceil(share * sorted.length) - 1] ?? 0
        const told = latencies.quantileMs(share)
        expect(told).toBeGreaterThanOrEqual(exact - 1e-6)
        expect(told).toBeLessThanOrEqual(exact + (exact < 999.9 ? 0.11 : 100.1))
        expect(latencies.shareWithin(5100)).toBe(1)
      }),
    )
  })

  it('count what took longer than a limit', () => {
    const latencies = new Latencies()
    for (let ms = 0; ms < 1000; ms += 1) latencies.add(ms)
    expect(latencies.shareWithin(500)).toBeCloseTo(0.5, 2)
    expect(new Latencies().shareWithin(500)).toBe(1)
  })
})

describe('made-up figures', () => {
  it('are as many distinct series as asked for, named by their server, and counters never fall', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.nat(999), (count, number) => {
        const host = new MadeUpHost(`simulated-${number}`, 'simulated', number, count)
        const keys = new Set(host.labels.map(labels => JSON.stringify(labels)))
        expect(keys.size).toBe(count)
        const [before, after] = [host.values(10), host.values(11)]
        for (const [at, labels] of host.labels.entries()) {
          expect(labels['instance']).toBe(`simulated-${number}`)
          if (labels['__name__']?.endsWith('_total'))
            expect(after[at]).toBeGreaterThanOrEqual(before[at] ?? 0)
        }
      }),
      { numRuns: 50 },
    )
  })
})

describe('arrivals of tables', () => {
  it('are whole when the last server has the table, and tell how long that took', () => {
    const arrivals = new TableArrivals()
    for (const ageMs of [5, 40, 7]) arrivals.add(1, ageMs)
    for (const ageMs of [3, 9]) arrivals.add(2, ageMs)
    expect(arrivals.summary(3)).toEqual({ tables: 1, incomplete: 1, medianMs: 40, maxMs: 40 })
    arrivals.reset()
    expect(arrivals.summary(3)).toEqual({ tables: 0, incomplete: 0, medianMs: null, maxMs: null })
  })
})
