import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog, systemClock } from '#base'
import { pointsOf } from '../promql/value.ts'
import { REMOTE_WRITE_LIMITS } from '../remote-write/read-remote-write.ts'
import { encodeRemoteWrite } from '../remote-write/write-remote-write.ts'
import { staleMarker } from '../stale.ts'
import { inspectStore, verifyStore } from './inspect.ts'
import { openStore } from './open-store.ts'
import type { IngestResult, MetricsStore, StoreOptions, WriteResult, WriteSeries } from './store.ts'

const T0 = 1_700_000_000_000
const MINUTE = 60_000

let folder: string
let store: MetricsStore
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-store-'))
  store = open()
})
afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

function open(options: Partial<StoreOptions> = {}): MetricsStore {
  return openStore({ folder, clock: systemClock, log: silentLog, ...options })
}

async function reopen(options: Partial<StoreOptions> = {}): Promise<void> {
  await store.close()
  store = open(options)
}

type Pairs = readonly (readonly [offsetMs: number, value: number])[]

function batch(pairs: Pairs, labels: Record<string, string> = {}): WriteSeries {
  return {
    labels: { __name__: 'x', ...labels },
    samples: pairs.map(([offsetMs, value]) => ({ timestampMs: T0 + offsetMs, value })),
  }
}

function write(pairs: Pairs, nowOffsetMs = 0, labels: Record<string, string> = {}): WriteResult {
  return store.write([batch(pairs, labels)], T0 + nowOffsetMs)
}

/** All samples of `x`, as offsets from T0 and values. */
function stored(selector = 'x'): [number, number][] {
  const answer = store.query(`${selector}[30d]`, T0 + 86_400_000)
  if (answer.kind !== 'matrix') throw new Error(answer.kind)
  return answer.items.flatMap(item =>
    pointsOf(item).map(({ timestampMs, value }): [number, number] => [timestampMs - T0, value]),
  )
}

