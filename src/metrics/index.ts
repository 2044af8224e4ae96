// The door of metrics: text exposition, remote write, and the store with its query language.
export { type ApiData, type ApiPoint, toApiData } from './api-data.ts'
export {
  EXPOSITION_LIMITS,
  type ExpositionLimits,
  type ExpositionSample,
  parseExposition,
} from './exposition/parse-exposition.ts'
export { EXPOSITION_CONTENT_TYPE, renderExposition } from './exposition/render-exposition.ts'
export { metricsFaults } from './faults.ts'
export { formatNumber } from './format-number.ts'
export { type Matcher, makeMatcher } from './matchers.ts'
export { describeQuery } from './promql/describe-query.ts'
export type { Answer, Explain, PrintedAnswer, Question } from './promql/engine.ts'
export { formatQuery } from './promql/format-query.ts'
export { parseDurationMs, parseString } from './promql/literals.ts'
export { parseSeries } from './promql/series-text.ts'
export { SharedFrames } from './promql/shared-frames.ts'
export {
  type Matrix,
  type MatrixItem,
  type Point,
  pointsOf,
  type Scalar,
  type Text,
  type Value,
  type Vector,
  type VectorItem,
} from './promql/value.ts'
export { type Watched, watchedBy } from './promql/watched.ts'
export type { MetricMetadata } from './remote-write/metadata.ts'
export {
  decodeRemoteWrite,
  REMOTE_WRITE_LIMITS,
  type RemoteWriteLimits,
  remoteWriteVersion,
} from './remote-write/read-remote-write.ts'
export { compressBlock } from './remote-write/snappy.ts'
export { encodeRemoteWrite, REMOTE_WRITE_HEADERS } from './remote-write/write-remote-write.ts'
export { isStale, staleMarker } from './stale.ts'
export { inspectStore, type StoreInspection, type StoreVerification, verifyStore } from './store/inspect.ts'
export type { LedgerRow } from './store/ledger.ts'
export type { LedgerMeasure, LedgerRole } from './store/ledger-rules.ts'
export { openStore } from './store/open-store.ts'
export type { RestoreProgress } from './store/restore.ts'
export type {
  IngestRequest,
  IngestResult,
  MetricsStore,
  RefusalReason,
  SeriesSample,
  StoreOptions,
  StoreStats,
  StoreTotals,
  WriteResult,
  WriteSeries,
} from './store/store.ts'
