import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { drawNearFirst, drawProbabilities, nearFirst } from './new-session-share.ts'

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

describe('drawNearFirst', () => {
  const isNear = ({ region }: { readonly region: string }): boolean => region === 'here'
  const at = (region: string, weight: number, share?: number) => ({ region, weight, share })

  it('takes those that are near, and the others when there is none', () => {
    expect(drawNearFirst([at('here', 1), at('there', 9), at('here', 3)], isNear)).toEqual([0.25, 0, 0.75])
    expect(drawNearFirst([at('here', 0), at('there', 1)], isNear)).toEqual([0, 1])
    expect(drawNearFirst([at('there', 1), at('there', 3)], isNear)).toEqual([0.25, 0.75])
  })

  it('holds a near edge to its share and gives the rest to the others', () => {
    expect(drawNearFirst([at('here', 1, 0.1), at('there', 1), at('there', 2)], isNear)).toEqual([
      0.1,
      expect.closeTo(0.3),
      expect.closeTo(0.6),
    ])
    expect(drawNearFirst([at('here', 1, 0.1), at('there', 0)], isNear)).toEqual([1, 0])
  })

  it('sums to 1 and exceeds no share that others can make up for (property)', () => {
    const entry = fc.record({
      region: fc.constantFrom('here', 'there'),
      weight: fc.constantFrom(0, 0.1, 1, 5),
      share: fc.constantFrom(undefined, 0.01, 0.3, 1),
    })
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 10 }), entries => {
        const drawn = drawNearFirst(entries, isNear)
        const open = entries.filter(({ weight }) => weight > 0)
        expect(sum(drawn)).toBeCloseTo(open.length === 0 ? 0 : 1)
        for (const [index, { weight, share = 1 }] of entries.entries()) {
          if (weight === 0) expect(drawn[index]).toBe(0)
          if (open.some(one => one.share === undefined))
            expect(drawn[index]).toBeLessThanOrEqual(share + 1e-9)
        }
      }),
    )
  })
})

it('orders the near before the far, the limited after both, and the sick last', () => {
  const edges = [
    { id: 'sick', region: 'here', weight: 0 },
    { id: 'new', region: 'here', weight: 1, share: 0.1 },
    { id: 'far', region: 'there', weight: 1 },
    { id: 'near', region: 'here', weight: 0.3 },
  ]
  expect(nearFirst(edges, 'here').map(({ id }) => id)).toEqual(['near', 'far', 'new', 'sick'])
  expect(nearFirst(edges, null).map(({ id }) => id)).toEqual(['far', 'near', 'new', 'sick'])
})
