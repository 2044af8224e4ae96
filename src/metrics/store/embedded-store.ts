// Owns the embedded store: it joins the head in memory, the log and SQLite, and decides what is acknowledged.
// It refuses batches that the disk does not take, and single samples by reason.
import { join } from 'node:path'
import { type Clock, type Closable, ensureFolder, every, type Labels, type Log, messageOf } from '#base'
import { metricsFaults } from '../faults.ts'
import { METRIC_NAME, valueOf } from '../labels.ts'
import { type Matcher, makeMatcher } from '../matchers.ts'
import {
  type Answer,
  type PrintedAnswer,
  parseSelector,
  QueryEngine,
  type Question,
} from '../promql/engine.ts'
import type { LoadedSamples, Meter, SelectedSeries } from '../promql/source.ts'
import type { Matrix, Value } from '../promql/value.ts'
import { ChunkSlab } from './chunk-slab.ts'
import { ColumnCache } from './column-cache.ts'
import { Followed } from './counter-windows.ts'
import { FoundSeries, type SelectedWindow } from './found-series.ts'
import { Head } from './head.ts'
import { Intake } from './intake.ts'
import type { LedgerRow, LivePart } from './ledger.ts'
import type { ReadOld } from './ledger-fold.ts'
import { LEDGER_METRICS } from './ledger-rules.ts'
import { readRecord } from './log-record.ts'
import { mergeSamples } from './merge-samples.ts'
import { OpenColumns } from './open-columns.ts'
import { advanced, lacking, type RestoredPiece, type RestoreProgress, type RestoreSteps } from './restore.ts'
import type { Samples } from './sample-column.ts'
import { Slices, takePieces } from './seal.ts'
import { SealedChunks } from './sealed.ts'
import { Series } from './series.ts'
import { writeManifest } from './snapshot-manifest.ts'
import { SnapshotReader } from './snapshot-reader.ts'
import { addRefusals, noRefusals, type Refusals } from './staged-samples.ts'
import type {
  Cardinality,
  IngestRequest,
  IngestResult,
  MetricsStore,
  StoreOptions,
  StoreStats,
  StoreTotals,
  WriteResult,
  WriteSeries,
} from './store.ts'
import { replay, WriteLog, writeFault } from './write-log.ts'

const RETENTION_MS = 15 * 86_400_000
const SEAL_EVERY_MS = 5 * 60_000
/** Kept in memory after it is sealed: twice the out-of-order window, and most graphs' range. */
const MEMORY_MS = 20 * 60_000
const SERIES_MAX = 250_000 // 2,000 servers of 120 series; some 3 KB each
/** A server has 200; this leaves room for one with many titles, and stops one that has gone mad. */
const SENDER_SERIES_MAX = 20_000
/** 8M samples, which are read back in less than a second at a start: above this a seal comes early. */
const LOG_BYTES_EARLY_SEAL = 96 * 1024 * 1024
/** While seals fail, everything stays in memory as well: above this, writes are refused. */
const LOG_BYTES_MAX = 1024 * 1024 * 1024
/** Each waits for a seal; series are mostly written once a second. */
const DELETE_ROUNDS_MAX = 20
/** After a seal that failed the next early one waits this long. */
const EARLY_SEAL_AGAIN_MS = 30_000

const SNAPSHOT_NAME = /^\d{13}-\d+$/

export class EmbeddedStore implements MetricsStore {
  readonly #log: Log
  readonly #clock: Clock
  readonly #folder: string
  readonly #lock: Closable
  readonly #head: Head
  readonly #sealed: SealedChunks
  readonly #writeLog: WriteLog
  readonly #memory = { slab: new ChunkSlab(), open: new OpenColumns() }
  readonly #columns = new ColumnCache((...wanted) => this.#readAll(...wanted))
  readonly #readOf = (series: Series, fromMs: number, toMs: number): LoadedSamples =>
    this.#columns.between(series, fromMs, toMs)
  readonly #intake: Intake
  readonly #engine: QueryEngine
  readonly #sealTimer: Closable
  readonly #retentionMs: number
  readonly #retentionBytes: number
  readonly #seriesMax: number
  readonly #sealsOnClose: boolean
  readonly #refusedTotal: Refusals = noRefusals()
  #acceptedTotal = 0
  #exemplarsTotal = 0
  #histogramsTotal = 0
  #refusedBatches = 0
  #newestMs = Number.NEGATIVE_INFINITY
  /** The latest now that a writer gave: retention counts from it. */
  #nowMs = 0
  #failing: string | null = null
  #sealing: Promise<void> | null = null
  /** Somebody waits for the seal that runs, or for the one that begins. */
  #hurries = false
  #restore: RestoreProgress | null = null
  /** What changes SQLite runs one after the other: each has a transaction that is open over many turns. */
  #changing: Promise<unknown> = Promise.resolve()
  #earlySealMs = Number.NEGATIVE_INFINITY
  #closed = false