describe('writing', () => {
  it('accepts samples in order and says how many series are new', () => {
    expect(
      write([
        [0, 1],
        [1000, 2],
      ]),
    ).toMatchObject({ accepted: 2, newSeries: 1 })
    expect(write([[2000, 3]])).toMatchObject({ accepted: 1, newSeries: 0 })
    expect(stored()).toEqual([
      [0, 1],
      [1000, 2],
      [2000, 3],
    ])
  })

  it('inserts late samples within ten minutes and refuses older ones', () => {
    write([[10 * MINUTE, 1]])
    expect(write([[0, 2]])).toMatchObject({ accepted: 1 })
    expect(write([[-1, 3]])).toMatchObject({ accepted: 0, refused: { 'out-of-order': 1 } })
    expect(stored()).toEqual([
      [0, 2],
      [10 * MINUTE, 1],
    ])
  })

  it('ignores duplicates, and keeps the first of two values at one instant', () => {
    write([
      [0, 1],
      [1, Number.NaN],
    ])
    const result = write([
      [0, 1],
      [0, 2],
      [1, Number.NaN],
      [1, staleMarker()],
    ])
    expect(result).toMatchObject({ accepted: 0, refused: { duplicate: 2, conflict: 2 } })
    expect(stored()).toEqual([
      [0, 1],
      [1, Number.NaN],
    ])
  })

  it('finds duplicates of samples that only SQLite has, after a start', async () => {
    write([
      [0, 1],
      [1000, 2],
      [2000, 3],
    ])
    await store.seal()
    await reopen()
    expect(
      write([
        [1000, 2],
        [0, 9],
        [1500, 5],
      ]),
    ).toMatchObject({
      accepted: 1,
      refused: { duplicate: 1, conflict: 1 },
    })
    expect(stored()).toEqual([
      [0, 1],
      [1000, 2],
      [1500, 5],
      [2000, 3],
    ])
  })

  it('refuses samples more than ten minutes ahead, older than the retention, and stamps that are none', async () => {
    await reopen({ retentionMs: 60 * MINUTE })
    expect(
      write([
        [10 * MINUTE, 1],
        [10 * MINUTE + 1, 1],
      ]),
    ).toMatchObject({
      accepted: 1,
      refused: { 'too-far-ahead': 1 },
    })
    const result = write(
      [
        [-60 * MINUTE - 1, 1],
        [0.5, 1],
        [Number.NaN, 1],
      ],
      0,
      { other: 'y' },
    )
    expect(result).toMatchObject({ accepted: 0, refused: { 'too-old': 1, invalid: 2 } })
    expect(store.stats().series).toBe(1)
  })

  it('refuses series without a good name, with too many or too long labels, and above the limit', async () => {
    await reopen({ seriesMax: 1 })
    const samples = [{ timestampMs: T0, value: 1 }]
    const many = Object.fromEntries(Array.from({ length: 64 }, (_, index) => [`l${index}`, 'v']))
    const result = store.write(
      [
        { labels: { a: 'b' }, samples },
        { labels: { __name__: '1x' }, samples },
        { labels: { __name__: 'x', ...many }, samples },
        { labels: { __name__: 'x', a: 'v'.repeat(5000) }, samples },
        { labels: { __name__: 'x', a: '\ud800' }, samples },
        { labels: { __name__: 'x', a: '1' }, samples },
        { labels: { __name__: 'x', a: '2' }, samples },
      ],
      T0,
    )
    expect(result).toMatchObject({
      accepted: 1,
      refused: { invalid: 3, 'label-limit': 2, 'series-limit': 1 },
    })
    expect(store.stats().refusedTotal).toMatchObject({ invalid: 3, 'label-limit': 2, 'series-limit': 1 })
  })

  it('takes labels in any order, and empty ones, for the same series', () => {
    const samples = (at: number): WriteSeries['samples'] => [{ timestampMs: T0 + at, value: at }]
    store.write([{ labels: { b: '2', __name__: 'x', a: '1' }, samples: samples(0) }], T0)
    store.write([{ labels: { __name__: 'x', a: '1', b: '2', c: '' }, samples: samples(1) }], T0)
    expect(store.stats().series).toBe(1)
    expect(Object.keys(store.series([], T0, T0 + 1)[0] ?? {})).toEqual(['__name__', 'a', 'b'])
  })

  it('is refused once the store is closed', async () => {
    await store.close()
    expect(() => write([[0, 1]])).toThrow(expect.objectContaining({ code: 'metrics-store-closed' }))
  })
})

