// Which basis a server is compared with, on a store that answers from given values: its own of this hour on earlier
// days, else its healthy peers, else its own last healthy minutes, else none.
import { describe, expect, it } from 'vitest'
import { silentLog } from '#base'
import type { MetricsStore } from '#metrics'
import type { ServerRecord } from '../fleet/fleet.ts'
import { BandKeeper } from './band-keeper.ts'

const DAY = 86_400_000
const NOW = 1_800_000_000_000

interface World {
  readonly oldestMs: number
  /** Cores in use now, by server. */
  readonly now: Readonly<Record<string, number>>
  /** What an earlier span holds, by days back. */
  readonly earlier?: (daysBack: number) => readonly number[]
  readonly healthy?: readonly string[]
  readonly history?: readonly { readonly at: number; readonly to: string }[]
}
const asked: string[] = []

function keeperOf({ oldestMs, now, earlier = () => [], healthy = Object.keys(now), history = [] }: World): {
  keeper: BandKeeper
  record: (id: string) => ServerRecord
} {
  const record = (id: string): ServerRecord =>
    ({
      id,
      role: 'edge',
      since: NOW - DAY,
      standing: { state: healthy.includes(id) ? 'healthy' : 'degraded' },
    }) as Partial<ServerRecord> as ServerRecord
  const ask = async ({ text, fromMs, stepMs }: Parameters<MetricsStore['ask']>[0]): Promise<unknown> => {
    const id = /instance="([^"]+)"/.exec(text)?.[1] ?? ''
    asked.push(`${id} ${fromMs}`)
    await Promise.resolve()
    if (stepMs === null)
      return { value: { kind: 'vector', items: [{ labels: {}, value: now[id] ?? Number.NaN }] } }
    const values = earlier(Math.round((NOW - fromMs) / DAY))
    return { value: { kind: 'matrix', items: [{ labels: {}, values, times: values.map(() => fromMs) }] } }
  }
  const keeper = new BandKeeper({
    store: { ask, stats: () => ({ oldestMs }) } as never,
    fleet: { all: () => Object.keys(now).map(record) } as never,
    servers: { history: async () => await Promise.resolve(history) } as never,
    log: silentLog,
    nowMs: () => NOW,
  })
  return { keeper, record }
}

const cpu = async (world: World, id = 'a'): ReturnType<BandKeeper['check']> => {
  const { keeper, record } = keeperOf(world)
  return await keeper.check(record(id), ['cpu'])
}
const noisy = (middle: number, count: number): number[] =>
  Array.from({ length: count }, (_, place) => middle + (place % 5) * 0.01)

describe('what a server is compared with', () => {
  it('is its own of this hour where a day is stored: the robust middle, which one bad day does not move', async () => {
    const earlier = (days: number): number[] => (days === 3 ? noisy(1.9, 60) : noisy(0.4, 60))
    const world = { oldestMs: NOW - 20 * DAY, earlier }
    const well = await cpu({ ...world, now: { a: 0.5, b: 9, c: 9, d: 9 } })
    expect(well).toMatchObject({ word: 'ok', signals: [{ basis: 'own', n: 480 }] })
    const out = await cpu({ ...world, now: { a: 1.9 } })
    expect(out.word).toBe('out')
    expect(out.text).toContain('its own of this hour, 480 values')
  })

  it('never asks for days before the store began', async () => {
    asked.length = 0
    await cpu({ oldestMs: NOW - 2.5 * DAY, earlier: () => noisy(0.4, 60), now: { a: 0.4 } })
    const days = asked
      .map(line => Math.round((NOW - Number(line.split(' ')[1])) / DAY))
      .filter(one => one > 0)
    expect(days).toEqual([1, 2])
  })

  it('is its peers while there is no day of its own: three or more that are healthy, and none that is ill', async () => {
    const young = { oldestMs: NOW - DAY / 2 }
    const out = await cpu({ ...young, now: { a: 1.9, b: 0.3, c: 0.35, d: 0.3 } })
    expect(out).toMatchObject({ word: 'out', signals: [{ basis: 'peers', n: 3, word: 'high' }] })
    expect(out.text).toContain('3 healthy peers')
    expect(await cpu({ ...young, now: { a: 0.4, b: 0.3, c: 0.35, d: 0.3 } })).toMatchObject({ word: 'ok' })
    // With one of them ill two are left, which is no majority of anything.
    const ill = { ...young, now: { a: 0.4, b: 0.3, c: 0.35, d: 9 }, healthy: ['a', 'b', 'c'] }
    expect(await cpu(ill)).toMatchObject({ word: 'cannot-tell', signals: [{ basis: 'none' }] })
  })

  it('is its own last healthy minutes else, and says so; with none of them it cannot be told', async () => {
    const young = { oldestMs: NOW - 1000, now: { a: 0.4 } }
    const history = [
      { at: NOW - 60_000, to: 'unreachable' },
      { at: NOW - 600_000, to: 'healthy' },
    ]
    const short = await cpu({ ...young, history, earlier: () => noisy(0.4, 12) })
    expect(short).toMatchObject({ word: 'ok', signals: [{ basis: 'short baseline' }] })
    expect(short.text).toContain('short baseline')
    expect(await cpu({ ...young, history, earlier: () => noisy(0.4, 3) })).toMatchObject({
      word: 'cannot-tell',
    })
    // Half a minute of health is none.
    const brief = [
      { at: NOW - 60_000, to: 'unreachable' },
      { at: NOW - 90_000, to: 'healthy' },
    ]
    expect(await cpu({ ...young, history: brief, earlier: () => noisy(0.4, 12) })).toMatchObject({
      word: 'cannot-tell',
    })
  })

  it('is not needed where nothing is measured now: that is never well', async () => {
    expect(await cpu({ oldestMs: NOW - 20 * DAY, earlier: () => noisy(0.4, 60), now: {} })).toMatchObject({
      word: 'cannot-tell',
    })
  })
})