  /** `lock` is released when the store is closed. */
  constructor(options: StoreOptions, lock: Closable) {
    const startedMs = options.clock.monotonicMs()
    this.#log = options.log
    this.#clock = options.clock
    this.#folder = ensureFolder(options.folder)
    this.#lock = lock
    this.#retentionMs = options.retentionMs ?? RETENTION_MS
    this.#retentionBytes = options.retentionBytes ?? Number.POSITIVE_INFINITY
    this.#seriesMax = options.seriesMax ?? SERIES_MAX
    this.#sealsOnClose = options.sealOnClose ?? false
    const senderSeriesMax = options.senderSeriesMax ?? SENDER_SERIES_MAX
    this.#head = new Head({ seriesMax: this.#seriesMax, senderSeriesMax }, this.#memory)
    this.#sealed = new SealedChunks(this.#folder, this.#log)
    this.#writeLog = this.#recover(ensureFolder(join(this.#folder, 'log')))
    this.#intake = new Intake(this.#head, this.#seriesMax, (series, timeMs) => this.#valueAt(series, timeMs))
    const oldestMs = (): number => this.#nowMs - this.#retentionMs
    const followed = new Followed({ head: this.#head, read: this.#readOf, clock: this.#clock, oldestMs })
    this.#engine = new QueryEngine(
      { select: (...query) => this.#select(...query), follow: (...range) => followed.follow(...range) },
      options,
    )
    this.#sealTimer = every(
      options.sealEveryMs ?? SEAL_EVERY_MS,
      () => this.#sealSlowly(),
      error => this.#log.error('metrics-seal-failed', { error }),
    )
    this.#log.info('metrics-store-opened', {
      series: this.#head.size,
      seals: this.#sealed.seals.length,
      tookMs: Math.round(this.#clock.monotonicMs() - startedMs),
    })
  }

  write(batch: readonly WriteSeries[], nowMs: number): WriteResult {
    this.#beginWrite(nowMs)
    this.#intake.batch(batch)
    return this.#commit()
  }

  ingest(request: IngestRequest, nowMs: number): IngestResult {
    this.#beginWrite(nowMs)
    const dropped = this.#intake.request(request)
    const result = this.#commit()
    this.#exemplarsTotal += dropped.exemplars
    this.#histogramsTotal += dropped.histograms
    return { ...result, ...dropped }
  }

  ask(question: Question): Promise<Answer> {
    return this.#engine.ask(question)
  }

  print(question: Question): Promise<PrintedAnswer> {
    return this.#engine.print(question)
  }

  query(promql: string, atMs: number): Value {
    return this.#engine.query(promql, atMs)
  }

  queryRange(promql: string, fromMs: number, toMs: number, stepMs: number): Matrix {
    return this.#engine.queryRange(promql, fromMs, toMs, stepMs)
  }

  series(match: readonly string[], fromMs: number, toMs: number): readonly Labels[] {
    return this.#matching(match, fromMs, toMs).map(series => series.labels)
  }

  labelNames(match: readonly string[], fromMs: number, toMs: number): readonly string[] {
    const names = new Set<string>()
    for (const { labels } of this.#matching(match, fromMs, toMs)) {
      for (const name of Object.keys(labels)) names.add(name)
    }
    return [...names].sort()
  }

