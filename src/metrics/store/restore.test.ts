import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog, systemClock } from '#base'
import { openStore } from './open-store.ts'
import type { MetricsStore } from './store.ts'

const T0 = 1_700_000_000_000
const HOUR_S = 3600

let folder: string
let store: MetricsStore

function open(at: string = folder): MetricsStore {
  return openStore({ folder: at, clock: systemClock, log: silentLog })
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-restore-'))
  store = open()
})
afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

/** One sample a second of each series, whose value is the second. */
function write(
  fromS: number,
  toS: number,
  series: readonly string[] = ['a', 'b'],
  into: MetricsStore = store,
): void {
  const samples = Array.from({ length: toS - fromS }, (_, at) => ({
    timestampMs: T0 + (fromS + at) * 1000,
    value: fromS + at,
  }))
  const batch = series.map(name => ({ labels: { __name__: 'x', series: name }, samples }))
  into.write(batch, T0 + toS * 1000)
}

function counts(of: MetricsStore = store): unknown {
  const answer = of.query('count_over_time(x[30d])', T0 + 86_400_000)
  if (answer.kind !== 'vector') throw new Error(answer.kind)
  return Object.fromEntries(answer.items.map(item => [item.labels['series'], item.value]))
}

describe('a snapshot', () => {
  it('gives back what was deleted, and doubles nothing', async () => {
    write(0, HOUR_S)
    const name = await store.snapshot()
    await store.deleteSeries(['x{series="a"}'], T0 + 600_000, T0 + 1_199_000)
    await store.deleteSeries(['x{series="b"}'], 0, T0 + 10 * HOUR_S * 1000)
    expect(counts()).toEqual({ a: 3000 })
    expect(await store.restore(name, null)).toMatchObject({ phase: 'done', samples: 4200, seriesDone: 2 })
    expect(counts()).toEqual({ a: 3600, b: 3600 })
    // Once more: nothing is lacking now.
    expect(await store.restore(name, null)).toMatchObject({ phase: 'done', samples: 0 })
    expect(counts()).toEqual({ a: 3600, b: 3600 })
    await store.close()
    store = open()
    expect(counts()).toEqual({ a: 3600, b: 3600 })
    expect(store.query('x', T0 + 700_000)).toMatchObject({ items: [{ value: 700 }, { value: 700 }] })
  })

  it('comes back into an empty store that takes samples meanwhile', async () => {
    write(
      0,
      HOUR_S,
      Array.from({ length: 300 }, (_, at) => String(at)),
    )
    const source = join(folder, 'snapshots', await store.snapshot())
    const other = mkdtempSync(join(tmpdir(), 'vitrine-restore-'))
    const fresh = open(other)
    try {
      const restoring = fresh.restore('copy', source)
      let writes = 0
      let phases = ''
      for (let isDone = false; !isDone; writes += 1) {
        write(HOUR_S + writes, HOUR_S + writes + 1, ['0', 'new'], fresh)
        phases = fresh.restoreProgress()?.phase ?? phases
        await expect(fresh.restore('copy', source)).rejects.toMatchObject({ code: 'metrics-restore-busy' })
        isDone = await Promise.race([
          restoring.then(() => true),
          new Promise<boolean>(resolve => {
            setImmediate(() => resolve(false))
          }),
        ])
      }
      expect(writes).toBeGreaterThan(1)
      expect(await restoring).toMatchObject({ phase: 'done', samples: 300 * HOUR_S, series: 300 })
      expect(counts(fresh)).toMatchObject({ 0: HOUR_S + writes, 1: HOUR_S, new: writes })
      // What was acknowledged while it ran is there after a start as well.
      await fresh.close()
      const again = open(other)
      expect(counts(again)).toMatchObject({ 0: HOUR_S + writes, 299: HOUR_S, new: writes })
      await again.close()
    } finally {
      await fresh.close()
      rmSync(other, { recursive: true, force: true })
    }
  })

  it('holds what was written before it, also while a seal is running', async () => {
    write(0, 10)
    const sealing = store.seal()
    await new Promise(setImmediate)
    write(10, 20)
    const name = await store.snapshot()
    await sealing
    await store.deleteSeries(['x'], 0, T0 + 1e9)
    await store.restore(name, null)
    expect(counts()).toEqual({ a: 20, b: 20 })
  })

  it('does not overwrite what the store has', async () => {
    write(0, 100)
    const name = await store.snapshot()
    await store.deleteSeries(['x'], 0, T0 + 1e9)
    store.write(
      [{ labels: { __name__: 'x', series: 'a' }, samples: [{ timestampMs: T0 + 50_000, value: -1 }] }],
      T0 + 100_000,
    )
    await store.restore(name, null)
    expect(counts()).toEqual({ a: 100, b: 100 })
    expect(store.query('x', T0 + 50_000)).toMatchObject({ items: [{ value: -1 }, { value: 50 }] })
  })

  it('leaves the ledger as it was, and brings it to a store that has none', async () => {
    const labels = { __name__: 'vitrine_edge_sent_bytes_total', instance: 'eu-west' }
    const samples = [0, 1, 2].map(at => ({ timestampMs: T0 + at * 1000, value: 1000 * at }))
    store.write([{ labels, samples }], T0 + 3000)
    const name = await store.snapshot()
    const before = store.ledger(T0, T0)
    expect(before).toMatchObject([{ measure: 'bytes', value: 2000 }])
    await store.deleteSeries(['vitrine_edge_sent_bytes_total'], 0, T0 + 1e9)
    await store.restore(name, null)
    expect(store.ledger(T0, T0)).toEqual(before)
    const other = mkdtempSync(join(tmpdir(), 'vitrine-restore-'))
    const fresh = open(other)
    await fresh.restore(name, join(folder, 'snapshots', name))
    expect(fresh.ledger(T0, T0)).toEqual(before)
    // And it goes on from there.
    fresh.write([{ labels, samples: [{ timestampMs: T0 + 4000, value: 3500 }] }], T0 + 4000)
    await fresh.seal()
    expect(fresh.ledger(T0, T0)).toMatchObject([{ value: 3500 }])
    await fresh.close()
    rmSync(other, { recursive: true, force: true })
  })
})

