// Owns the embedded store: it joins the head in memory, the log and SQLite, and decides what is acknowledged.
// It refuses batches that the disk does not take, and single samples by reason.
import { join } from 'node:path'
import { type Clock, type Closable, ensureFolder, every, type Labels, type Log, messageOf } from '#base'
import { metricsFaults } from '../faults.ts'
import { valueOf } from '../labels.ts'
import type { Matcher } from '../matchers.ts'
import { parseSelector, QueryEngine } from '../promql/engine.ts'
import type { Meter, SelectedSeries } from '../promql/source.ts'
import type { Matrix, Value } from '../promql/value.ts'
import { Head } from './head.ts'
import { RecordBuilder, readRecord } from './log-record.ts'
import { mergeSamples } from './merge-samples.ts'
import type { Samples } from './sample-column.ts'
import { encodeSeal, markSealed, putBack, takePending } from './seal.ts'
import { SealedChunks } from './sealed.ts'
import { OUT_OF_ORDER_WINDOW_MS, type Placed, Series } from './series.ts'
import type {
  MetricsStore,
  RefusalReason,
  StoreOptions,
  StoreStats,
  WriteResult,
  WriteSeries,
} from './store.ts'
import { replay, WriteLog, writeFault } from './write-log.ts'

const AHEAD_MAX_MS = 10 * 60_000 // DESIGN, clock rule 2
const RETENTION_MS = 15 * 86_400_000
const SEAL_EVERY_MS = 5 * 60_000
/** Kept in memory after it is sealed: twice the out-of-order window, and most graphs' range. */
const MEMORY_MS = 20 * 60_000
const SERIES_MAX = 100_000
/** 2^47 ms is the year 6429: stamps above it are in another unit. */
const TIME_MAX_MS = 2 ** 47
/** Between two seals 1,500 series a second make 9 MB of log: above this a seal comes early. */
const LOG_BYTES_EARLY_SEAL = 128 * 1024 * 1024
/** While seals fail, everything stays in memory as well: above this, writes are refused. */
const LOG_BYTES_MAX = 512 * 1024 * 1024
const EARLY_SEAL_EVERY_MS = 30_000

type Refusals = Record<RefusalReason, number>

