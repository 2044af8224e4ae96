// Owns the SQLite file of sealed chunks: schema, the one transaction of a seal, reads, and retention.
// It refuses files of another format. Layout: docs/reference/metrics-store.md
import { closeSync, fdatasync, openSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { type Labels, messageOf } from '#base'
import { metricsFaults } from '../faults.ts'
import { decodeChunk, encodeChunk } from './chunk.ts'
import { Ledger } from './ledger.ts'
import { mergeSamples } from './merge-samples.ts'
import { type Samples, within } from './sample-column.ts'
import type { SealPiece, Slices } from './seal.ts'

export const FORMAT = 2
const PAGE_BYTES = 8192 // a chunk has 300 bytes or so; larger pages waste less at their ends
/** A chunk's row id is seal * 2^26 + series: chunks of a seal lie together, so a seal is written and dropped in one run. */
const SERIES_SPAN = 2 ** 26

/** 8 MB: what was read twice in a row. Whole columns are kept in column-cache.ts. */
const CACHE_SAMPLES_MAX = 500_000

export interface SeriesRow {
  readonly id: number
  readonly labels: Labels
  readonly oldestMs: number
  readonly newestMs: number
}

export interface SealRow {
  readonly id: number
  readonly fromMs: number
  readonly toMs: number
  readonly samples: number
  readonly bytes: number
}

/** What is left of a series. */
export interface Span {
  readonly oldestMs: number
  readonly newestMs: number
}

export interface NewSeal {
  readonly fromMs: number
  readonly toMs: number
  readonly samples: number
  readonly bytes: number
  /** All log segments up to this one are held by this seal and those before it. */
  readonly checkpoint: number
  readonly pieces: readonly SealPiece[]
}

const SCHEMA = `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE series (
    id INTEGER PRIMARY KEY, labels TEXT NOT NULL, oldest_ms INTEGER NOT NULL, newest_ms INTEGER NOT NULL);
  CREATE TABLE seal (
    id INTEGER PRIMARY KEY, from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL,
    samples INTEGER NOT NULL, bytes INTEGER NOT NULL);
  CREATE TABLE chunk (id INTEGER PRIMARY KEY, data BLOB NOT NULL);
  INSERT INTO meta VALUES ('format', ${FORMAT}), ('checkpoint', 0), ('next_series', 1);
`

export class SealedChunks {
  readonly #db: Database.Database
  readonly #file: string
  readonly ledger: Ledger
  readonly #readChunk: Database.Statement<[number], Buffer>
  readonly #cache = new Map<number, Samples>()
  #cachedSamples = 0
  /** Ascending by id; small: 4,320 for 15 days of five-minute seals. */
  #seals: SealRow[]

  constructor(folder: string) {
    const file = join(folder, 'chunks.db')
    this.#file = file
    this.#db = new Database(file)
    try {
      this.#db.pragma(`page_size = ${PAGE_BYTES}`)
      this.#db.pragma('journal_mode = WAL')
      // NORMAL: a commit does not wait for the disk. `commit` does it off the thread, before log segments are deleted.
      this.#db.pragma('synchronous = NORMAL')
      prepareSchema(this.#db, file)
      this.ledger = new Ledger(this.#db)
    } catch (error) {
      this.#db.close()
      throw error
    }
    this.#readChunk = this.#db.prepare<[number], Buffer>('SELECT data FROM chunk WHERE id = ?').pluck()
    this.#seals = this.#db
      .prepare<[], SealRow>(
        'SELECT id, from_ms AS fromMs, to_ms AS toMs, samples, bytes FROM seal ORDER BY id',
      )
      .all()
  }

  get seals(): readonly SealRow[] {
    return this.#seals
  }

  get bytes(): number {
    return this.#seals.reduce((sum, seal) => sum + seal.bytes, 0)
  }

  checkpoint(): number {
    return readMeta(this.#db, 'checkpoint')
  }

  /** Ids below this one have been given away, also to series that are gone. */
  nextSeriesId(): number {
    return readMeta(this.#db, 'next_series')
  }

  *allSeries(): Iterable<SeriesRow> {
    const rows = this.#db
      .prepare<[], { id: number; labels: string; oldestMs: number; newestMs: number }>(
        'SELECT id, labels, oldest_ms AS oldestMs, newest_ms AS newestMs FROM series ORDER BY id',
      )
      .iterate()
    for (const row of rows) yield { ...row, labels: JSON.parse(row.labels) as Labels }
  }

  /**
   * Writes chunks, series and checkpoint in one transaction, all of them or none, in slices; when it resolves, they
   * are on the disk. One at a time; reads meanwhile see the seals before it.
   */
  async commit(seal: NewSeal, slices: Slices): Promise<void> {
    const id = (this.#seals.at(-1)?.id ?? 0) + 1
    const row: SealRow = {
      id,
      fromMs: seal.fromMs,
      toMs: seal.toMs,
      samples: seal.samples,
      bytes: seal.bytes,
    }
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      const nextSeries = await this.#insert(id, seal.pieces, slices)
      this.#db
        .prepare('INSERT INTO seal VALUES (?, ?, ?, ?, ?)')
        .run(id, row.fromMs, row.toMs, row.samples, row.bytes)
      writeMeta(this.#db, 'next_series', nextSeries)
      writeMeta(this.#db, 'checkpoint', seal.checkpoint)
      this.#db.exec('COMMIT')
    } catch (error) {
      if (this.#db.inTransaction) this.#db.exec('ROLLBACK')
      throw error
    }
    this.#seals = [...this.#seals, row]
    await syncFile(`${this.#file}-wal`)
  }

  async #insert(seal: number, pieces: readonly SealPiece[], slices: Slices): Promise<number> {
    const insertChunk = this.#db.prepare<[number, Buffer]>('INSERT INTO chunk VALUES (?, ?)')
    const insertSeries = this.#db.prepare<[number, string, number, number]>(
      `INSERT INTO series VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
       oldest_ms = excluded.oldest_ms, newest_ms = excluded.newest_ms`,
    )
    const putSeries = this.#db.prepare<[number, number, number]>(
      'UPDATE series SET oldest_ms = ?, newest_ms = ? WHERE id = ?',
    )
    let nextSeries = 0
    for (const { series, pending } of pieces) {
      const newestMs = Math.max(pending.samples.times.at(-1) ?? 0, series.sealedNewestMs)
      if (putSeries.run(series.oldestMs, newestMs, series.id).changes === 0) {
        insertSeries.run(series.id, JSON.stringify(series.labels), series.oldestMs, newestMs)
      }
      // Before the chunk is there: the ledger compares with what was there until now.
      this.ledger.fold(series.id, series.labels, pending.samples, (fromMs, toMs) =>
        mergeSamples(this.read(series.id, fromMs, toMs)),
      )
      insertChunk.run(seal * SERIES_SPAN + series.id, pending.chunk)
      nextSeries = Math.max(nextSeries, series.id + 1)
      if (slices.isOver) await slices.pause()
    }
    return nextSeries
  }

  /** The chunks of a series that overlap the time given, in the order in which they were sealed. */
  read(seriesId: number, fromMs: number, toMs: number): Samples[] {
    const parts: Samples[] = []
    for (const seal of this.#seals) {
      if (seal.fromMs > toMs || seal.toMs < fromMs) continue
      const samples = this.#chunk(seal.id * SERIES_SPAN + seriesId)
      if (samples !== null) parts.push(within(samples, fromMs, toMs))
    }
    return parts
  }

  /** Drops the oldest seals that lie wholly before `cutMs` or above `bytesMax`; gives how many. */
  dropOld(cutMs: number, bytesMax: number): number {
    const dropped = new Set<SealRow>()
    let bytes = this.bytes
    for (const seal of this.#seals) {
      if (seal.toMs >= cutMs && bytes <= bytesMax) continue
      dropped.add(seal)
      bytes -= seal.bytes
    }
    if (dropped.size === 0) return 0
    const dropChunks = this.#db.prepare('DELETE FROM chunk WHERE id >= ? AND id < ?')
    const dropSeal = this.#db.prepare('DELETE FROM seal WHERE id = ?')
    this.#db.transaction(() => {
      for (const { id } of dropped) {
        dropChunks.run(id * SERIES_SPAN, (id + 1) * SERIES_SPAN)
        dropSeal.run(id)
      }
    })()
    this.#seals = this.#seals.filter(seal => !dropped.has(seal))
    this.#cache.clear()
    this.#cachedSamples = 0
    return dropped.size
  }

  /**
   * Removes samples with `fromMs <= time <= toMs` of a series; gives what is left of it. Chunks that hold others too are
   * written anew. Inside a transaction of the caller's.
   */
  deleteBetween(seriesId: number, fromMs: number, toMs: number): Span | null {
    const update = this.#db.prepare<[Buffer, number]>('UPDATE chunk SET data = ? WHERE id = ?')
    const remove = this.#db.prepare<[number]>('DELETE FROM chunk WHERE id = ?')
    let left = null as Span | null
    for (const seal of this.#seals) {
      const id = seal.id * SERIES_SPAN + seriesId
      const samples = this.#chunk(id)
      if (samples === null) continue
      const kept = mergeSamples([
        within(samples, Number.NEGATIVE_INFINITY, fromMs - 1),
        within(samples, toMs + 1, Number.POSITIVE_INFINITY),
      ])
      const [firstMs] = kept.times
      if (firstMs === undefined) remove.run(id)
      else {
        if (kept.times.length < samples.times.length) update.run(encodeChunk(kept), id)
        left = {
          oldestMs: Math.min(left?.oldestMs ?? firstMs, firstMs),
          newestMs: Math.max(left?.newestMs ?? firstMs, kept.times.at(-1) ?? firstMs),
        }
      }
      this.#forget(id)
    }
    if (left !== null) {
      this.#db
        .prepare('UPDATE series SET oldest_ms = ?, newest_ms = ? WHERE id = ?')
        .run(left.oldestMs, left.newestMs, seriesId)
    }
    return left
  }

  transaction(change: () => void): void {
    this.#db.transaction(change)()
  }

  /** Copies the database as it is now, in steps between which the thread does other things. */
  async backup(file: string): Promise<void> {
    await this.#db.backup(file)
  }

  #forget(id: number): void {
    const cached = this.#cache.get(id)
    if (cached === undefined) return
    this.#cache.delete(id)
    this.#cachedSamples -= cached.times.length
  }

  dropSeries(ids: readonly number[]): void {
    const drop = this.#db.prepare('DELETE FROM series WHERE id = ?')
    this.#db.transaction(() => {
      for (const id of ids) drop.run(id)
    })()
  }

  close(): void {
    this.#db.close()
  }

  #chunk(id: number): Samples | null {
    const cached = this.#cache.get(id)
    if (cached !== undefined) {
      // Entering it again makes it the newest: a Map keeps the order of entry.
      this.#cache.delete(id)
      this.#cache.set(id, cached)
      return cached
    }
    const data = this.#readChunk.get(id)
    if (data === undefined) return null
    const samples = decodeChunk(data)
    if (samples === null) {
      const message = `chunk ${id} (seal ${Math.floor(id / SERIES_SPAN)}, series ${id % SERIES_SPAN}) is damaged`
      throw metricsFaults.fault('metrics-store-format', message)
    }
    this.#cache.set(id, samples)
    this.#cachedSamples += samples.times.length
    for (const [oldId, old] of this.#cache) {
      if (this.#cachedSamples <= CACHE_SAMPLES_MAX) break
      this.#cache.delete(oldId)
      this.#cachedSamples -= old.times.length
    }
    return samples
  }
}

