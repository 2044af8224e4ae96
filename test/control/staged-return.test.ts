// An edge comes back in steps, each until there is evidence: with the real state on disk and a clock that the test moves.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { FakeClock, silentLog } from '#base'
import { Fleet, type ServerRecord } from '../../src/control/fleet/fleet.ts'
import { judgeStage, ReturnKeeper, stageShare } from '../../src/control/runbooks/return-keeper.ts'
import { type FullState, openFullState } from '../../src/control/state/open-state.ts'

const STAGE_MS = 60_000
const stage = (percent: number) => ({
  server: 'a',
  percent,
  since: 0,
  by: 'ann',
  reason: 'why',
  stageMs: STAGE_MS,
})

describe('one step of a return', () => {
  it('lasts until five sessions of twenty seconds, or its time', () => {
    expect(judgeStage(stage(1), { viewerMs: 99_999, ageMs: 59_999, bad: null })).toEqual({ kind: 'stay' })
    expect(judgeStage(stage(1), { viewerMs: 100_000, ageMs: 20_000, bad: null })).toEqual({
      kind: 'next',
      percent: 10,
    })
    expect(judgeStage(stage(10), { viewerMs: 0, ageMs: 60_000, bad: null })).toEqual({
      kind: 'next',
      percent: 100,
    })
    expect(judgeStage(stage(100), { viewerMs: 0, ageMs: 60_000, bad: null })).toEqual({ kind: 'over' })
    expect(judgeStage(stage(10), { viewerMs: 1e6, ageMs: 1e6, bad: 'degraded' })).toMatchObject({
      kind: 'fall-back',
    })
  })

  it('lets in at least as many as give evidence, and never everybody', () => {
    expect([0, 4, 20, 1000].map(watching => stageShare(1, watching))).toEqual([50, 50, 25, 1])
    expect(stageShare(10, 1000)).toBe(10)
    expect(stageShare(100, 3)).toBe(100)
  })
})

describe('a return that goes on', () => {
  const folder = mkdtempSync(join(tmpdir(), 'vitrine-return-'))
  const clock = new FakeClock()
  let state: FullState
  let fleet: Fleet
  let keeper: ReturnKeeper
  beforeAll(async () => {
    state = await openFullState(folder, clock)
    const part = { role: 'edge', region: 'eu', tokenSha256: 'x' } as const
    await state.servers.enrol([
      { id: 'a', ...part },
      { id: 'b', ...part },
    ])
  })
  afterAll(async () => {
    await state.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const make = async (): Promise<void> => {
    fleet = new Fleet()
    fleet.load(await state.servers.list(), new Map(), await state.overrides.all(), state.nowMs())
    keeper = new ReturnKeeper({
      state,
      fleet,
      log: silentLog,
      onChange: () => Promise.resolve(),
      monotonicMs: () => clock.monotonicMs(),
    })
  }
  beforeEach(async () => {
    await make()
    await keeper.begin('a', 'run 1', 'mended', STAGE_MS)
  })

  const record = (): ServerRecord => fleet.get('a') as ServerRecord
  const pass = async (seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second += 1) {
      clock.advance(1000)
      fleet.sweepSessions(clock.monotonicMs())
      await keeper.turn()
    }
  }
  /** `count` sessions that it feeds. */
  const feed = (count: number): void => {
    for (let at = 0; at < count; at += 1) {
      const session = { sid: `s${at}`, title: 't', estimated: false, agoMs: 0, bytes: 1 }
      fleet.sessions.report('a', [session], clock.monotonicMs())
    }
  }
  const audits = async (): Promise<string[]> => {
    const rows = await state.db.selectFrom('audit').selectAll().orderBy('id').execute()
    return rows.slice(-3).map(({ action, facts }) => `${action} ${facts}`)
  }

  it('goes on by time where nobody watches, and the audit says on what evidence', async () => {
    await pass(1)
    expect(record().returnPercent).toBe(50)
    expect((await keeper.of('a'))?.percent).toBe(1)
    await pass(60)
    expect((await keeper.of('a'))?.percent).toBe(10)
    expect((await audits()).at(-1)).toContain('on synthetic views: nobody watches')
    await pass(121)
    expect(await keeper.of('a')).toBeNull()
    expect(record().returnPercent).toBeNull()
    expect((await audits()).at(-1)).toContain('server-returned')
  })

  it('goes on sooner with viewers, also after a restart of the control room', async () => {
    feed(10)
    await pass(9)
    expect((await keeper.of('a'))?.percent).toBe(1)
    await make()
    feed(10)
    await pass(11)
    expect((await keeper.of('a'))?.percent).toBe(10)
    expect((await audits()).at(-1)).toContain('on its viewers')
  })

  it('is broken off when it turns bad, and the edge is drained until somebody looks', async () => {
    await pass(5)
    record().standing = { ...record().standing, state: 'degraded' }
    record().reason = 'slow'
    await pass(1)
    expect(await keeper.of('a')).toBeNull()
    expect((await state.overrides.all()).get('a')).toMatchObject({
      kind: 'drain',
      by: 'return by run 1',
      reason: 'its return was broken off: degraded: slow',
      expiresAt: null,
    })
  })
})
