// Owns the faults that the metrics room can throw. Refused samples are not faults: they are counted in WriteResult.
import { defineFaults, type FaultTable } from '#base'

type MetricsFault =
  | 'metrics-remote-write-invalid'
  | 'metrics-remote-write-too-large'
  | 'metrics-exposition-invalid'
  | 'metrics-promql-syntax'
  | 'metrics-promql-unsupported'
  | 'metrics-promql-execution'
  | 'metrics-promql-limit'
  | 'metrics-promql-timeout'
  | 'metrics-promql-busy'
  | 'metrics-store-disk-full'
  | 'metrics-store-failed'
  | 'metrics-store-format'
  | 'metrics-store-closed'
  | 'metrics-snapshot-unknown'
  | 'metrics-snapshot-damaged'
  | 'metrics-restore-busy'

export const metricsFaults: FaultTable<MetricsFault> = defineFaults('metrics', {
  'metrics-remote-write-invalid': {
    status: 400,
    where: 'downstream',
    retry: false,
    help: 'A remote-write body is not snappy-compressed protobuf of the promised version: check the sender and what lies between.',
  },
  'metrics-remote-write-too-large': {
    status: 413,
    where: 'downstream',
    retry: false,
    help: 'A remote-write request has more bytes, series, labels or samples than are taken at once: let the sender send smaller batches.',
  },
  'metrics-exposition-invalid': {
    status: 400,
    where: 'downstream',
    retry: false,
    help: 'A text exposition is malformed: look at the line that is named in the answer of the server that was read.',
  },
  'metrics-promql-syntax': {
    status: 400,
    where: 'downstream',
    retry: false,
    help: 'A query is not PromQL: correct it at the position that is named.',
  },
  'metrics-promql-unsupported': {
    status: 400,
    where: 'downstream',
    retry: false,
    help: 'A query uses a part of PromQL that this version does not have: the message names it.',
  },
  'metrics-promql-execution': {
    status: 422,
    where: 'downstream',
    retry: false,
    help: 'A query is well formed but has no answer for this data, mostly because label sets are not unique on one side.',
  },
  'metrics-promql-limit': {
    status: 422,
    where: 'downstream',
    retry: false,
    help: 'A query touches more series, samples or steps than one query may: narrow its matchers, range or resolution.',
  },
  'metrics-promql-timeout': {
    status: 503,
    where: 'internal',
    retry: true,
    help: 'A query took longer than a query may: narrow its matchers or range; if small queries do it too, the machine is overloaded.',
  },
  'metrics-promql-busy': {
    status: 429,
    where: 'downstream',
    retry: true,
    help: 'Too many queries are being evaluated at once: ask again in a moment, and look for pages or programs that ask too often.',
  },
  'metrics-store-disk-full': {
    status: 503,
    where: 'internal',
    retry: true,
    help: 'The disk of the metrics store is full, so samples are refused (nothing is half stored): free space or lower the retention. Senders try again by themselves.',
  },
  'metrics-store-failed': {
    status: 503,
    where: 'internal',
    retry: true,
    help: 'The disk of the metrics store gives errors: look at the system log for this disk. Samples are refused until it works again.',
  },
  'metrics-store-format': {
    status: 500,
    where: 'internal',
    retry: false,
    help: 'The metrics folder was written by another version or is damaged: move it away to start anew, or use the version that wrote it.',
  },
  'metrics-snapshot-unknown': {
    status: 404,
    where: 'downstream',
    retry: false,
    help: 'There is no snapshot of this name: look below `snapshots` in the metrics folder, or take one.',
  },
  'metrics-snapshot-damaged': {
    status: 422,
    where: 'downstream',
    retry: false,
    help: 'A snapshot cannot be read as a whole, so nothing of it was restored: use another one; `vitrine metrics verify` reads a store.',
  },
  'metrics-restore-busy': {
    status: 409,
    where: 'downstream',
    retry: true,
    help: 'A snapshot is being restored already: wait until it is done.',
  },
  'metrics-store-closed': {
    status: 503,
    where: 'internal',
    retry: true,
    help: 'The metrics store is shutting down: try again when the control room is up.',
  },
})