describe('recovery', () => {
  it('brings back everything from the log, from SQLite and from both', async () => {
    write([
      [0, 1],
      [1000, 2],
    ])
    await reopen()
    expect(stored()).toEqual([
      [0, 1],
      [1000, 2],
    ])
    await store.seal()
    write([
      [2000, 3],
      [500, 4],
    ])
    await reopen()
    expect(stored()).toEqual([
      [0, 1],
      [500, 4],
      [1000, 2],
      [2000, 3],
    ])
    expect(store.newestMs()).toBe(T0 + 2000)
    await store.seal()
    await reopen()
    expect(stored()).toEqual([
      [0, 1],
      [500, 4],
      [1000, 2],
      [2000, 3],
    ])
    expect(store.stats()).toMatchObject({ seals: 2, memoryBytes: 0, logBytes: 0 })
  })

  it('doubles nothing when a crash comes between the commit of a seal and the deletion of its log', async () => {
    write([
      [0, 1],
      [1000, 2],
    ])
    await store.seal()
    write([[2000, 3]])
    await store.close()
    // The state of such a crash: the checkpoint says that segment 2 is sealed, and the file is still there.
    const db = new Database(join(folder, 'chunks.db'))
    db.prepare("UPDATE meta SET value = 2 WHERE name = 'checkpoint'").run()
    db.close()
    store = open()
    expect(stored()).toEqual([
      [0, 1],
      [1000, 2],
    ])
    expect(readdirSync(join(folder, 'log'))).toEqual(['0000000003.log'])
  })

  it('puts samples back when a seal fails, and seals them with the next one', async () => {
    write([[0, 1]])
    const db = new Database(join(folder, 'chunks.db'))
    db.exec("CREATE TRIGGER refuse BEFORE INSERT ON chunk BEGIN SELECT raise(ABORT, 'refused'); END")
    await expect(store.seal()).rejects.toThrow(expect.objectContaining({ code: 'metrics-store-failed' }))
    write([[1000, 2]])
    expect(stored()).toEqual([
      [0, 1],
      [1000, 2],
    ])
    await reopen()
    expect(stored()).toEqual([
      [0, 1],
      [1000, 2],
    ])
    db.exec('DROP TRIGGER refuse')
    db.close()
    await store.seal()
    expect(store.stats()).toMatchObject({ seals: 1, logBytes: 0 })
    await reopen()
    expect(stored()).toEqual([
      [0, 1],
      [1000, 2],
    ])
  })

  it('has nothing to replay after it was closed in order, when it was asked to seal then', async () => {
    await reopen({ sealOnClose: true })
    write([[0, 1]])
    await reopen()
    expect(store.stats()).toMatchObject({ seals: 1, logBytes: 0 })
    expect(stored()).toEqual([[0, 1]])
  })

  it('refuses a folder of another format', async () => {
    await store.close()
    const db = new Database(join(folder, 'chunks.db'))
    db.prepare("UPDATE meta SET value = 99 WHERE name = 'format'").run()
    db.close()
    expect(() => open()).toThrow(/expected format 3, got 99/)
    db.close()
    rmSync(join(folder, 'chunks.db'))
    store = open()
  })

  it('sets a folder of the first format aside, and starts anew', async () => {
    write([[0, 1]])
    await store.close()
    const db = new Database(join(folder, 'chunks.db'))
    db.prepare("UPDATE meta SET value = 1 WHERE name = 'format'").run()
    db.close()
    store = open()
    expect(stored()).toEqual([])
    expect(readdirSync(join(folder, 'format-1')).sort()).toContain('chunks.db')
    expect(write([[0, 1]])).toMatchObject({ accepted: 1 })
  })

  it('equals a plain list under any order of writes, seals and starts', async () => {
    const step = fc.oneof(
      {
        weight: 8,
        arbitrary: fc.array(fc.tuple(fc.integer({ min: 0, max: 400 }), fc.nat(3)), { maxLength: 6 }),
      },
      { weight: 1, arbitrary: fc.constant('seal' as const) },
      { weight: 1, arbitrary: fc.constant('reopen' as const) },
    )
    let run = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async steps => {
        run += 1
        const labels = { run: String(run) }
        const model = new Map<number, number>()
        let newest = 0
        for (const one of steps) {
          if (one === 'seal') await store.seal()
          else if (one === 'reopen') await reopen()
          else {
            const pairs = one.map(([at, value]): [number, number] => [at * 3000, value])
            write(pairs, 30 * MINUTE, labels)
            for (const [at, value] of pairs) {
              if (at < newest - 10 * MINUTE || model.has(at)) continue
              model.set(at, value)
              newest = Math.max(newest, at)
            }
          }
        }
        expect(stored(`x{run="${run}"}`)).toEqual([...model].sort(([a], [b]) => a - b))
      }),
      { numRuns: 40 },
    )
  })
})

