import { describe, expect, it } from 'vitest'
import { FakeClock, SlewedFleetTime } from '#base'
import { Fleet } from '../fleet/fleet.ts'
import { TryIt } from './try-it.ts'

function setUp(act: () => Promise<void> = async () => undefined): {
  clock: FakeClock
  fleet: Fleet
  tryIt: TryIt
  feed: (edge: string, ...sids: string[]) => void
} {
  const clock = new FakeClock()
  const fleet = new Fleet()
  const stored = ['eu', 'us'].map(id => ({
    id,
    role: 'edge' as const,
    region: id,
    tokenSha256: id,
    url: `http://${id}`,
    version: '1',
    hostId: 'h',
    tags: {},
    stream: '',
    entryWeight: 0,
    sharePercent: 100,
    measuredBps: null,
  }))
  fleet.load(stored, new Map(), new Map(), 0)
  for (const edge of fleet.edges()) edge.standing = { ...edge.standing, state: 'healthy' }
  const tryIt = new TryIt({ pids: () => ({}), act, drill: act }, fleet, new SlewedFleetTime(clock, 0))
  const feed = (edge: string, ...sids: string[]): void => {
    const reports = sids.map(sid => ({ sid, title: 'sample', estimated: false, agoMs: 0, bytes: 1 }))
    fleet.sessions.report(edge, reports, clock.monotonicMs())
    fleet.sweepSessions(clock.monotonicMs())
    tryIt.observe()
  }
  return { clock, fleet, tryIt, feed }
}

describe('TryIt', () => {
  it('times when it was noticed and when the last session had moved', async () => {
    const { clock, fleet, tryIt, feed } = setUp()
    feed('eu', '1', '2')
    await tryIt.act({ action: 'freeze', server: 'eu' })
    expect(tryIt.answer().faults).toMatchObject([
      { server: 'eu', noticedMs: null, sessionsAtStart: 2, sessionsMoved: 0, movedMs: null, endedAt: null },
    ])
    clock.advance(3100)
    feed('us', '1')
    const eu = fleet.get('eu')
    if (eu !== null) eu.standing = { ...eu.standing, state: 'unreachable' }
    clock.advance(100)
    tryIt.observe()
    expect(tryIt.answer().faults).toMatchObject([{ noticedMs: 3200, sessionsMoved: 1, movedMs: null }])
    clock.advance(800)
    feed('us', '2')
    await tryIt.act({ action: 'thaw', server: 'eu' })
    expect(tryIt.answer().faults).toMatchObject([{ noticedMs: 3200, sessionsMoved: 2, movedMs: 4000 }])
    expect(tryIt.answer().faults[0]?.endedAt).not.toBeNull()
  })

  it('counts a session that ended as moved, without a time of its own', async () => {
    const { clock, tryIt, feed } = setUp()
    feed('eu', '1')
    await tryIt.act({ action: 'freeze', server: 'eu' })
    clock.advance(31_000)
    feed('us')
    expect(tryIt.answer().faults).toMatchObject([{ sessionsMoved: 1, movedMs: null }])
  })

  it('remembers the last ten faults, newest first, and the viewers asked for', async () => {
    const { tryIt } = setUp()
    for (let n = 0; n < 12; n += 1) await tryIt.act({ action: 'slow', server: n % 2 === 0 ? 'eu' : 'us' })
    await tryIt.act({ action: 'viewers', count: 30 })
    expect(tryIt.answer().faults).toHaveLength(10)
    expect(tryIt.answer()).toMatchObject({
      viewers: 30,
      faults: [{ server: 'us' }, { server: 'eu' }, {}, {}, {}, {}, {}, {}, {}, {}],
    })
  })

  it('forgets a fault that the supervisor could not start, and says why', async () => {
    const { tryIt } = setUp(() => Promise.reject(new Error('no such process')))
    await expect(tryIt.act({ action: 'freeze', server: 'eu' })).rejects.toMatchObject({
      code: 'control-try-failed',
      message: expect.stringContaining('no such process') as unknown,
    })
    expect(tryIt.answer().faults).toEqual([])
  })

  it('is not available without a supervisor', async () => {
    const tryIt = new TryIt(null, new Fleet(), new SlewedFleetTime(new FakeClock(), 0))
    await expect(tryIt.act({ action: 'viewers', count: 1 })).rejects.toMatchObject({
      code: 'control-try-unavailable',
    })
  })
})
