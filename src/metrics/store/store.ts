// Owns the contract of the metrics store, which an external engine could fulfil as well.
// It refuses to know how samples are kept.
import type { Clock, Labels, Log } from '#base'
import type { Answer, PrintedAnswer, Question } from '../promql/engine.ts'
import type { Matrix, Value } from '../promql/value.ts'
import type { MetricMetadata } from '../remote-write/metadata.ts'
import type { RemoteWriteLimits } from '../remote-write/read-remote-write.ts'
import type { LedgerRow } from './ledger.ts'
import type { RestoreProgress } from './restore.ts'

/** One sample with the label set of its series; `labels` includes `__name__`. */
export interface SeriesSample {
  readonly labels: Labels
  readonly timestampMs: number
  readonly value: number
}

/** One series of a write: `labels` includes `__name__`; samples in any order. */
export interface WriteSeries {
  readonly labels: Labels
  readonly samples: readonly { readonly timestampMs: number; readonly value: number }[]
}

/** Why a sample was not stored. */
export type RefusalReason =
  | 'duplicate' // same timestamp, same value: harmless, a sender tried twice
  | 'conflict' // same timestamp, other value: the first one is kept
  | 'out-of-order' // older than the series' newest by more than the window
  | 'too-old' // older than the retention
  | 'too-far-ahead' // more than AHEAD_MAX_MS after the caller's now
  | 'series-limit' // the store has as many series as it may have
  | 'sender-series-limit' // the sender has brought as many new series as one sender may
  | 'label-limit' // too many labels, or too long ones
  | 'negative-counter' // of an enrolled sender: a name that ends in _total, and a value below zero
  | 'invalid' // no name, a malformed name, or a timestamp that is not a whole number

/** What became of a batch. Everything in `accepted` survives kill -9 from now on. */
export interface WriteResult {
  readonly accepted: number
  readonly refused: Readonly<Record<RefusalReason, number>>
  readonly newSeries: number
}

/** A remote write request as it came. */
export interface IngestRequest {
  readonly body: Uint8Array
  readonly version: '1.0' | '2.0'
  readonly limits: RemoteWriteLimits
  /** Whom new series are counted against; null for nobody. */
  readonly sender: string | null
  /** Throws when the writer may not write such a series; then nothing of the request is stored. */
  readonly accept: ((labels: Labels) => void) | null
}

export interface IngestResult extends WriteResult {
  /** Not kept. */
  readonly exemplars: number
  readonly histograms: number
  /** For the caller to keep. */
  readonly metadata: readonly MetricMetadata[]
}

export interface StoreStats {
  readonly series: number
  readonly seriesMax: number
  /** Of samples; labels and indexes take about 1 KB a series more. */
  readonly memoryBytes: number
  /** Of what was decoded for queries and is kept: at most 96 MB. */
  readonly decodedBytes: number
  readonly logBytes: number
  readonly sealedBytes: number
  readonly seals: number
  readonly acceptedTotal: number
  readonly refusedTotal: Readonly<Record<RefusalReason, number>>
  readonly oldestMs: number | null
  readonly newestMs: number | null
  /** Null while the last write to disk went well. */
  readonly failing: string | null
}

/** What became of everything since the start; cheap enough to be asked each second. */
export interface StoreTotals {
  readonly accepted: number
  readonly refused: Readonly<Record<RefusalReason, number>>
  /** Not kept. */
  readonly exemplars: number
  readonly histograms: number
  /** Batches that were refused as a whole, because the disk did not take them. */
  readonly refusedBatches: number
  /** Null while the last write to disk went well. */
  readonly failing: string | null
}

export interface Cardinality {
  readonly seriesByName: readonly (readonly [name: string, series: number])[]
  readonly valuesByLabel: readonly (readonly [name: string, values: number])[]
}

export interface MetricsStore {
  /**
   * Stores a batch; when it returns, what was accepted survives kill -9. `nowMs` is fleet time.
   * Throws metrics-store-disk-full or metrics-store-failed, and then nothing of the batch is stored.
   */
  write(batch: readonly WriteSeries[], nowMs: number): WriteResult
  /** The same for a remote write body. Throws metrics-remote-write-invalid or -too-large, and then stores nothing. */
  ingest(request: IngestRequest, nowMs: number): IngestResult
  /** An instant or a range, evaluated in slices so that writes do not wait; with what it has cost. */
  ask(question: Question): Promise<Answer>
  /** The same as the text of the Prometheus API, written in slices as well. */
  print(question: Question): Promise<PrintedAnswer>
  /** At once: holds the thread until it is done. For tests, commands, and checking a rule at the start. */
  query(promql: string, atMs: number): Value
  /** Steps from `fromMs` to `toMs`, both included. */
  queryRange(promql: string, fromMs: number, toMs: number, stepMs: number): Matrix
  /** Label sets that match any of the selectors and have samples within the time given. */
  series(match: readonly string[], fromMs: number, toMs: number): readonly Labels[]
  labelNames(match: readonly string[], fromMs: number, toMs: number): readonly string[]
  labelValues(name: string, match: readonly string[], fromMs: number, toMs: number): readonly string[]
  /** Counted exactly, up to the last sample; UTC days from `fromMs` to `toMs`, both included. */
  ledger(fromMs: number, toMs: number): readonly LedgerRow[]
  /** The newest timestamp ever accepted: at a start, time cannot be before it. */
  newestMs(): number | null
  stats(): StoreStats
  totals(): StoreTotals
  /** Removes samples with `fromMs <= time <= toMs` of every series that matches; gives how many series were touched. */
  deleteSeries(match: readonly string[], fromMs: number, toMs: number): Promise<number>
  /** A copy of everything in a folder of its own below `snapshots`, from which a store can be opened; gives its name. */
  snapshot(): Promise<string>
  /**
   * Puts the samples of a snapshot back that the store lacks, while writes and queries go on; what the store has stays.
   * `folder` holds it; null: `name` below `snapshots`. Throws metrics-snapshot-unknown, -damaged or metrics-restore-busy,
   * and then nothing has changed.
   */
  restore(name: string, folder: string | null): Promise<RestoreProgress>
  /** Of the restore that runs or ran last; null when there was none since the start. */
  restoreProgress(): RestoreProgress | null
  /** Series by metric name, and values by label name, the most first. */
  cardinality(most: number): Cardinality
  /** Moves what is in memory to SQLite now, instead of within SEAL_EVERY_MS. */
  seal(): Promise<void>
  close(): Promise<void>
}

export interface StoreOptions {
  /** Own folder of the store; made when it is missing. */
  readonly folder: string
  readonly clock: Clock
  readonly log: Log
  /** Age at which samples are dropped, seen from the newest one. Default 15 days. */
  readonly retentionMs?: number
  /** Bytes of sealed chunks after which the oldest are dropped. Default: no limit. */
  readonly retentionBytes?: number
  readonly seriesMax?: number
  /** Series that one sender may have brought; after a start those with its name as `instance` count. */
  readonly senderSeriesMax?: number
  /** Time between two seals. Default 5 minutes. */
  readonly sealEveryMs?: number
  /** What is in the log is sealed when the store is closed, so that the next start has nothing to replay. Default: no. */
  readonly sealOnClose?: boolean
  readonly queryTimeoutMs?: number
  readonly querySamplesMax?: number
  readonly queriesMax?: number
}
