import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { steeringAnswer, steeringServer } from './answer.ts'
import { rank, rankForEntry, rankForViewer, type Standing } from './order.ts'

function edge(id: string, weight = 1): Standing {
  return { id, region: id, url: `http://${id}.example`, weight }
}

const three = [edge('a'), edge('b'), edge('c')]
const sessions = Array.from({ length: 3000 }, (_, n) => `session-${n}`)

function shares(edges: readonly Standing[], current: string | null): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const session of sessions) {
    const first = rankForViewer(edges, current, session, null)[0]?.id ?? ''
    counts[first] = (counts[first] ?? 0) + 1 / sessions.length
  }
  return counts
}

describe('order of edges', () => {
  it('leaves a viewer where it is while that edge has full weight', () => {
    expect(shares(three, 'b')).toEqual({ b: expect.closeTo(1) })
  })

  it('spreads the viewers of a sick edge over all others', () => {
    const counts = shares([edge('a', 0), edge('b'), edge('c')], 'a')
    expect(counts['a']).toBeUndefined()
    expect(counts['b']).toBeGreaterThan(0.45)
    expect(counts['c']).toBeGreaterThan(0.45)
  })

  it('moves half of the viewers of an edge with half weight, always the same half', () => {
    const half = [edge('a', 0.5), edge('b'), edge('c')]
    expect(shares(half, 'a')['a']).toBeGreaterThan(0.5)
    expect(shares(half, 'a')['a']).toBeLessThan(0.7)
    for (const session of sessions.slice(0, 50)) {
      const [first] = rankForViewer(half, 'a', session, null)
      expect(rankForViewer(half, first?.id ?? '', session, null)[0]?.id).toBe(first?.id)
    }
  })

  it('sends new viewers in proportion to weight', () => {
    const counts = shares([edge('a', 2), edge('b', 1), edge('c', 1)], null)
    expect(counts['a']).toBeGreaterThan(0.46)
    expect(counts['a']).toBeLessThan(0.54)
  })

  it('moves only the sessions of the edge that went', () => {
    for (const session of sessions.slice(0, 300)) {
      const before = rank(three, session)[0]?.id
      const after = rank([edge('a'), edge('b', 0), edge('c')], session)[0]?.id
      if (before !== 'b') expect(after).toBe(before)
    }
  })

  it('gives an edge with a share of new sessions that share and no more, the same one every time', () => {
    const edges = [edge('a'), { ...edge('b'), share: 0.1 }, edge('c')]
    const first = sessions.filter(session => rankForEntry(edges, session, null)[0]?.id === 'b')
    expect(first.length / sessions.length).toBeGreaterThan(0.08)
    expect(first.length / sessions.length).toBeLessThan(0.12)
    expect(rankForEntry([{ ...edge('b'), share: 0.01 }, edge('a', 0)], 's', null)[0]?.id).toBe('b')
  })

  it('lists an edge with a share last of those with weight for who plays elsewhere, and keeps who is there', () => {
    const edges = [edge('a'), { ...edge('b'), share: 0.1 }, edge('c'), edge('d', 0)]
    for (const session of sessions.slice(0, 100)) {
      expect(rankForViewer(edges, 'a', session, null).map(({ id }) => id)).toEqual(['a', 'c', 'b', 'd'])
      expect(
        rankForViewer(edges, 'd', session, null)
          .map(({ id }) => id)
          .slice(2),
      ).toEqual(['b', 'd'])
      expect(rankForViewer(edges, 'b', session, null)[0]?.id).toBe('b')
    }
  })

  it('sends a viewer to his region first, and to others only when nobody there takes him', () => {
    for (const session of sessions.slice(0, 50)) {
      expect(rankForEntry(three, session, 'b')[0]?.id).toBe('b')
      expect(rankForEntry([edge('a'), edge('b', 0), edge('c')], session, 'b').at(-1)?.id).toBe('b')
      expect(rankForViewer([edge('a', 0), edge('b'), edge('c')], 'a', session, 'c')[0]?.id).toBe('c')
      expect(rankForViewer(three, 'a', session, 'c').map(({ id }) => id)).toEqual(['a', 'c', 'b'])
    }
    expect(shares(three, null)['b']).toBeGreaterThan(0.25)
  })

  it('keeps viewers where they are when no edge has weight', () => {
    const none = three.map(({ id }) => edge(id, 0))
    expect(rankForViewer(none, 'c', 's', null)[0]?.id).toBe('c')
  })
})

const fleets = fc
  .uniqueArray(fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/), { minLength: 1, maxLength: 12 })
  .chain(ids =>
    fc.tuple(...ids.map(id => fc.constantFrom(0, 0.25, 0.5, 1, 3).map(weight => edge(id, weight)))),
  )

describe('steering answer', () => {
  it('is complete, unique, sick last, and never asks at the edge that feeds', () => {
    fc.assert(
      fc.property(
        fleets,
        fc.nat(20),
        fc.string(),
        fc.integer({ min: 0, max: 400 }),
        (edges, at, session, ttlS) => {
          const pathway = edges[at % (edges.length + 1)]?.id ?? null
          const answer = steeringAnswer(edges, { pathway, session, region: null }, ttlS)
          const ids = answer['PATHWAY-PRIORITY']
          expect(answer.VERSION).toBe(1)
          expect(answer.TTL).toBeGreaterThanOrEqual(5)
          expect(answer.TTL).toBeLessThanOrEqual(30)
          expect([...ids].sort()).toEqual(edges.map(({ id }) => id).sort())
          const { hostname, pathname } = new URL(answer['RELOAD-URI'])
          expect(pathname).toBe('/steer')
          if (edges.length > 1) expect(hostname).not.toBe(`${pathway}.example`)
          const weights = ids.map(id => edges.find(known => known.id === id)?.weight ?? 0)
          const firstSick = weights.indexOf(0)
          if (weights.some(weight => weight > 0) && firstSick >= 0) {
            expect(weights.slice(firstSick).every(weight => weight === 0)).toBe(true)
          }
        },
      ),
      { numRuns: 300 },
    )
  })

  it('prefers a healthy third edge as the next place to ask when it moves a viewer', () => {
    const answer = steeringAnswer(
      [edge('a', 0), edge('b'), edge('c')],
      { pathway: 'a', session: 's', region: null },
      10,
    )
    const [first] = answer['PATHWAY-PRIORITY']
    const third = first === 'b' ? 'c' : 'b'
    expect(answer['RELOAD-URI']).toContain(`http://${third}.example/steer?s=s`)
  })

  it('asks in a playlist at another edge than the one that feeds, unless it is alone', () => {
    const [a, b] = [edge('a'), edge('b', 0)]
    expect(steeringServer([a, b], a, 's')).toContain('http://b.example')
    expect(steeringServer([a], a, 's')).toContain('http://a.example')
  })
})