describe('deleting', () => {
  it('removes a time of some series, in memory and on disk, and what it removed does not come back', async () => {
    write(
      [
        [0, 1],
        [1000, 2],
      ],
      0,
      { keep: 'no' },
    )
    await store.seal()
    write([[2000, 3]], 0, { keep: 'no' })
    write([[0, 9]], 0, { keep: 'yes' })
    expect(await store.deleteSeries(['x{keep="no"}'], T0 + 500, T0 + 1500)).toBe(1)
    const left: [number, number][] = [
      [0, 1],
      [2000, 3],
    ]
    expect(stored('x{keep="no"}')).toEqual(left)
    await reopen()
    expect(stored('x{keep="no"}')).toEqual(left)
    write([[3000, 4]], 0, { keep: 'no' })
    expect(stored('x{keep="no"}')).toEqual([...left, [3000, 4]])
    expect(await store.deleteSeries(['x{keep="no"}'], 0, T0 * 2)).toBe(1)
    expect(stored()).toEqual([[0, 9]])
    expect(store.stats().series).toBe(1)
    // The same labels are a new series now.
    expect(write([[1000, 5]], 0, { keep: 'no' })).toMatchObject({ accepted: 1, newSeries: 1 })
    await reopen()
    expect(stored('x{keep="no"}')).toEqual([[1000, 5]])
  })

  it('can be made good by a snapshot, from which a store opens', async () => {
    write([[0, 1]])
    const name = await store.snapshot()
    await store.deleteSeries(['x'], 0, T0 * 2)
    write([[1000, 2]])
    await store.close()
    const copy = openStore({ folder: join(folder, 'snapshots', name), clock: systemClock, log: silentLog })
    expect(copy.query('x[30d]', T0 + 60_000)).toMatchObject({
      items: [{ times: Float64Array.of(T0), values: Float64Array.of(1) }],
    })
    await copy.close()
    store = open()
  })
})

describe('looking from outside', () => {
  it('counts what is there while it is open, and names a damaged chunk', async () => {
    write([[0, 1]])
    await store.seal()
    write([[1000, 2]])
    expect(inspectStore(folder)).toMatchObject({
      series: 1,
      seals: 1,
      sealedSamples: 1,
      log: [{ samples: 1 }],
    })
    expect(verifyStore(folder)).toEqual({ chunks: 1, samples: 1, logRecords: 1, damage: [] })
    const db = new Database(join(folder, 'chunks.db'))
    db.prepare('UPDATE chunk SET data = ?').run(Buffer.from('nonsense'))
    db.close()
    expect(verifyStore(folder).damage).toEqual([expect.stringContaining('is damaged')])
  })
})

describe('series limits', () => {
  it('hold for one sender, and let go on what is known', async () => {
    await reopen({ senderSeriesMax: 2 })
    const ingest = (count: number, offsetMs: number): IngestResult =>
      store.ingest(
        {
          body: encodeRemoteWrite(
            Array.from({ length: count }, (_, at) => batch([[offsetMs, at]], { at: String(at) })),
          ),
          version: '1.0',
          limits: REMOTE_WRITE_LIMITS,
          sender: 'eu-west',
          accept: null,
        },
        T0,
      )
    expect(ingest(5, 0)).toMatchObject({ accepted: 2, refused: { 'sender-series-limit': 3 } })
    expect(ingest(5, 1000)).toMatchObject({ accepted: 2, refused: { 'sender-series-limit': 3 } })
    expect(write([[0, 1]], 0, { other: 'yes' })).toMatchObject({ accepted: 1 })
  })

  it('of a sender outlive a start, from the log as from a seal', async () => {
    await reopen({ senderSeriesMax: 2 })
    const ingest = (at: string): IngestResult =>
      store.ingest(
        {
          body: encodeRemoteWrite([batch([[0, 1]], { at, instance: 'eu-west' })]),
          version: '1.0',
          limits: REMOTE_WRITE_LIMITS,
          sender: 'eu-west',
          accept: null,
        },
        T0,
      )
    expect(ingest('a').accepted).toBe(1)
    await store.seal()
    expect(ingest('b').accepted).toBe(1)
    await reopen({ senderSeriesMax: 2 })
    expect(ingest('c').refused['sender-series-limit']).toBe(1)
    await store.deleteSeries(['{at="a"}'], 0, T0 * 2)
    expect(ingest('c').accepted).toBe(1)
  })
})

