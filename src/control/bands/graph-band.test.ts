// The band behind a graph, on a store that answers from given lines.
import { describe, expect, it } from 'vitest'
import { silentLog } from '#base'
import type { MetricsStore } from '#metrics'
import { graphBand } from './graph-band.ts'

const DAY = 86_400_000
const TO = 1_800_000_000_000
const FROM = TO - 900_000

interface World {
  readonly oldestMs: number
  /** Of a server at a moment; null: none. */
  readonly value: (id: string, at: number) => number | null
  readonly healthy?: readonly string[]
}

function band({ oldestMs, value, healthy = ['a', 'b', 'c', 'd'] }: World): ReturnType<typeof graphBand> {
  const ask = async ({
    text,
    fromMs,
    toMs,
    stepMs,
  }: Parameters<MetricsStore['ask']>[0]): Promise<unknown> => {
    await Promise.resolve()
    const ids = /instance=~?"([^"]+)"/.exec(text)?.[1]?.split('|') ?? []
    const items = ids.flatMap(id => {
      const times: number[] = []
      for (let at = fromMs; at <= toMs; at += stepMs ?? 1) if (value(id, at) !== null) times.push(at)
      return times.length === 0
        ? []
        : [{ labels: { instance: id }, times, values: times.map(at => value(id, at) ?? 0) }]
    })
    return { value: { kind: 'matrix', items } }
  }
  const record = (id: string): object => ({
    id,
    role: 'edge',
    standing: { state: healthy.includes(id) ? 'healthy' : 'degraded' },
  })
  const all = ['a', 'b', 'c', 'd'].map(record)
  return graphBand(
    {
      store: { ask, stats: () => ({ oldestMs }) } as never,
      fleet: { all: () => all, get: (id: string) => (id === 'a' ? record('a') : null) } as never,
      log: silentLog,
    },
    { expr: 'rate(x{instance="a"}[15s])', labels: { instance: 'a' }, fromMs: FROM, toMs: TO },
  )
}

describe('the band behind a graph', () => {
  it('is its own past at this hour, and follows it through the window; one bad day does not move it', async () => {
    const shape = (at: number): number => 1 + (((at % DAY) + DAY) % DAY) / DAY
    const value = (_: string, at: number): number => (Math.round((TO - at) / DAY) === 3 ? 50 : shape(at))
    const drawn = await band({ oldestMs: TO - 20 * DAY, value })
    expect(drawn).toMatchObject({ basis: 'own', n: 8, text: 'its own of this hour, 8 earlier days' })
    expect(drawn.points.length).toBeGreaterThan(50)
    for (const { at, low, high } of drawn.points) {
      expect(low).toBeLessThan(shape(at))
      expect(high).toBeGreaterThan(shape(at))
      expect(high).toBeLessThan(5)
    }
  })

  it('is its healthy peers while there is no day of its own, asked by the same question', async () => {
    const value = (id: string): number => (id === 'a' ? 9 : 2)
    const drawn = await band({ oldestMs: TO - DAY / 2, value })
    expect(drawn).toMatchObject({ basis: 'peers', n: 3, text: '3 healthy peers' })
    expect(drawn.points[0]).toMatchObject({ low: 1.5, high: 2.5 })
  })

  it('is a short baseline with two healthy peers, never below zero, and nothing without samples', async () => {
    const healthy = ['a', 'b', 'c']
    const short = await band({ oldestMs: FROM - 600_000, value: () => 0, healthy })
    expect(short).toMatchObject({ basis: 'short baseline', text: 'short baseline, 10 min of its own' })
    expect(short.points).toEqual([
      { at: FROM, low: 0, high: 0 },
      { at: TO, low: 0, high: 0 },
    ])
    const none = await band({ oldestMs: TO, value: () => null, healthy })
    expect(none).toMatchObject({ basis: 'none', points: [] })
  })
})