export class EmbeddedStore implements MetricsStore {
  readonly #log: Log
  readonly #clock: Clock
  readonly #folder: string
  readonly #lock: Closable
  readonly #head: Head
  readonly #sealed: SealedChunks
  readonly #writeLog: WriteLog
  readonly #builder = new RecordBuilder()
  readonly #engine: QueryEngine
  readonly #sealTimer: Closable
  readonly #retentionMs: number
  readonly #retentionBytes: number
  readonly #seriesMax: number
  readonly #refusedTotal: Refusals = noRefusals()
  #acceptedTotal = 0
  #newestMs = Number.NEGATIVE_INFINITY
  /** The latest now that a writer gave: retention counts from it. */
  #nowMs = 0
  #failing: string | null = null
  #sealing: Promise<void> | null = null
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
    this.#head = new Head(this.#seriesMax)
    this.#sealed = new SealedChunks(this.#folder)
    this.#writeLog = this.#recover(ensureFolder(join(this.#folder, 'log')))
    this.#engine = new QueryEngine({ select: (...query) => this.#select(...query) }, options)
    this.#sealTimer = every(
      options.sealEveryMs ?? SEAL_EVERY_MS,
      () => this.seal(),
      error => this.#log.error('metrics-seal-failed', { error }),
    )
    this.#log.info('metrics-store-opened', {
      series: this.#head.size,
      seals: this.#sealed.seals.length,
      tookMs: Math.round(this.#clock.monotonicMs() - startedMs),
    })
  }

  write(batch: readonly WriteSeries[], nowMs: number): WriteResult {
    if (this.#closed) throw metricsFaults.fault('metrics-store-closed', 'the metrics store is closed')
    if (this.#writeLog.bytes > LOG_BYTES_MAX) {
      const message = `${this.#folder}: chunks cannot be sealed, and the log has reached ${LOG_BYTES_MAX} bytes`
      throw metricsFaults.fault('metrics-store-failed', message)
    }
    this.#nowMs = Math.max(this.#nowMs, nowMs)
    const refused = noRefusals()
    const placed: Placed[] = []
    const defined: Series[] = []
    this.#builder.reset()
    for (const { labels, samples } of batch) {
      const series = this.#head.resolve(labels)
      if (!(series instanceof Series)) {
        refused[series] += samples.length
        continue
      }
      for (const sample of samples) {
        const newestBeforeMs = series.newestMs
        const oldestBeforeMs = series.oldestMs
        const refusal = this.#place(series, sample.timestampMs, sample.value, nowMs)
        if (refusal !== null) {
          refused[refusal] += 1
          continue
        }
        placed.push({ series, timeMs: sample.timestampMs, newestBeforeMs, oldestBeforeMs })
        if (!series.defined) {
          series.defined = true
          defined.push(series)
          this.#builder.addSeries(series.id, series.labels)
        }
        this.#builder.addSample(series.id, sample.timestampMs, sample.value)
      }
      // A series of which nothing was taken must not use up a place.
      if (!series.defined) this.#head.remove(series)
    }
    this.#appendOrUndo(placed, defined)
    return this.#tally(placed, defined.length, refused)
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

  newestMs(): number | null {
    return Number.isFinite(this.#newestMs) ? this.#newestMs : null
  }

  stats(): StoreStats {
    let samplesInMemory = 0
    let oldestMs = Number.POSITIVE_INFINITY
    for (const series of this.#head.all()) {
      samplesInMemory += series.column.length
      if (series.oldestMs < oldestMs) oldestMs = series.oldestMs
    }
    return {
      series: this.#head.size,
      seriesMax: this.#seriesMax,
      samplesInMemory,
      logBytes: this.#writeLog.bytes,
      sealedBytes: this.#sealed.bytes,
      seals: this.#sealed.seals.length,
      acceptedTotal: this.#acceptedTotal,
      refusedTotal: { ...this.#refusedTotal },
      oldestMs: Number.isFinite(oldestMs) ? oldestMs : null,
      newestMs: this.newestMs(),
      failing: this.#failing,
    }
  }

  seal(): Promise<void> {
    this.#sealing ??= this.#sealOnce().finally(() => {
      this.#sealing = null
    })
    return this.#sealing
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#sealTimer.close()
    // A seal that fails has been logged, and has lost nothing: its samples are in the log.
    await this.#sealing?.catch(() => undefined)
    await this.#writeLog.close()
    this.#sealed.close()
    await this.#lock.close()
  }

  #place(series: Series, timeMs: number, value: number, nowMs: number): RefusalReason | null {
    if (!Number.isSafeInteger(timeMs) || timeMs < 0 || timeMs > TIME_MAX_MS) return 'invalid'
    if (timeMs > nowMs + AHEAD_MAX_MS) return 'too-far-ahead'
    if (timeMs < this.#nowMs - this.#retentionMs) return 'too-old'
    return series.place(timeMs, value, this.#warm)
  }

  /** Loads the out-of-order window of a series from SQLite, after a start or a long silence. */
  readonly #warm = (series: Series): void => {
    const fromMs = series.newestMs - OUT_OF_ORDER_WINDOW_MS
    const sealed = this.#sealed.read(series.id, fromMs, series.newestMs)
    series.warm(mergeSamples(sealed), fromMs)
  }

  #appendOrUndo(placed: readonly Placed[], defined: readonly Series[]): void {
    if (placed.length === 0) return
    try {
      this.#writeLog.append(this.#builder.payload())
      if (this.#failing !== null) this.#log.info('metrics-store-recovered', { was: this.#failing })
      this.#failing = null
    } catch (error) {
      for (const one of placed.toReversed()) one.series.takeBack(one)
      for (const series of defined) this.#head.remove(series)
      if (this.#failing === null) this.#log.error('metrics-store-refuses', { error })
      this.#failing = messageOf(error)
      throw error
    }
  }

  #tally(placed: readonly Placed[], newSeries: number, refused: Refusals): WriteResult {
    for (const { timeMs } of placed) if (timeMs > this.#newestMs) this.#newestMs = timeMs
    this.#acceptedTotal += placed.length
    for (const reason of REASONS) this.#refusedTotal[reason] += refused[reason]
    if (this.#writeLog.bytes > LOG_BYTES_EARLY_SEAL && this.#clock.monotonicMs() >= this.#earlySealMs) {
      this.#earlySealMs = this.#clock.monotonicMs() + EARLY_SEAL_EVERY_MS
      this.seal().catch((error: unknown) => this.#log.error('metrics-seal-failed', { error }))
    }
    return { accepted: placed.length, refused, newSeries }
  }

  /**
   * Everything that is in closed segments goes into one transaction that also names the last of them, so that a
   * crash at any point leaves each sample either in SQLite or in a segment that is replayed, never in both.
   */
  async #sealOnce(): Promise<void> {
    const pieces = takePending(this.#head.all())
    if (pieces.length > 0) {
      try {
        const checkpoint = this.#writeLog.rotate()
        this.#sealed.commit(await encodeSeal(pieces, checkpoint, this.#clock))
        this.#writeLog.dropThrough(checkpoint)
      } catch (error) {
        putBack(pieces)
        throw writeFault(error, this.#folder)
      }
      markSealed(pieces)
      for (const series of this.#head.all()) series.evictBefore(this.#newestMs - MEMORY_MS)
    }
    this.#dropOld()
  }

  #dropOld(): void {
    const cutMs = this.#nowMs - this.#retentionMs
    const seals = this.#sealed.dropOld(cutMs, this.#retentionBytes)
    const gone = [...this.#head.all()].filter(
      series => series.newestMs < cutMs && series.column.length === 0 && series.pending.length === 0,
    )
    if (gone.length > 0) {
      this.#sealed.dropSeries(gone.map(series => series.id))
      for (const series of gone) this.#head.remove(series)
    }
    if (seals > 0 || gone.length > 0) this.#log.info('metrics-retention', { seals, series: gone.length })
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
    const selected: SelectedSeries[] = []
    for (const series of found) {
      const { times, values } = this.#read(series, fromMs, toMs)
      meter.samples(times.length)
      meter.tick()
      if (times.length > 0) selected.push({ labels: series.labels, times, values })
    }
    return selected
  }

  #read(series: Series, fromMs: number, toMs: number): Samples {
    const memory = series.column.between(fromMs, toMs)
    if (fromMs >= series.memoryFromMs || fromMs > series.sealedNewestMs) return memory
    const sealed = this.#sealed.read(series.id, fromMs, Math.min(toMs, series.memoryFromMs - 1))
    return mergeSamples([...sealed, memory])
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
          else series.recover(timeMs, value)
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

const REASONS: readonly RefusalReason[] = [
  'duplicate',
  'conflict',
  'out-of-order',
  'too-old',
  'too-far-ahead',
  'series-limit',
  'label-limit',
  'invalid',
]

function noRefusals(): Refusals {
  return Object.fromEntries(REASONS.map(reason => [reason, 0])) as Refusals
}