describe('what is no whole snapshot', () => {
  it.each(['nothing', '../../../etc', '0000000000001-1'])('%s is not known', async name => {
    await expect(store.restore(name, null)).rejects.toMatchObject({ code: 'metrics-snapshot-unknown' })
    expect(store.restoreProgress()).toBeNull()
  })

  it('is refused wherever a byte is damaged, before anything changes', async () => {
    write(0, HOUR_S, ['a', 'b', 'c', 'd'])
    const name = await store.snapshot()
    const whole = join(folder, 'snapshots', name)
    const bytes = readFileSync(join(whole, 'chunks.db'))
    await store.deleteSeries(['x'], 0, T0 + 1e9)
    for (let round = 0; round < 40; round += 1) {
      const copy = join(folder, `damaged-${round}`)
      cpSync(whole, copy, { recursive: true })
      const damaged = Buffer.from(bytes)
      const at = Math.floor((round / 40) * bytes.length)
      damaged.fill(0x5a, at, at + 600)
      writeFileSync(join(copy, 'chunks.db'), damaged)
      await expect(store.restore('copy', copy), `byte ${at}`).rejects.toMatchObject({
        code: 'metrics-snapshot-damaged',
      })
      expect(counts()).toEqual({})
      rmSync(copy, { recursive: true, force: true })
    }
    const cut = join(folder, 'cut')
    cpSync(whole, cut, { recursive: true })
    rmSync(join(cut, 'snapshot.json'))
    await expect(store.restore('cut', cut)).rejects.toMatchObject({
      code: 'metrics-snapshot-damaged',
      message: expect.stringMatching(/never finished; nothing was changed/),
    })
    expect(existsSync(whole)).toBe(true)
    expect(await store.restore(name, null)).toMatchObject({ phase: 'done', samples: 4 * HOUR_S })
  })
})
