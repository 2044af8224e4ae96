import { describe, expect, it } from 'vitest'
import { FakeClock } from '#base'
import type { Pathway } from '#wire'
import { type DepartureAsk, departureUrl } from './departure.ts'
import { FleetView } from './fleet-view.ts'

const path = (id: string, weight: number, more: Partial<Pathway> = {}): Pathway => {
  return { id, region: id, url: `http://${id}`, weight, sessions: 0, ...more }
}
const ask: DepartureAsk = {
  path: '/vod/t/r/v/3.m4s',
  query: 'sid=x',
  session: 's',
  region: null,
  isEntry: false,
  feedsSinceMs: 0,
}
const there = 'http://b/vod/t/r/v/3.m4s?sid=x&vitrine-hop=a'

function view(silent: readonly string[] = []): {
  clock: FakeClock
  set: (...pathways: Pathway[]) => void
  go: (part?: Partial<DepartureAsk>) => string | null
} {
  const clock = new FakeClock()
  const fleet = new FleetView({
    self: { id: 'a', region: 'a', url: 'http://a', weight: 1 },
    clock,
    connected: () => true,
    unreachable: () => new Set(silent),
    blind: () => false,
  })
  return {
    clock,
    set: (...pathways) =>
      fleet.setTable({ type: 'steering-table', version: 1, issuedMs: 0, pathways, ttlS: 5 }, false),
    go: (part = {}) => departureUrl(fleet, { ...ask, ...part }, clock),
  }
}

describe('who is sent on', () => {
  it('is nobody while the edge takes viewers, or is merely full', () => {
    const { clock, set, go } = view()
    expect(go()).toBeNull()
    set(path('a', 0.3), path('b', 1))
    clock.advance(60_000)
    expect(go()).toBeNull()
    set(path('a', 0, { keep: 1 }), path('b', 1))
    clock.advance(60_000)
    expect([go(), go({ isEntry: true })]).toEqual([null, null])
  })

  it('is whoever still asks when those who steer have left; who begins is sent on at once', () => {
    const { clock, set, go } = view()
    set(path('b', 1), path('a', 0))
    expect(go()).toBeNull()
    expect(go({ isEntry: true, path: '/vod/t/master.m3u8', query: '' })).toBe(
      'http://b/vod/t/master.m3u8?vitrine-hop=a',
    )
    clock.advance(14_999)
    set(path('b', 1), path('a', 0))
    expect(go()).toBeNull()
    clock.advance(1)
    expect(go()).toBe(there)
    expect(go({ feedsSinceMs: clock.monotonicMs() - 3000 })).toBeNull()
    expect(go({ feedsSinceMs: null })).toBe(there)
  })

  it('is nobody who was sent here, and nobody when there is no other place: no loop, no dead end', () => {
    const { clock, set, go } = view(['c'])
    set(path('b', 1), path('a', 0))
    clock.advance(60_000)
    expect(go({ query: 'sid=x&vitrine-hop=b' })).toBeNull()
    set(path('a', 0), path('b', 0), path('c', 1))
    clock.advance(60_000)
    expect(go()).toBeNull()
    set(path('a', 1), path('b', 1))
    expect(go()).toBeNull()
  })

  it('prefers an edge without a limited share', () => {
    const { clock, set, go } = view()
    set(path('c', 1, { share: 0.01 }), path('b', 0.3), path('a', 0))
    clock.advance(60_000)
    for (let n = 0; n < 20; n += 1) expect(go({ session: `s${n}` })).toBe(there)
  })
})

describe('when a drain has lasted as long as it may', () => {
  const over = path('a', 0, { drainOver: true })

  it('everybody is sent on at once: who was given time, who came by a hop, who plays', () => {
    const { set, go } = view()
    set(path('b', 1), path('c', 1), over)
    expect(go({ feedsSinceMs: 1e9 })).toContain('vitrine-hop=a')
    expect(go({ query: 'sid=x&vitrine-hop=b' })).toBe(
      'http://c/vod/t/r/v/3.m4s?sid=x&vitrine-hop=b&vitrine-hop=a',
    )
  })

  it('nobody goes round in circles, and where no other edge takes viewers it feeds them itself', () => {
    const { set, go } = view()
    set(path('b', 1), over)
    expect(go({ query: 'vitrine-hop=b' })).toBeNull()
    set(path('b', 0), over)
    expect(go()).toBeNull()
  })
})