function prepareSchema(db: Database.Database, file: string): void {
  const tables = db.prepare<[], number>('SELECT count(*) FROM sqlite_master').pluck().get()
  if (tables === 0) db.transaction(() => db.exec(SCHEMA))()
  let format: number
  try {
    format = readMeta(db, 'format')
  } catch (error) {
    const message = `${file}: expected a metrics store, got another database: ${messageOf(error)}`
    throw metricsFaults.fault('metrics-store-format', message, { cause: error })
  }
  if (format !== FORMAT) {
    const message = `${file}: expected format ${FORMAT}, got ${format}`
    throw metricsFaults.fault('metrics-store-format', message)
  }
}

function readMeta(db: Database.Database, name: string): number {
  return db.prepare<[string], number>('SELECT value FROM meta WHERE name = ?').pluck().get(name) ?? 0
}

/** Both numbers only ever grow. */
function writeMeta(db: Database.Database, name: string, value: number): void {
  db.prepare('UPDATE meta SET value = max(value, ?) WHERE name = ?').run(value, name)
}

function syncFile(file: string): Promise<void> {
  const fd = openSync(file, 'r+')
  return new Promise<void>((resolve, reject) => {
    fdatasync(fd, error => (error === null ? resolve() : reject(error)))
  }).finally(() => closeSync(fd))
}
