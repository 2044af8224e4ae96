import { describe, expect, it } from 'vitest'
import { type DemandHour, HOUR_MS } from '../state/demand.ts'
import { carryOf, type Demands, type EdgeFacts, lossesOf, recentOf } from './carry.ts'

function edge(id: string, capacityMb: number | null, part: Partial<EdgeFacts> = {}): EdgeFacts {
  const capacityBps = capacityMb === null ? null : capacityMb * 1e6
  const rest = { name: id, region: id, state: 'healthy', takes: true, viewers: 1, sentBps: 1e6 } as const
  return { id, capacityBps, ...rest, ...part }
}
const of = (mb: number): Demands['now'] => ({ peakBps: mb * 1e6, at: 1 })
const demands = (now: number, usual: number | null = null): Demands => ({
  now: of(now),
  usual: usual === null ? null : of(usual),
  week: null,
})
const words = (edges: readonly EdgeFacts[], given: Demands): Record<string, string> =>
  Object.fromEntries(lossesOf(edges, given).map(({ kind, id, word }) => [`${kind} ${id}`, word]))

describe('what the rest carries', () => {
  it('is judged by the capacity of those that are left: carried, tight above 80 %, not carried', () => {
    const edges = [edge('a', 100), edge('b', 60), edge('c', 40)]
    expect(words(edges, demands(80, 40))['edge a']).toBe('carried')
    expect(words(edges, demands(81, 40))).toMatchObject({
      'edge a': 'tight', // 81 of 100
      'edge b': 'carried', // 81 of 140
    })
    expect(words(edges, demands(101, 40))['edge a']).toBe('not-carried')
    // The usual hour is worse than now.
    expect(words(edges, demands(10, 101))['edge a']).toBe('not-carried')
  })

  it('never counts a capacity that nobody knows, unless the others suffice without it', () => {
    const edges = [edge('a', 100), edge('b', null), edge('c', 100)]
    expect(words(edges, demands(150, 10))).toMatchObject({
      'edge a': 'cannot-tell',
      'edge b': 'carried',
      'edge c': 'cannot-tell',
    })
    expect(words(edges, demands(50, 10))['edge a']).toBe('carried')
    expect(words([edge('a', null), edge('b', null)], demands(0.1, 0.1))['edge a']).toBe('cannot-tell')
  })

  it('counts only edges that take viewers, and says so when nobody is left or nothing was measured', () => {
    const edges = [edge('a', 100), edge('b', 100, { takes: false, state: 'drained' })]
    const [worst] = lossesOf(edges, demands(10, 10))
    expect(worst).toMatchObject({ id: 'a', word: 'not-carried', rest: { edges: [], capacityBps: 0 } })
    expect(carryOf({ edges: ['b'], capacityBps: 1e6, unknown: [] }, null).word).toBe('no-demand-known')
  })

  it('loses a region with all its edges, and lists the worst first', () => {
    const edges = [
      edge('a1', 100, { region: 'a', viewers: 3 }),
      edge('a2', 100, { region: 'a', viewers: 4 }),
      edge('b1', 50, { region: 'b' }),
    ]
    const losses = lossesOf(edges, demands(60, 60))
    expect(losses[0]).toMatchObject({
      kind: 'region',
      id: 'a',
      word: 'not-carried',
      viewers: 7,
      sentBps: 2e6,
    })
    expect(losses[0]?.now.headroom).toBeCloseTo(-0.2)
    expect(losses.slice(1).map(({ word }) => word)).toEqual(['carried', 'carried', 'carried', 'carried'])
  })
})

describe('recent weeks', () => {
  const now = 1000 * 168 * HOUR_MS + 20 * 60_000
  const thisHour = 1000 * 168 * HOUR_MS
  const hour = (hoursAgo: number, mb: number, moments = 120): DemandHour => {
    const at = thisHour - hoursAgo * HOUR_MS
    return { at, peakBps: mb * 1e6, peakAt: at + 60_000, moments }
  }

  it('give the same hour of up to four weeks, and each hour of a week as the highest of them', () => {
    const hours = [
      hour(168, 5),
      hour(336, 9),
      hour(2, 3),
      hour(170, 4),
      hour(672, 7),
      hour(840, 99),
      hour(1, 0, 0),
    ]
    const { sameHours, usual, week, worst, storedFrom } = recentOf(hours, now)
    expect(sameHours.map(({ peakBps }) => peakBps)).toEqual([5e6, 9e6, 7e6])
    expect(usual).toEqual({ peakBps: 9e6, at: hour(336, 0).peakAt })
    expect(week).toHaveLength(168)
    expect(week.at(-1)).toEqual({ at: thisHour, peakBps: 9e6, n: 2 })
    expect(week.at(-3)).toEqual({ at: hour(2, 0).at, peakBps: 4e6, n: 2 })
    // Nothing was measured then: that is no zero.
    expect(week.at(-2)).toMatchObject({ peakBps: null, n: 0 })
    expect(worst?.peakBps).toBe(9e6)
    expect(storedFrom).toBe(hour(672, 0).at)
  })

  it('are nothing where nothing is stored', () => {
    expect(recentOf([], now)).toMatchObject({ sameHours: [], usual: null, worst: null, storedFrom: null })
  })
})
