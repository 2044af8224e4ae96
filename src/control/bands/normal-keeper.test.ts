import { describe, expect, it } from 'vitest'
import type { NormalAnswer, SignalView } from '#wire'
import type { ServerRecord } from '../fleet/fleet.ts'
import { overall } from './judge-band.ts'
import { NormalKeeper } from './normal-keeper.ts'

type Standing = NormalAnswer['servers'][number]

function world(ids: readonly string[]): {
  keeper: NormalKeeper
  at: { ms: number }
  cpu: Map<string, SignalView['word']>
  looked: string[]
  records: ServerRecord[]
} {
  const at = { ms: 1000 }
  const cpu = new Map<string, SignalView['word']>()
  const looked: string[] = []
  const records = ids.map(id => ({ id, role: 'edge' }) as Partial<ServerRecord> as ServerRecord)
  const keeper = new NormalKeeper({
    bands: {
      check: async ({ id }): Promise<Standing> => {
        looked.push(id)
        const word = cpu.get(id) ?? 'ok'
        const view = { signal: 'cpu', word, text: `cpu ${word}`, basis: 'own' } as SignalView
        return await Promise.resolve({
          id,
          state: 'healthy',
          word: word === 'ok' ? 'ok' : 'out',
          text: '',
          signals: [view],
        })
      },
    },
    fleet: { all: () => records, get: () => null },
    nowMs: () => at.ms,
  })
  return { keeper, at, cpu, looked, records }
}

describe('since when a server is within its normal range', () => {
  it('is from the first of two looks that say so, and one alone changes nothing', async () => {
    const { keeper, at, cpu } = world(['a'])
    expect(keeper.wallOf('a')).toBeNull()
    await keeper.turn()
    cpu.set('a', 'high')
    at.ms = 6000
    await keeper.turn()
    expect(keeper.wallOf('a')).toMatchObject({ word: 'ok', since: 1000 })
    at.ms = 11_000
    await keeper.turn()
    expect(keeper.wallOf('a')).toMatchObject({
      word: 'out',
      since: 6000,
      signals: [{ signal: 'cpu', word: 'high', since: 6000 }],
    })
    cpu.delete('a')
    at.ms = 16_000
    await keeper.turn()
    cpu.set('a', 'high')
    at.ms = 21_000
    await keeper.turn()
    expect(keeper.wallOf('a')).toMatchObject({ word: 'out', since: 6000 })
  })

  it('is looked at a few servers at a time, each in its turn, and forgotten with the server', async () => {
    const { keeper, looked, records } = world(Array.from({ length: 8 }, (_, place) => `edge-${place}`))
    for (let turn = 0; turn < 3; turn += 1) await keeper.turn()
    expect(looked.slice(0, 8)).toEqual(records.map(({ id }) => id))
    expect(looked[8]).toBe('edge-0')
    records.shift()
    await keeper.turn()
    expect(keeper.wallOf('edge-0')).toBeNull()
  })
})

it('gives each reason once where it cannot tell', () => {
  const view = (signal: SignalView['signal'], value: number | null): SignalView => ({
    signal,
    unit: '',
    value,
    low: null,
    high: null,
    basis: 'none',
    n: 0,
    word: 'cannot-tell',
    text: '',
  })
  const { text } = overall([view('cpu', 1), view('load', 2), view('first-byte', null)], false)
  expect(text).toBe('cannot tell: nothing to compare with yet: cpu, load; not measured now: first-byte')
  expect(overall([], false).text).toBe('cannot tell: nothing is measured')
})
