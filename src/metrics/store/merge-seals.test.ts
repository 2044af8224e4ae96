import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog, systemClock } from '#base'
import { verifyStore } from './inspect.ts'
import { chooseRun, MERGE_SEALS, type SealRow } from './merge-seals.ts'
import { openStore } from './open-store.ts'
import type { MetricsStore, WriteSeries } from './store.ts'

const T0 = 1_700_000_000_000
const SERIES = 70 // more than are merged at once

let folder: string
let store: MetricsStore
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-merge-'))
  store = openStore({ folder, clock: systemClock, log: silentLog })
})
afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Twenty irregular seconds of every series; the last series has stamps of its own. */
function round(at: number): WriteSeries[] {
  return Array.from({ length: SERIES }, (_, series) => ({
    labels: { __name__: 'x', series: String(series) },
    samples: Array.from({ length: 20 }, (_, second) => ({
      timestampMs: T0 + at * 20_000 + second * 1000 + ((second * 7) % 5) + (series === SERIES - 1 ? 1 : 0),
      value: series * 1000 + at * 20 + second,
    })),
  }))
}

function everything(): unknown {
  return store.query('x[1d]', T0 + 3_600_000)
}

async function fill(rounds: number): Promise<void> {
  for (let at = 0; at < rounds; at += 1) {
    store.write(round(at), T0 + at * 20_000)
    await store.seal()
  }
}

describe('merging seals', () => {
  it('leaves every sample where it was, also late and deleted ones, over a start', async () => {
    await fill(MERGE_SEALS - 2)
    const late = { labels: { __name__: 'x', series: '3' }, samples: [{ timestampMs: T0 + 500, value: 7 }] }
    store.write([late], T0)
    await store.seal()
    await store.deleteSeries(['{series="5"}'], T0 + 5000, T0 + 30_000)
    const before = everything()
    expect(store.stats().seals).toBe(MERGE_SEALS - 1)
    const fresh = { labels: { __name__: 'y' }, samples: [{ timestampMs: T0, value: 7 }] }
    store.write([fresh], T0)
    await store.seal()
    expect(store.stats().seals).toBe(1)
    expect(everything()).toEqual(before)
    await store.close()
    store = openStore({ folder, clock: systemClock, log: silentLog })
    expect(everything()).toEqual(before)
    expect(verifyStore(folder)).toMatchObject({ damage: [], chunks: SERIES + 1 })
  })

  it('puts the merged seal in the place of the first: of two samples at one instant the earlier counts', async () => {
    await fill(MERGE_SEALS)
    store.write(round(MERGE_SEALS), T0 + 200_000)
    await store.seal()
    const db = new Database(join(folder, 'chunks.db'))
    expect(db.prepare('SELECT id, place FROM seal ORDER BY place').raw().all()).toEqual([
      [MERGE_SEALS + 1, 1],
      [MERGE_SEALS + 2, MERGE_SEALS + 2],
    ])
    db.close()
  })

  it('changes nothing when the disk refuses in the middle of it, and succeeds later', async () => {
    await fill(MERGE_SEALS - 1)
    const db = new Database(join(folder, 'chunks.db'))
    db.exec(`CREATE TRIGGER refuse BEFORE DELETE ON chunk WHEN old.id % 67108864 = 66
      BEGIN SELECT raise(ABORT, 'refused'); END`)
    store.write(round(MERGE_SEALS - 1), T0 + 200_000)
    await expect(store.seal()).rejects.toThrow(expect.objectContaining({ code: 'metrics-store-failed' }))
    const before = everything()
    expect(store.stats()).toMatchObject({ seals: MERGE_SEALS, logBytes: 0 })
    await store.close()
    store = openStore({ folder, clock: systemClock, log: silentLog })
    expect(everything()).toEqual(before)
    db.exec('DROP TRIGGER refuse')
    db.close()
    await store.seal()
    expect(store.stats().seals).toBe(1)
    expect(everything()).toEqual(before)
    expect(verifyStore(folder).damage).toEqual([])
  })
})

