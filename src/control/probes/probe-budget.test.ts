import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '#base'
import { openDatabase, type StateDb } from '../state/database.ts'
import { ProbeBudget } from './probe-budget.ts'
import { ProbeCredentials } from './probe-credentials.ts'
import { chooseTitles } from './probe-titles.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

async function database(): Promise<StateDb> {
  const folder = mkdtempSync(join(tmpdir(), 'vitrine-budget-'))
  closing.push(() => rmSync(folder, { recursive: true }))
  const state = await openDatabase(folder, systemClock)
  closing.push(() => state.close())
  return state
}

const november = Date.UTC(2026, 10, 20)
interface Time {
  nowMs: number
}
async function open(
  state: StateDb,
  time: Time,
  bytesMonth: number,
  capacity: number | null = null,
): Promise<ProbeBudget> {
  const clock = { ...systemClock, monotonicMs: () => time.nowMs }
  const nowMs = (): number => november + time.nowMs
  const fleetTime = { nowMs, known: () => true, fromBootMs: (bootMs: number) => bootMs }
  return await ProbeBudget.open({ bytesMonth, capacityBps: () => capacity, clock, fleetTime, state })
}

describe('the budget of probes', () => {
  it('is spread over the month: an hour’s worth at once, then as it comes back', async () => {
    const time = { nowMs: 0 }
    const budget = await open(await database(), time, 20e9)
    const hour = (20e9 / (30 * 86_400)) * 3600
    expect(budget.may('eu', hour)).toBe(true)
    budget.spend('eu', hour)
    expect([budget.may('eu', 1000), budget.isOpen('eu')]).toEqual([false, false])
    expect(budget.may('us', 1000)).toBe(true)
    // What is not urgent leaves half of it to what is.
    expect([budget.isAmple('eu'), budget.isAmple('us')]).toEqual([false, true])
    budget.spend('us', hour * 0.6)
    expect([budget.isAmple('us'), budget.isOpen('us')]).toEqual([false, true])
    time.nowMs = 1000
    expect([budget.may('eu', 7000), budget.may('eu', 8000)]).toEqual([true, false])
    expect(budget.refused).toBe(2)
  })

  it('ends when the month’s bytes are used, and begins anew with the next', async () => {
    const time = { nowMs: 0 }
    const budget = await open(await database(), time, 1e6)
    budget.spend('eu', 1e6)
    time.nowMs = 5 * 86_400_000
    expect([budget.isOpen('eu'), budget.may('eu', 1), budget.used('eu')]).toEqual([false, false, 1e6])
    time.nowMs = 11 * 86_400_000
    expect([budget.isOpen('eu'), budget.may('eu', 1), budget.used('eu')]).toEqual([true, true, 0])
  })

  it('takes at most 1 % of a line that is known', async () => {
    const budget = await open(await database(), { nowMs: 0 }, 20e9, 1e6)
    const hour = (1e6 / 8) * 0.01 * 3600
    expect([budget.may('eu', hour), budget.may('eu', hour + 1)]).toEqual([true, false])
  })

  it('remembers what was spent this month over a restart', async () => {
    const state = await database()
    const time = { nowMs: 0 }
    const budget = await open(state, time, 20e9)
    budget.spend('eu', 5e6)
    await budget.flush()
    budget.spend('eu', 1e6)
    await budget.flush()
    expect((await open(state, time, 20e9)).used('eu')).toBe(6e6)
  })

  it('of nothing lets nobody look', async () => {
    const budget = await open(await database(), { nowMs: 0 }, 0)
    expect([budget.may('eu', 1), budget.isOpen('eu')]).toEqual([false, false])
  })
})

describe('credentials of probes', () => {
  it('are of one target and one hour, the same over a restart, and known for an hour around', async () => {
    const state = await database()
    const first = await ProbeCredentials.open(state)
    const again = await ProbeCredentials.open(state)
    expect(again.credential('eu', 7)).toBe(first.credential('eu', 7))
    expect(
      new Set([first.credential('eu', 7), first.credential('us', 7), first.credential('eu', 8)]).size,
    ).toBe(3)
    expect(first.accepts('eu', 7)[2]).toBe(first.accepts('eu', 8)[1])
    expect(first.accepts('eu', 7)).toHaveLength(3)
  })
})

describe('titles that prove an edge', () => {
  const title = (id: string, kind = 'vod', state: 'ready' | 'broken' = 'ready') => ({
    id,
    class: kind,
    state,
  })
  const library = [
    title('a'),
    title('b'),
    title('bad', 'vod', 'broken'),
    title('sample', 'builtin'),
    title('c'),
  ]

  it('are the sample, one that is watched, and one that nobody watches', () => {
    for (let turn = 0; turn < 20; turn += 1) {
      const [sample, warm, cold] = chooseTitles(library, ['gone', 'b'], turn)
      expect([sample, warm]).toEqual(['sample', 'b'])
      expect(['a', 'c']).toContain(cold)
    }
  })

  it('are fewer where there are no such, each once', () => {
    expect(chooseTitles([title('a')], ['a'], 3)).toEqual(['a'])
    expect(chooseTitles([], ['a'], 3)).toEqual([])
    expect(chooseTitles([title('bad', 'vod', 'broken')], [], 3)).toEqual([])
  })
})