describe('a crash after a partial delete', () => {
  it('brings nothing back when the log was not removed yet', async () => {
    const pairs: [number, number][] = [0, 1, 2, 3, 4].map(at => [at * 1000, at])
    write(pairs)
    const logFile = join(folder, 'log', '0000000001.log')
    const kept = readFileSync(logFile)
    await store.deleteSeries(['x'], T0 + 1000, T0 + 2000)
    const left = pairs.filter(([offsetMs]) => offsetMs < 1000 || offsetMs > 2000)
    expect(stored()).toEqual(left)
    await store.close()
    // The state of such a crash: what was deleted still stands in a segment that its seal holds.
    writeFileSync(logFile, kept)
    store = open()
    expect(stored()).toEqual(left)
    expect(readdirSync(join(folder, 'log'))).not.toContain('0000000001.log')
  })
})

describe('sealing', () => {
  it('keeps twenty minutes in memory, and reads the rest from SQLite', async () => {
    const pairs = Array.from({ length: 60 }, (_, index): [number, number] => [index * MINUTE, index])
    for (const pair of pairs) write([pair], pair[0])
    await store.seal()
    expect(stored()).toEqual(pairs)
    // A late sample lands beside what has left memory.
    write([[50 * MINUTE + 1, 7]], 60 * MINUTE)
    expect(stored()).toHaveLength(61)
  })

  it('keeps samples that were written while a seal was running', async () => {
    write([[0, 1]])
    const sealing = store.seal()
    write([[1000, 2]])
    await sealing
    await reopen()
    expect(stored()).toEqual([
      [0, 1],
      [1000, 2],
    ])
  })

  it('forgets seals and series that are older than the retention', async () => {
    await reopen({ retentionMs: 60 * MINUTE })
    write([[0, 1]], 0, { old: 'yes' })
    write([[0, 1]])
    await store.seal()
    write([[70 * MINUTE, 2]], 70 * MINUTE)
    await store.seal()
    expect(stored()).toEqual([[70 * MINUTE, 2]])
    write([[130 * MINUTE, 3]], 130 * MINUTE)
    await store.seal()
    expect(store.stats()).toMatchObject({ series: 1, seals: 2 })
    expect(store.labelValues('old', [], 0, T0 * 2)).toEqual([])
  })

  it('drops the oldest seals above the limit of bytes', async () => {
    await reopen({ retentionBytes: 1 })
    write([[0, 1]])
    await store.seal()
    expect(store.stats()).toMatchObject({ seals: 0, sealedBytes: 0 })
  })
})

describe('finding series', () => {
  it('gives labels and their values within matchers and time', () => {
    write([[0, 1]], 0, { region: 'eu', instance: 'a' })
    write([[60 * MINUTE, 1]], 60 * MINUTE, { region: 'us' })
    expect(store.labelNames([], T0, T0 + 60 * MINUTE)).toEqual(['__name__', 'instance', 'region'])
    expect(store.labelValues('region', [], T0, T0 + 60 * MINUTE)).toEqual(['eu', 'us'])
    expect(store.labelValues('region', ['{instance="a"}'], T0, T0 + 60 * MINUTE)).toEqual(['eu'])
    expect(store.labelValues('region', [], T0 + 1, T0 + 60 * MINUTE)).toEqual(['us'])
    expect(store.series(['x{region=~"e."}', 'x{region="nope"}'], T0, T0)).toHaveLength(1)
    expect(() => store.series(['x + x'], T0, T0)).toThrow(/expected a series selector/)
  })
})

describe('one write', () => {
  it('is refused as a whole when it makes a record that recovery would take for damage', () => {
    // Control characters take six bytes in the log and one on the wire.
    const value = '\u0001'.repeat(4000)
    const labels = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`l${index}`, value]))
    const samples = [{ timestampMs: T0, value: 1 }]
    const series = Array.from({ length: 60 }, (_, index) => ({
      labels: { __name__: 'x', ...labels, n: String(index) },
      samples,
    }))
    expect(() => store.write(series, T0)).toThrow(/expected at most 67108864 bytes in the log/)
    expect(store.stats()).toMatchObject({ series: 0, logBytes: 0, newestMs: null })
    expect(write([[0, 1]])).toMatchObject({ accepted: 1 })
  })
})