  labelValues(name: string, match: readonly string[], fromMs: number, toMs: number): readonly string[] {
    const values = new Set<string>()
    for (const { labels } of this.#matching(match, fromMs, toMs)) {
      const value = valueOf(labels, name)
      if (value !== '') values.add(value)
    }
    return [...values].sort()
  }

  ledger(fromMs: number, toMs: number): readonly LedgerRow[] {
    return this.#sealed.ledger.read(fromMs, toMs, this.#ledgerLive())
  }

  newestMs(): number | null {
    return Number.isFinite(this.#newestMs) ? this.#newestMs : null
  }

  stats(): StoreStats {
    return {
      series: this.#head.size,
      seriesMax: this.#seriesMax,
      memoryBytes: this.#memory.slab.bytes + this.#memory.open.bytes,
      decodedBytes: this.#columns.bytes,
      logBytes: this.#writeLog.bytes,
      sealedBytes: this.#sealed.bytes,
      seals: this.#sealed.seals.length,
      acceptedTotal: this.#acceptedTotal,
      refusedTotal: { ...this.#refusedTotal },
      oldestMs: this.#head.oldestMs(),
      newestMs: this.newestMs(),
      failing: this.#failing,
    }
  }

  totals(): StoreTotals {
    return {
      accepted: this.#acceptedTotal,
      refused: { ...this.#refusedTotal },
      exemplars: this.#exemplarsTotal,
      histograms: this.#histogramsTotal,
      refusedBatches: this.#refusedBatches,
      failing: this.#failing,
    }
  }

  seal(): Promise<void> {
    this.#hurries = true
    return this.#sealSlowly()
  }

  /** As long as nobody waits for it. */
  #sealSlowly(): Promise<void> {
    this.#sealing ??= this.#alone(() => this.#sealOnce()).finally(() => {
      this.#sealing = null
      this.#hurries = false
    })
    return this.#sealing
  }

