// The door of base: time, logs, faults, configuration, counters, lifecycle. It knows no other room.
export { type Clock, FakeClock, type FleetTime, isoTime, SlewedFleetTime, systemClock } from './clock.ts'
export { checkConfig, loadConfig, nearest } from './config.ts'
export {
  type Counter,
  Counters,
  type Gauge,
  type Histogram,
  type Labels,
  type MetricFamily,
  type MetricType,
  type SamplePoint,
} from './counters.ts'
export {
  defineFaults,
  Fault,
  type FaultBody,
  type FaultFacts,
  type FaultKind,
  type FaultOptions,
  type FaultTable,
  type FaultWhere,
  faultBody,
  messageOf,
  unreachable,
} from './fault.ts'
export { baseFaults } from './faults.ts'
export { ensureFolder, isAlive, lockFile, lockHolder, writeFileAtomic } from './files.ts'
export { type Closable, Closers, every } from './lifecycle.ts'
export {
  type CertificateListener,
  certificateLogger,
  isLoopback,
  isTls,
  type Listening,
  type ListenOptions,
  listen,
  listenFault,
} from './listen.ts'
export {
  createLog,
  createThrottle,
  type Log,
  type LogFacts,
  type LogLevel,
  lossyLines,
  Secret,
  silentLog,
} from './log.ts'
export { mapFile } from './mapped-file.ts'
export {
  dieWithParent,
  joinProcessGroup,
  type KernelClock,
  readClockNs,
  readTimex,
  sleepUntilNs,
  type Timex,
  tcpInfo,
} from './native.ts'
export { registerProcessMetrics } from './process-metrics.ts'
export type { PrivateTls, TlsFiles } from './tls-material.ts'
export { clockWords, datesOf, isDateProblem, proves } from './tls-proof.ts'
export { packageVersion } from './version.ts'
