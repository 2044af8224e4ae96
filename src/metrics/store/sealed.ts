// Owns the SQLite file of sealed chunks: schema, the one transaction of a seal, reads, and retention.
// It refuses files of another format. Layout: docs/reference/metrics-store.md
import { closeSync, fdatasync, openSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { Fault, Labels, Log } from '#base'
import { metricsFaults } from '../faults.ts'
import { decodeChunk, decodeStamps, encodeChunk, encodeParted } from './chunk.ts'
import { LabelTable } from './label-table.ts'
import { Ledger } from './ledger.ts'
import { mergeSamples } from './merge-samples.ts'
import { chooseRun, type SealRow } from './merge-seals.ts'
import type { RestoredPiece } from './restore.ts'
import { type Samples, within } from './sample-column.ts'
import type { SealPiece, Slices } from './seal.ts'
import { SealWriter } from './seal-writer.ts'
import { prepareDatabase, readMeta, SERIES_SPAN, writeMeta } from './sealed-schema.ts'
import type { Series } from './series.ts'
import { WriteBack } from './write-back.ts'

/** 8 MB: what was read twice in a row. Whole columns are kept in column-cache.ts. */
const CACHE_SAMPLES_MAX = 500_000
/** 1M stamps are 8 MB. Series keep those that they were read with. */
const CACHE_STAMPS_MAX = 1_000_000
/** Series whose chunks are read at once when seals are merged, and whose rows are deleted at once. */
const MERGE_SERIES = 64
const DELETE_SERIES = 1024
/** So much of the file stays free for what comes next, from 1 MB to 16 MB; pages above it are given back, so many at once. */
const FREE_SHARE_KEPT = 0.04
const FREE_PAGES_KEPT_MIN = 64
const FREE_PAGES_KEPT_MAX = 1024
const FREE_PAGES_AT_ONCE = 32

export interface SeriesRow {
  readonly id: number
  readonly labels: Labels
  readonly oldestMs: number
  readonly newestMs: number
}

/** What is left of a series. */
export interface Span {
  readonly oldestMs: number
  readonly newestMs: number
}

export class SealedChunks {
  readonly #db: Database.Database
  readonly #file: string
  readonly ledger: Ledger
  readonly #labels: LabelTable
  readonly #writeBack: WriteBack
  readonly #readChunk: Database.Statement<[number], Buffer>
  readonly #readStamps: Database.Statement<[number], Buffer>
  readonly #cache = new Map<number, Samples>()
  #cachedSamples = 0
  readonly #stampCache = new Map<number, Float64Array>()
  #cachedStamps = 0
  /** In their order; some hundred for 15 days of five-minute seals that are merged. */
  #seals: readonly SealRow[]

  constructor(folder: string, log: Log) {
    const file = join(folder, 'chunks.db')
    this.#file = file
    this.#db = new Database(file)
    try {
      prepareDatabase(this.#db, file)
      this.#writeBack = new WriteBack(this.#db, file, log)
      this.ledger = new Ledger(this.#db)
      this.#labels = new LabelTable(this.#db)
    } catch (error) {
      this.#db.close()
      throw error
    }
    this.#readChunk = this.#db.prepare<[number], Buffer>('SELECT data FROM chunk WHERE id = ?').pluck()
    this.#readStamps = this.#db.prepare<[number], Buffer>('SELECT data FROM stamps WHERE id = ?').pluck()
    this.#seals = this.#db
      .prepare<[], SealRow>(
        `SELECT id, place, from_ms AS fromMs, to_ms AS toMs, samples, bytes, chunks, longest
         FROM seal ORDER BY place`,
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
    // All at once: row by row takes three times as long, and a start waits for it.
    const rows = this.#db
      .prepare<[], [number, Buffer, number, number]>(
        'SELECT id, labels, oldest_ms, oldest_ms + span_ms FROM series ORDER BY id',
      )
      .raw()
      .all()
    for (const [id, bytes, oldestMs, newestMs] of rows) {
      const labels = this.#labels.decode(bytes)
      if (labels === null) throw damaged(`series ${id} has labels that are not there`)
      yield { id, labels, oldestMs, newestMs }
    }
    this.#labels.dropUnused()
  }

  /**
   * Writes chunks, series and checkpoint in one transaction, all of them or none, in slices; when it resolves, they
   * are on the disk. Reads meanwhile see the seals before it. `checkpoint` is the last log segment that is held then.
   */
  async commit(pieces: readonly SealPiece[], checkpoint: number, slices: Slices): Promise<void> {
    await this.#inTransaction(async () => {
      const writer = new SealWriter(this.#db, this.#nextSealId(), null)
      await writer.countStamps(pieces, slices)
      const nextSeries = await this.#insert(writer, pieces, slices)
      const row = writer.end()
      writeMeta(this.#db, 'next_series', nextSeries)
      writeMeta(this.#db, 'checkpoint', checkpoint)
      return () => {
        this.#seals = [...this.#seals, row]
      }
    })
    await syncFile(`${this.#file}-wal`)
  }

  async #insert(writer: SealWriter, pieces: readonly SealPiece[], slices: Slices): Promise<number> {
    const insertSeries = this.#db.prepare<[number, Buffer, number, number]>(
      `INSERT INTO series VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
       oldest_ms = excluded.oldest_ms, span_ms = excluded.span_ms`,
    )
    const putSeries = this.#db.prepare<[number, number, number]>(
      'UPDATE series SET oldest_ms = ?, span_ms = ? WHERE id = ?',
    )
    let nextSeries = 0
    for (const { series, pending } of pieces) {
      const newestMs = Math.max(pending.samples.times.at(-1) ?? 0, series.sealedNewestMs)
      const spanMs = newestMs - series.oldestMs
      if (putSeries.run(series.oldestMs, spanMs, series.id).changes === 0) {
        insertSeries.run(series.id, this.#labels.encode(series.labels), series.oldestMs, spanMs)
      }
      // Before the chunk is there: the ledger compares with what was there until now.
      this.ledger.fold(series.labels, pending.samples, (fromMs, toMs) =>
        mergeSamples(this.read(series.id, fromMs, toMs)),
      )
      writer.put(series.id, pending.samples, pending)
      nextSeries = Math.max(nextSeries, series.id + 1)
      if (slices.isOver) await slices.pause()
    }
    return nextSeries
  }

  /** Writes what comes back from a snapshot as a seal of its own: all of it, or nothing. Gives the samples. */
  async restore(
    pieces: Iterable<RestoredPiece>,
    copy: Database.Database,
    slices: Slices,
    confirm: () => void,
  ): Promise<number> {
    let samples = 0
    await this.#inTransaction(async () => {
      const writer = new SealWriter(this.#db, this.#nextSealId(), null)
      let nextSeries = 0
      for (const { series, samples: own } of pieces) {
        nextSeries = Math.max(nextSeries, series.id + 1)
        if (own.times.length > 0) {
          this.#putSeries(series, own)
          writer.put(series.id, own, { ...encodeParted(own), stamps: null })
          samples += own.times.length
        }
        if (slices.isOver) await slices.pause()
      }
      // Its samples are in the ledger already, as it was when the snapshot was taken.
      this.ledger.adopt(copy)
      writeMeta(this.#db, 'next_series', nextSeries)
      confirm()
      if (samples === 0) return () => undefined
      const row = writer.end()
      return () => {
        this.#seals = [...this.#seals, row]
      }
    })
    await syncFile(`${this.#file}-wal`)
    return samples
  }

  #putSeries(series: Series, { times }: Samples): void {
    const oldestMs = Math.min(series.oldestMs, times[0] ?? 0)
    const newestMs = Math.max(series.sealedNewestMs, times.at(-1) ?? 0)
    this.#db
      .prepare<[number, Buffer, number, number]>(
        `INSERT INTO series VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
         oldest_ms = excluded.oldest_ms, span_ms = excluded.span_ms`,
      )
      .run(series.id, this.#labels.encode(series.labels), oldestMs, newestMs - oldestMs)
  }

  /** Merges one run of seals with short chunks, in slices and in one transaction; false when there is none. */
  async merge(slices: Slices): Promise<boolean> {
    const run = chooseRun(this.#seals)
    const [first] = run ?? []
    if (run === null || first === undefined) return false
    const before = this.#seals
    try {
      await this.#inTransaction(async () => {
        const writer = new SealWriter(this.#db, this.#nextSealId(), first.place)
        const end = this.nextSeriesId()
        for (let from = 0; from < end; from += MERGE_SERIES)
          await this.#mergeSeries(run, from, writer, slices)
        const row = writer.end()
        // From here on reads find the merged chunks, which this connection sees already, and the old ones may go.
        this.#seals = before.map(seal => (seal === first ? row : seal)).filter(seal => !run.includes(seal))
        for (const { id } of run) await this.#deleteSeal(id, slices)
        return () => undefined
      })
    } catch (error) {
      this.#seals = before
      throw error
    }
    return true
  }

  async #mergeSeries(
    run: readonly SealRow[],
    from: number,
    writer: SealWriter,
    slices: Slices,
  ): Promise<void> {
    const select = this.#db.prepare<[number, number], { id: number; data: Buffer }>(
      'SELECT id, data FROM chunk WHERE id >= ? AND id < ? ORDER BY id',
    )
    const bySeries = new Map<number, MergePart[]>()
    for (const { id: seal } of run) {
      const base = seal * SERIES_SPAN
      for (const { id, data } of select.all(base + from, base + from + MERGE_SERIES)) {
        const parts = bySeries.get(id - base)
        const part = { seal, data }
        if (parts === undefined) bySeries.set(id - base, [part])
        else parts.push(part)
      }
    }
    for (const [series, parts] of [...bySeries].sort(([a], [b]) => a - b)) {
      const shared: string[] = []
      const decoded = parts.map(({ seal, data }) => {
        const samples = decodeChunk(data, reference => {
          shared.push(`${seal}:${reference}`)
          return this.#stamps(seal * SERIES_SPAN + reference)
        })
        if (samples === null) throw damaged(`chunk of series ${series} in seal ${seal} is damaged`)
        return samples
      })
      const merged = mergeSamples(decoded)
      // Chunks that named the same stamps one after the other have the same ones merged.
      const stamps = shared.length === parts.length ? shared.join() : null
      if (stamps !== null) writer.share(stamps)
      writer.put(series, merged, { ...encodeParted(merged), stamps })
      if (slices.isOver) await slices.pause()
    }
    if (slices.isOver) await slices.pause()
  }

  /** Row by row, because a reader may hold what it has found: some rows are taken at a time. */
  async #deleteSeal(id: number, slices: Slices): Promise<void> {
    const end = this.nextSeriesId()
    const base = id * SERIES_SPAN
    const drop = this.#db.prepare('DELETE FROM chunk WHERE id >= ? AND id < ?')
    for (let from = 0; from < end; from += DELETE_SERIES) {
      drop.run(base + from, base + from + DELETE_SERIES)
      if (slices.isOver) await slices.pause()
    }
    this.#db.prepare('DELETE FROM stamps WHERE id >= ? AND id < ?').run(base, base + SERIES_SPAN)
    this.#db.prepare('DELETE FROM seal WHERE id = ?').run(id)
  }

  /**
   * One at a time: the caller sees to it. `change` gives what to do in memory once all of it is committed. When it
   * resolves, the WAL is short again; what was committed may still have to be synced.
   */
  async #inTransaction(change: () => Promise<() => void>): Promise<void> {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      const done = await change()
      // In one turn with the commit, so that no reader sees rows of a ledger whose samples it takes for unsealed.
      this.ledger.write()
      this.#db.exec('COMMIT')
      done()
    } catch (error) {
      this.ledger.discard()
      if (this.#db.inTransaction) this.#db.exec('ROLLBACK')
      this.#labels.reload()
      this.#clearCaches()
      throw error
    }
    await this.#writeBack.run()
  }

  /** Ids are never used twice while a seal has them, and grow. */
  #nextSealId(): number {
    return this.#seals.reduce((most, seal) => Math.max(most, seal.id), 0) + 1
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

  /** Drops the oldest seals that lie wholly before `cutMs` or above `bytesMax`, in slices; gives how many. */
  async dropOld(cutMs: number, bytesMax: number, slices: Slices): Promise<number> {
    const dropped = new Set<SealRow>()
    let bytes = this.bytes
    for (const seal of this.#seals) {
      if (seal.toMs >= cutMs && bytes <= bytesMax) continue
      dropped.add(seal)
      bytes -= seal.bytes
    }
    if (dropped.size === 0) return 0
    const before = this.#seals
    this.#seals = before.filter(seal => !dropped.has(seal))
    try {
      await this.#inTransaction(async () => {
        for (const { id } of dropped) await this.#deleteSeal(id, slices)
        return () => this.#clearCaches()
      })
    } catch (error) {
      this.#seals = before
      throw error
    }
    return dropped.size
  }

  /** Gives pages that nothing is in back to the file system, except for some that the next seals will want. */
  async shrink(slices: Slices): Promise<void> {
    // A file from before format 3 cannot do this: its free pages stay, and do not become fewer.
    if (this.#db.pragma('auto_vacuum', { simple: true }) !== INCREMENTAL) return
    const free = (): number => Number(this.#db.pragma('freelist_count', { simple: true }))
    const share = Math.round(Number(this.#db.pragma('page_count', { simple: true })) * FREE_SHARE_KEPT)
    const kept = Math.min(FREE_PAGES_KEPT_MAX, Math.max(FREE_PAGES_KEPT_MIN, share))
    for (let left = free(); left > kept; left -= FREE_PAGES_AT_ONCE) {
      this.#db.pragma(`incremental_vacuum(${FREE_PAGES_AT_ONCE})`)
      await this.#writeBack.run()
      if (slices.isOver) await slices.pause()
    }
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
        .prepare('UPDATE series SET oldest_ms = ?, span_ms = ? WHERE id = ?')
        .run(left.oldestMs, left.newestMs - left.oldestMs, seriesId)
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
    const base = Math.floor(id / SERIES_SPAN) * SERIES_SPAN
    const samples = decodeChunk(data, reference => this.#stamps(base + reference))
    if (samples === null) {
      throw damaged(`chunk ${id} (seal ${base / SERIES_SPAN}, series ${id - base}) is damaged`)
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

  #stamps(id: number): Float64Array | null {
    const cached = this.#stampCache.get(id)
    if (cached !== undefined) return cached
    const data = this.#readStamps.get(id)
    const times = data === undefined ? null : decodeStamps(data)
    if (times === null) return null
    this.#stampCache.set(id, times)
    this.#cachedStamps += times.length
    for (const [oldId, old] of this.#stampCache) {
      if (this.#cachedStamps <= CACHE_STAMPS_MAX || oldId === id) break
      this.#stampCache.delete(oldId)
      this.#cachedStamps -= old.length
    }
    return times
  }

  #clearCaches(): void {
    this.#cache.clear()
    this.#cachedSamples = 0
    this.#stampCache.clear()
    this.#cachedStamps = 0
  }
}

const INCREMENTAL = 2

interface MergePart {
  readonly seal: number
  readonly data: Buffer
}

function damaged(what: string): Fault {
  return metricsFaults.fault('metrics-store-format', what)
}

function syncFile(file: string): Promise<void> {
  const fd = openSync(file, 'r+')
  return new Promise<void>((resolve, reject) => {
    fdatasync(fd, error => (error === null ? resolve() : reject(error)))
  }).finally(() => closeSync(fd))
}
