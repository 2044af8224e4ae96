import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { drawProbabilities } from './new-session-share.ts'

const sum = (parts: readonly number[]): number => parts.reduce((total, part) => total + part, 0)

describe('drawProbabilities', () => {
  it('gives an empty edge its one percent and not what its emptiness would draw', () => {
    const [fresh, busy, busier] = drawProbabilities([
      { weight: 1, share: 0.01 },
      { weight: 1 / 400 },
      { weight: 1 / 400 },
    ])
    expect(fresh).toBeCloseTo(0.01)
    expect(busy).toBeCloseTo(0.495)
    expect(busier).toBeCloseTo(0.495)
  })

  it('leaves a limited edge that would get less alone', () => {
    expect(drawProbabilities([{ weight: 1, share: 0.5 }, { weight: 9 }])).toEqual([0.1, 0.9])
  })

  it('gives all to those that are limited when there is nobody else', () => {
    expect(
      drawProbabilities([
        { weight: 1, share: 0.1 },
        { weight: 7, share: 0.3 },
      ]),
    ).toEqual([0.25, expect.closeTo(0.75)])
    expect(drawProbabilities([{ weight: 1, share: 0.01 }, { weight: 0 }])).toEqual([1, 0])
    expect(drawProbabilities([{ weight: 0 }])).toEqual([0])
  })

  it('sums to 1, exceeds no limit while others can take the rest, and keeps the order of weights (property)', () => {
    const entry = fc.record({
      weight: fc.constantFrom(0, 0.001, 0.1, 0.3, 1, 7),
      share: fc.constantFrom(undefined, 0.01, 0.1, 0.5, 1),
    })
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 12 }), entries => {
        const drawn = drawProbabilities(entries)
        const open = entries.filter(({ weight }) => weight > 0)
        expect(sum(drawn)).toBeCloseTo(open.length === 0 ? 0 : 1)
        const enough = sum(open.map(({ share = 1 }) => share)) >= 1
        for (const [at, { weight, share = 1 }] of entries.entries()) {
          const part = drawn[at] ?? -1
          expect(part).toBeGreaterThanOrEqual(0)
          if (weight === 0) expect(part).toBe(0)
          if (enough) expect(part).toBeLessThanOrEqual(share + 1e-9)
        }
      }),
      { numRuns: 500 },
    )
  })
})
