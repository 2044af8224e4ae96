import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { serverStates } from '#wire'
import { choosePathway, type EdgeStanding, makeTable } from './make-table.ts'

function edge(id: string, part: Partial<EdgeStanding> = {}): EdgeStanding {
  return { id, region: id, url: `http://${id}`, state: 'healthy', doubts: 0, sessions: 0, ...part }
}

describe('makeTable', () => {
  it('orders by weight, then by sessions, then as configured', () => {
    const { pathways } = makeTable([
      edge('a', { state: 'unreachable' }),
      edge('b', { sessions: 5 }),
      edge('c', { doubts: 1 }),
      edge('d', { sessions: 2 }),
      edge('e', { sessions: 2 }),
    ])
    expect(pathways.map(path => [path.id, path.weight])).toEqual([
      ['d', 1],
      ['e', 1],
      ['b', 1],
      ['c', 0.3],
      ['a', 0],
    ])
  })

  it('keeps the least bad edge when all are ill, and says that it is exhausted', () => {
    const table = makeTable([
      edge('a', { state: 'unreachable', doubts: 2 }),
      edge('b', { state: 'degraded', doubts: 2 }),
    ])
    expect(table.exhausted).toBe(true)
    expect(table.pathways[0]).toMatchObject({ id: 'b', weight: 0.1 })
  })

  it('never empties the last edge, whatever the states (property)', () => {
    const one = fc.record({
      state: fc.constantFrom(...serverStates),
      doubts: fc.integer({ min: 0, max: 3 }),
      sessions: fc.nat(10_000),
    })
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 8 }), parts => {
        const { pathways, exhausted, ttlS } = makeTable(parts.map((part, n) => edge(`e${n}`, part)))
        expect(pathways[0]?.weight).toBeGreaterThan(0)
        expect(exhausted).toBe(pathways[0]?.weight === 0.1)
        expect(ttlS).toBeGreaterThanOrEqual(5)
        expect(ttlS).toBeLessThanOrEqual(30)
        const healthy = parts.some(part => part.state === 'healthy' && part.doubts === 0)
        if (healthy) expect(pathways[0]?.weight).toBe(1)
      }),
    )
  })

  it('sends nobody new to a full edge while another has room, and moves nobody off it', () => {
    const full = edge('full', { fillStep: 4 })
    expect(makeTable([full, edge('room', { state: 'degraded', doubts: 1 })]).pathways).toMatchObject([
      { id: 'room', weight: 0.3 },
      { id: 'full', weight: 0, keep: 1 },
    ])
    const alone = makeTable([full, edge('full too', { fillStep: 4 }), edge('dead', { state: 'unreachable' })])
    expect(alone.exhausted).toBe(false)
    expect(alone.pathways.map(({ id, weight, keep }) => [id, weight, keep])).toEqual([
      ['full', 0.1, 1],
      ['full too', 0.1, 1],
      ['dead', 0, undefined],
    ])
    expect(alone.why.get('full')).toMatch(/full, as is every other one/)
  })

  it('leaves out an edge that never connected', () => {
    expect(makeTable([edge('a', { url: '' })])).toMatchObject({ pathways: [], ttlS: 5, exhausted: false })
  })

  it('raises the TTL with the audience, from 5 to 30 s', () => {
    expect(makeTable([edge('a', { sessions: 2000 })]).ttlS).toBe(10)
    expect(makeTable([edge('a', { sessions: 20_000 })]).ttlS).toBe(30)
  })
})

describe('choosePathway', () => {
  const { pathways } = makeTable([edge('a'), edge('b', { sessions: 9 }), edge('c', { state: 'unreachable' })])
  const drawn = (draw: number): string | undefined => choosePathway(pathways, null, draw)?.id

  it('honours a name that takes viewers and no other', () => {
    expect(choosePathway(pathways, 'b', 0)?.id).toBe('b')
    expect(choosePathway(pathways, 'c', 0)?.id).toBe('a')
    expect(choosePathway(pathways, 'zz', 0)?.id).toBe('a')
  })

  it('draws by weight and by how few an edge feeds, and never one without weight', () => {
    expect([0, 0.9, 0.92, 0.999].map(drawn)).toEqual(['a', 'a', 'b', 'b'])
  })

  it('gives each edge its share of new sessions at most, whatever the draws are (property, seeded)', () => {
    const one = fc.record({ sessions: fc.nat(500), share: fc.constantFrom(undefined, 0.01, 0.1, 0.5) })
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 6 }), fc.integer(), (parts, seed) => {
        const table = makeTable([edge('full'), ...parts.map((part, n) => edge(`e${n}`, part))])
        const draws = 4000
        const counts = new Map<string, number>()
        // One draw in each of as many equal parts: the distribution, without the noise of chance.
        const offset = (Math.abs(seed) % 1000) / 1000
        for (let n = 0; n < draws; n += 1) {
          const id = choosePathway(table.pathways, null, (n + offset) / draws)?.id ?? ''
          counts.set(id, (counts.get(id) ?? 0) + 1)
        }
        for (const [n, { share = 1 }] of parts.entries()) {
          expect(counts.get(`e${n}`) ?? 0).toBeLessThanOrEqual(share * draws + 1)
          expect(choosePathway(table.pathways, `e${n}`, 0)?.id).toBe(`e${n}`)
        }
      }),
    )
  })

  it('gives an empty edge exactly its one percent beside busy ones, and lists it after them', () => {
    const table = makeTable([
      edge('new', { share: 0.01 }),
      edge('b', { sessions: 400 }),
      edge('c', { sessions: 400 }),
    ])
    expect(table.pathways.map(({ id, share }) => [id, share])).toEqual([
      ['b', undefined],
      ['c', undefined],
      ['new', 0.01],
    ])
    const drawn = Array.from({ length: 1000 }, (_, n) => choosePathway(table.pathways, null, n / 1000)?.id)
    expect(drawn.filter(id => id === 'new')).toHaveLength(10)
  })

  it('takes the least bad when none takes viewers, and nobody when there is none', () => {
    const sick = pathways.map(one => ({ ...one, weight: 0 }))
    expect(choosePathway(sick, null, 0.5)?.id).toBe(sick[0]?.id)
    expect(choosePathway([], null, 0.5)).toBeNull()
  })
})
