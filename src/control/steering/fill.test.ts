import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { capacityOf, fillFactor, fillStep, fillWords } from './fill.ts'

const gigabit = { bps: 1e9, source: 'operator' } as const

describe('capacity', () => {
  it('is what the operator said until the edge has carried more', () => {
    expect(capacityOf(8e8, 3e8)).toEqual({ bps: 8e8, source: 'operator' })
    expect(capacityOf(8e8, 9e8)).toEqual({ bps: 9e8, source: 'measured' })
    expect(capacityOf(null, 9e8)).toBeNull()
  })
})

describe('how full it is', () => {
  it('lowers the weight in steps, down to nothing', () => {
    const factors = [0, 0.69, 0.7, 0.8, 0.9, 0.97, 2].map(fill =>
      fillFactor(fillStep(gigabit, fill * 1e9, 0)),
    )
    expect(factors).toEqual([1, 1, 0.6, 0.3, 0.1, 0, 0])
    expect([0, 2, 4].map(fillWords)).toEqual([null, 'at least 80 % full', 'full'])
  })

  it('says nothing where capacity or throughput is not known', () => {
    expect(fillStep(null, 1e9, 0)).toBe(0)
    expect(fillStep(gigabit, null, 3)).toBe(0)
  })

  it('leaves a step only well below where it begins, and never lies more than one step too high (property)', () => {
    expect(fillStep(gigabit, 0.68e9, 1)).toBe(1)
    expect(fillStep(gigabit, 0.66e9, 1)).toBe(0)
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1.2, noNaN: true }), { minLength: 1 }), fills => {
        let step = 0
        for (const fill of fills) {
          const fresh = fillStep(gigabit, fill * 1e9, 0)
          step = fillStep(gigabit, fill * 1e9, step)
          expect(step).toBeGreaterThanOrEqual(fresh)
          expect(step).toBeLessThanOrEqual(fresh + 1)
        }
      }),
    )
  })
})