describe('a folder of format 2', () => {
  /** 300 samples, one a second, as format 2 wrote them. */
  const CHUNK = Buffer.from(
    'IKwCgNCV/7wxANAPqwIAAgEAAf7///////////////////8DAAFJkiRJnCRJEiFJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiQDAAAAAAAAAAAAAKAAAAAAAAAAALvQyeI=',
    'base64',
  )
  const valueAt = (at: number): number => (at % 150 === 0 ? 1 : 0) + Math.floor(at / 140) * 5

  it('is read and written on as it is', async () => {
    await store.close()
    rmSync(join(folder, 'chunks.db'))
    const db = new Database(join(folder, 'chunks.db'))
    db.exec(`
      CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
      CREATE TABLE series (
        id INTEGER PRIMARY KEY, labels TEXT NOT NULL, oldest_ms INTEGER NOT NULL, newest_ms INTEGER NOT NULL);
      CREATE TABLE seal (
        id INTEGER PRIMARY KEY, from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL,
        samples INTEGER NOT NULL, bytes INTEGER NOT NULL);
      CREATE TABLE chunk (id INTEGER PRIMARY KEY, data BLOB NOT NULL);
      INSERT INTO meta VALUES ('format', 2), ('checkpoint', 4), ('next_series', 8);
      INSERT INTO series VALUES (7, '{"__name__":"x","series":"3"}', ${T0}, ${T0 + 299_000});
      INSERT INTO seal VALUES (1, ${T0}, ${T0 + 299_000}, 300, ${CHUNK.length});`)
    db.prepare('INSERT INTO chunk VALUES (?, ?)').run(2 ** 26 + 7, CHUNK)
    db.close()
    store = openStore({ folder, clock: systemClock, log: silentLog })
    const times = Float64Array.from({ length: 300 }, (_, at) => T0 + at * 1000)
    const values = Float64Array.from({ length: 300 }, (_, at) => valueAt(at))
    expect(everything()).toEqual({
      kind: 'matrix',
      items: [{ labels: { __name__: 'x', series: '3' }, times, values }],
    })
    store.write(
      [{ labels: { __name__: 'x', series: '3' }, samples: [{ timestampMs: T0 + 300_000, value: 2 }] }],
      T0,
    )
    await store.close()
    store = openStore({ folder, clock: systemClock, log: silentLog })
    expect(store.query('count_over_time(x[1d])', T0 + 3_600_000)).toMatchObject({ items: [{ value: 301 }] })
    await store.seal()
    expect(verifyStore(folder)).toMatchObject({ chunks: 2, samples: 301, damage: [] })
  })
})

describe('a run', () => {
  const seal = (place: number, more: Partial<SealRow> = {}): SealRow => ({
    id: place,
    place,
    fromMs: place * 300_000,
    toMs: (place + 1) * 300_000 - 1000,
    bytes: 0,
    samples: 300_000,
    chunks: 1000,
    longest: 300,
    ...more,
  })
  const seals = (more: (place: number) => Partial<SealRow>): SealRow[] =>
    Array.from({ length: MERGE_SEALS }, (_, place) => seal(place, more(place)))

  it('has seals of short chunks only', () => {
    expect(chooseRun(seals(() => ({})))).toHaveLength(MERGE_SEALS)
    expect(chooseRun(seals(place => (place === 2 ? { chunks: 300 } : {})))).toBeNull()
  })

  it('does not take a large seal along with a few small ones', () => {
    const small = { samples: 20_000, longest: 20 }
    const large = { samples: 120_000, longest: 120 }
    const mixed = (smalls: number): SealRow[] =>
      Array.from({ length: smalls + 1 }, (_, place) => seal(place, place === 0 ? large : small))
    expect(chooseRun(mixed(5))).toBeNull()
    expect(chooseRun(mixed(6))).toHaveLength(7)
  })

  it('is not longer in time than retention can bear, nor too long for memory', () => {
    expect(chooseRun(seals(place => (place === 5 ? { toMs: 7 * 3_600_000 } : {})))).toBeNull()
    expect(chooseRun(seals(() => ({ longest: 200_000 })))).toBeNull()
  })
})