  async deleteSeries(match: readonly string[], fromMs: number, toMs: number): Promise<number> {
    let touched = 0
    const found = this.#matching(match, fromMs, toMs)
    // What is in the log would come back at a start, so that it has to be in SQLite first.
    for (let round = 0; found.some(series => series.hasPending); round += 1) {
      if (round === DELETE_ROUNDS_MAX) {
        const message = `these series are written faster than they can be sealed (${round} times tried)`
        throw metricsFaults.fault('metrics-store-failed', message)
      }
      await this.seal()
    }
    const gone: number[] = []
    await this.#alone(async () => {
      this.#sealed.transaction(() => {
        for (const series of found) {
          this.#sealed.ledger.settle(series.labels)
          const left = this.#sealed.deleteBetween(series.id, fromMs, toMs)
          touched += 1
          if (left !== null) series.leaveToDisk(left)
          else {
            this.#head.remove(series)
            gone.push(series.id)
          }
        }
      })
      if (gone.length > 0) {
        this.#sealed.dropSeries(gone)
        this.#intake.forgetForms()
      }
    })
    this.#log.info('metrics-series-deleted', { series: touched, whole: gone.length })
    return touched
  }

  async snapshot(): Promise<string> {
    // A seal that runs already has not what was written since it began.
    while (this.#sealing !== null) await this.#sealing.catch(() => undefined)
    await this.seal()
    const name = `${String(Math.floor(this.#newestMs)).padStart(13, '0')}-${this.#sealed.checkpoint()}`
    const folder = ensureFolder(join(this.#folder, 'snapshots', name))
    await this.#alone(() => this.#sealed.backup(join(folder, 'chunks.db')))
    await writeManifest(folder)
    return name
  }

  restoreProgress(): RestoreProgress | null {
    return this.#restore
  }

  async restore(name: string, folder: string | null): Promise<RestoreProgress> {
    if (this.#restore?.phase === 'checking' || this.#restore?.phase === 'writing') {
      throw metricsFaults.fault('metrics-restore-busy', `${this.#restore.snapshot} is being restored`)
    }
    if (folder === null && !SNAPSHOT_NAME.test(name)) {
      throw metricsFaults.fault(
        'metrics-snapshot-unknown',
        `${JSON.stringify(name)} is no name of a snapshot`,
      )
    }
    const reader = new SnapshotReader(folder ?? join(this.#folder, 'snapshots', name))
    this.#restore = {
      snapshot: name,
      phase: 'checking',
      series: reader.size,
      seriesDone: 0,
      samples: 0,
      seriesRefused: 0,
      problem: null,
    }
    try {
      await reader.check(new Slices(this.#clock), () => this.#restoring({ seriesDone: 1 }))
      await this.#alone(() => this.#restoreFrom(reader))
      this.#restoring({ phase: 'done' })
      this.#log.info('metrics-snapshot-restored', { ...this.#restore })
      return this.#restore
    } catch (error) {
      this.#restore = { ...this.#restore, phase: 'failed', problem: messageOf(error) }
      throw writeFault(error, this.#folder)
    } finally {
      reader.close()
    }
  }

  async #restoreFrom(reader: SnapshotReader): Promise<void> {
    if (this.#restore !== null) this.#restore = { ...this.#restore, phase: 'writing', seriesDone: 0 }
    const touched: { series: Series; oldestMs: number; newestMs: number }[] = []
    const made: Series[] = []
    try {
      const pieces = this.#pieces(reader, touched, made)
      const slices = new Slices(this.#clock)
      const samples = await this.#sealed.restore(pieces, reader.db, slices, () => this.#keepMade(made))
      this.#restoring({ samples })
    } catch (error) {
      for (const series of made) {
        if (!series.defined && series.newestMs === Number.NEGATIVE_INFINITY) this.#head.remove(series)
      }
      this.#intake.forgetForms()
      throw error
    }
    for (const { series, oldestMs, newestMs } of touched) {
      series.restored(oldestMs, newestMs)
      this.#newestMs = Math.max(this.#newestMs, newestMs)
    }
    for (const series of made) if (series.newestMs === Number.NEGATIVE_INFINITY) this.#head.remove(series)
    this.#columns.clear()
  }

  /** What the store lacks of each series; new ones are entered, without samples until all of it is on the disk. */
  *#pieces(
    reader: SnapshotReader,
    touched: { series: Series; oldestMs: number; newestMs: number }[],
    made: Series[],
  ): Iterable<RestoredPiece> {
    const cutMs = this.#nowMs - this.#retentionMs
    for (const { labels, samples: old } of reader.all()) {
      const series = this.#head.resolve(labels)
      this.#restoring(series instanceof Series ? { seriesDone: 1 } : { seriesDone: 1, seriesRefused: 1 })
      if (!(series instanceof Series)) continue
      if (!series.defined && series.newestMs === Number.NEGATIVE_INFINITY) made.push(series)
      const present = this.#readAll(series, old.times[0] ?? 0, old.times.at(-1) ?? 0)
      const samples = lacking(old, present, cutMs)
      const [oldestMs] = samples.times
      if (oldestMs !== undefined)
        touched.push({ series, oldestMs, newestMs: samples.times.at(-1) ?? oldestMs })
      yield { series, samples }
    }
  }

  /** A write of which nothing was taken may have removed a new series meanwhile: its number is on the disk now. */
  #keepMade(made: readonly Series[]): void {
    for (const series of made) {
      if (this.#head.byId(series.id) === series) continue
      throw metricsFaults.fault('metrics-store-failed', `series ${series.id} went away meanwhile: try again`)
    }
  }

  #restoring(more: RestoreSteps): void {
    if (this.#restore !== null) this.#restore = advanced(this.#restore, more)
  }

  cardinality(most: number): Cardinality {
    return this.#head.cardinality(most)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#sealTimer.close()
    // A seal that fails has been logged, and has lost nothing: its samples are in the log.
    await this.#sealing?.catch(() => undefined)
    if (this.#sealsOnClose) {
      await this.seal().catch((error: unknown) => this.#log.error('metrics-seal-failed', { error }))
    }
    await this.#changing
    await this.#writeLog.close()
    this.#sealed.close()
    await this.#lock.close()
  }

  #beginWrite(nowMs: number): void {
    if (this.#closed) throw metricsFaults.fault('metrics-store-closed', 'the metrics store is closed')
    if (this.#writeLog.bytes > LOG_BYTES_MAX) {
      const message = `${this.#folder}: chunks cannot be sealed, and the log has reached ${LOG_BYTES_MAX} bytes`
      throw metricsFaults.fault('metrics-store-failed', message)
    }
    this.#nowMs = Math.max(this.#nowMs, nowMs)
    this.#intake.begin(nowMs, this.#nowMs - this.#retentionMs)
  }

  /** The log first, then memory; when the log fails, nothing has happened. */
  #commit(): WriteResult {
    const intake = this.#intake
    const accepted = intake.count
    if (accepted > 0) {
      try {
        this.#writeLog.append(intake.payload())
        if (this.#failing !== null) this.#log.info('metrics-store-recovered', { was: this.#failing })
        this.#failing = null
      } catch (error) {
        intake.undo()
        this.#refusedBatches += 1
        if (this.#failing === null) this.#log.error('metrics-store-refuses', { error })
        this.#failing = messageOf(error)
        throw error
      }
      this.#newestMs = Math.max(this.#newestMs, intake.apply())
    }
    this.#acceptedTotal += accepted
    addRefusals(this.#refusedTotal, intake.refused)
    this.#sealEarly()
    return { accepted, refused: intake.refused, newSeries: intake.newSeries }
  }

  #sealEarly(): void {
    if (this.#writeLog.bytes < LOG_BYTES_EARLY_SEAL || this.#sealing !== null) return
    if (this.#clock.monotonicMs() < this.#earlySealMs) return
    this.#sealSlowly().catch((error: unknown) => {
      this.#earlySealMs = this.#clock.monotonicMs() + EARLY_SEAL_AGAIN_MS
      this.#log.error('metrics-seal-failed', { error })
    })
  }

  #valueAt(series: Series, timeMs: number): number | undefined {
    const known = series.valueAt(timeMs)
    if (known !== undefined || timeMs >= series.memoryFromMs || timeMs > series.sealedNewestMs) return known
    return mergeSamples(this.#sealed.read(series.id, timeMs, timeMs)).values[0]
  }

  /**
   * Everything that is in closed segments goes into one transaction that also names the last of them, so that a
   * crash at any point leaves each sample in SQLite, or in a segment that is replayed, or in both; replay and reading
   * drop doubles.
   */
  async #sealOnce(): Promise<void> {
    const all = [...this.#head.all()]
    if (all.some(series => series.hasPending)) {
      const firstPage = this.#memory.slab.page
      try {
        const slices = this.#slices()
        const checkpoint = this.#writeLog.rotate()
        const pieces = await takePieces(all, slices)
        await this.#sealed.commit(pieces, checkpoint, slices)
        this.#writeLog.dropThrough(checkpoint)
        for (const { series, pending } of pieces) series.sealed(pending)
      } catch (error) {
        throw writeFault(error, this.#folder)
      }
      this.#evict(firstPage)
    }
    await this.#tidy()
  }

  /** Merges what is worth it, and drops what is old. */
  async #tidy(): Promise<void> {
    const slices = this.#slices()
    try {
      while (!this.#closed && (await this.#sealed.merge(slices)));
      await this.#dropOld(slices)
      await this.#sealed.shrink(slices)
    } catch (error) {
      throw writeFault(error, this.#folder)
    }
  }

  /** Memory fills while the log is long. */
  #slices(): Slices {
    const isLong = (): boolean => this.#writeLog.bytes > LOG_BYTES_EARLY_SEAL * 2
    return new Slices(this.#clock, () => this.#hurries || this.#closed || isLong())
  }

  #alone<Result>(change: () => Promise<Result>): Promise<Result> {
    const result = this.#changing.then(change)
    this.#changing = result.catch(() => undefined)
    return result
  }

  /** What lies before `page` is in SQLite, or has been copied into a later page. */
  #evict(page: number): void {
    const cutMs = this.#newestMs - MEMORY_MS
    this.#memory.slab.dropBefore(page, cutMs)
    for (const series of this.#head.all()) series.evicted(cutMs)
  }

  async #dropOld(slices: Slices): Promise<void> {
    const cutMs = this.#nowMs - this.#retentionMs
    this.#sealed.ledger.dropOld(this.#nowMs)
    const seals = await this.#sealed.dropOld(cutMs, this.#retentionBytes, slices)
    if (seals > 0) this.#columns.clear()
    const gone = [...this.#head.all()].filter(series => series.newestMs < cutMs && !series.hasPending)
    if (gone.length > 0) {
      this.#sealed.dropSeries(gone.map(series => series.id))
      for (const series of gone) this.#head.remove(series)
      this.#intake.forgetForms()
    }
    if (seals > 0 || gone.length > 0) this.#log.info('metrics-retention', { seals, series: gone.length })
  }

  /** What of the ledger's series is in the log alone. */
  *#ledgerLive(): Iterable<LivePart> {
    for (const name of LEDGER_METRICS) {
      for (const series of this.#head.select([makeMatcher(METRIC_NAME, '=', name)])) {
        if (!series.hasPending) continue
        const samples = series.pendingBetween(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)
        const readOld: ReadOld = (fromMs, toMs) => mergeSamples(this.#sealed.read(series.id, fromMs, toMs))
        yield { labels: series.labels, samples, readOld }
      }
    }
  }

  #matching(match: readonly string[], fromMs: number, toMs: number): Series[] {
    const found = new Set<Series>()
    const selectors = match.length === 0 ? [[]] : match.map(text => parseSelector(text))
    for (const matchers of selectors) {
      for (const series of this.#head.select(matchers)) {
        if (series.newestMs >= fromMs && series.oldestMs <= toMs) found.add(series)
      }
    }
    return [...found]
  }

  #select(matchers: readonly Matcher[], fromMs: number, toMs: number, meter: Meter): SelectedSeries[] {
    const found = this.#head
      .select(matchers)
      .filter(series => series.newestMs >= fromMs && series.oldestMs <= toMs)
    meter.series(found.length)
    const window: SelectedWindow = {
      fromMs: Math.max(fromMs, this.#nowMs - this.#retentionMs),
      toMs,
      meter,
      clock: this.#clock,
      read: this.#readOf,
    }
    return found.map(series => new FoundSeries(series, window))
  }

  #readAll(series: Series, fromMs: number, toMs: number): Samples {
    const { memoryFromMs } = series
    if (fromMs >= memoryFromMs || fromMs > series.sealedNewestMs) return series.between(fromMs, toMs)
    const endMs = Math.min(toMs, memoryFromMs - 1)
    const old = [...this.#sealed.read(series.id, fromMs, endMs), series.pendingBetween(fromMs, endMs)]
    return mergeSamples(toMs < memoryFromMs ? old : [...old, series.between(memoryFromMs, toMs)])
  }

  /** It was accepted once, so no rule but that against doubles applies. */
  #recoverSample(series: Series, timeMs: number, value: number): void {
    if (timeMs > series.newestMs) {
      series.append(timeMs, value)
      series.newestMs = timeMs
    } else if (this.#valueAt(series, timeMs) === undefined) series.appendLate(timeMs, value)
  }

  #recover(logFolder: string): WriteLog {
    for (const row of this.#sealed.allSeries()) {
      this.#head.restore(row.id, row.labels).restore(row.oldestMs, row.newestMs)
      if (row.newestMs > this.#newestMs) this.#newestMs = row.newestMs
    }
    this.#head.reserveIds(this.#sealed.nextSeriesId())
    const checkpoint = this.#sealed.checkpoint()
    let unknown = 0
    const { segments, records, closedBytes } = replay(logFolder, checkpoint, this.#log, payload =>
      readRecord(payload, {
        series: (id, labels) => {
          this.#head.restore(id, labels).defined = true
        },
        sample: (id, timeMs, value) => {
          const series = this.#head.byId(id)
          if (series === undefined) unknown += 1
          else this.#recoverSample(series, timeMs, value)
          if (timeMs > this.#newestMs) this.#newestMs = timeMs
        },
      }),
    )
    // Only damage to the record that defines a series can make its samples unknown.
    if (unknown > 0) this.#log.error('metrics-log-samples-without-series', { samples: unknown })
    this.#log.debug('metrics-log-replayed', { segments: segments.length, records })
    return new WriteLog(logFolder, Math.max(segments.at(-1) ?? 0, checkpoint + 1), this.#log, closedBytes)
  }
}
