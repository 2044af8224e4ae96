// Owns the payload of one log record: the series it defines and the samples that one write accepted, in columns.
// It refuses payloads that do not end where they should. Layout: docs/reference/metrics-store.md
import type { Labels } from '#base'

const HEAD_BYTES = 12

export interface RecordVisitor {
  series(id: number, labels: Labels): void
  sample(seriesId: number, timeMs: number, value: number): void
}

interface Defined {
  readonly id: number
  readonly labels: Labels
  /** `labels` in JSON, where somebody has it. */
  readonly definition?: string | null
}

export interface RecordParts {
  readonly defined: readonly Defined[]
  /** All of one length. */
  readonly ids: Uint32Array
  readonly times: Float64Array
  readonly values: Float64Array
}

/** The parts of the payload, to be written one after the other; they are valid as long as the columns are. */
export function recordPayload({ defined, ids, times, values }: RecordParts): readonly Buffer[] {
  const definitions = Buffer.from(
    defined.map(({ id, labels, definition }) => `[${id},${definition ?? JSON.stringify(labels)}]\n`).join(''),
  )
  const runs = timeRuns(times)
  const head = Buffer.allocUnsafe(HEAD_BYTES)
  head.writeUInt32LE(definitions.length, 0)
  head.writeUInt32LE(ids.length, 4)
  head.writeUInt32LE(runs === null ? 0 : runs.lengths.length, 8)
  const stamps = runs === null ? [bytesOf(times)] : [bytesOf(runs.lengths), bytesOf(runs.times)]
  return [head, definitions, bytesOf(ids), ...stamps, bytesOf(values)]
}

/** Samples of one scrape share their stamp; null when runs would not be shorter. */
function timeRuns(times: Float64Array): { lengths: Uint32Array; times: Float64Array } | null {
  let runs = 0
  for (let at = 0; at < times.length; at += 1) if (at === 0 || times[at] !== times[at - 1]) runs += 1
  if (runs * 2 > times.length) return null
  const lengths = new Uint32Array(runs)
  const starts = new Float64Array(runs)
  let run = -1
  for (let at = 0; at < times.length; at += 1) {
    if (at === 0 || times[at] !== times[at - 1]) {
      run += 1
      starts[run] = times[at] ?? 0
    }
    lengths[run] = (lengths[run] ?? 0) + 1
  }
  return { lengths, times: starts }
}

/** Columns are little-endian, as all machines are that Node.js runs on but s390x, which is not supported. */
function bytesOf(column: Uint32Array | Float64Array): Buffer {
  return Buffer.from(column.buffer, column.byteOffset, column.byteLength)
}

/** Reads a payload that its checksum has proven whole; false when its inner lengths do not fit. */
export function readRecord(payload: Buffer, visitor: RecordVisitor): boolean {
  if (payload.length < HEAD_BYTES) return false
  const definitionBytes = payload.readUInt32LE(0)
  const count = payload.readUInt32LE(4)
  const runs = payload.readUInt32LE(8)
  const stampBytes = runs === 0 ? count * 8 : runs * 12
  if (payload.length !== HEAD_BYTES + definitionBytes + count * 12 + stampBytes) return false
  if (definitionBytes > 0) {
    for (const line of payload.toString('utf8', HEAD_BYTES, HEAD_BYTES + definitionBytes).split('\n')) {
      if (line === '') continue
      const [id, labels] = JSON.parse(line) as [number, Labels]
      visitor.series(id, labels)
    }
  }
  // A copy puts the columns on borders of eight bytes.
  const ids = new Uint32Array(count)
  const values = new Float64Array(count)
  let at = HEAD_BYTES + definitionBytes
  const take = (column: Uint32Array | Float64Array): void => {
    bytesOf(column).set(payload.subarray(at, at + column.byteLength))
    at += column.byteLength
  }
  take(ids)
  const lengths = new Uint32Array(runs)
  const times = new Float64Array(runs === 0 ? count : runs)
  take(lengths)
  take(times)
  take(values)
  let run = -1
  let left = 0
  for (let index = 0; index < count; index += 1) {
    if (runs === 0) run = index
    else if (left === 0) left = lengths[++run] ?? 1
    left -= 1
    visitor.sample(ids[index] ?? 0, times[run] ?? 0, values[index] ?? 0)
  }
  return true
}
