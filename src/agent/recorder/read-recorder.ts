// Owns what people are shown of a recording: one line a second, newest last. It changes nothing.
import {
  ackedByBoot,
  METRIC_NAME_LABEL,
  type ProcessShare,
  type RecorderRecord,
  unpackNumbers,
  unpackValues,
} from './frame.ts'
import { readRecordings } from './recorder.ts'

/** One second of an agent's life. */
export interface RecordedSecond {
  /** Fleet time, ms since 1970; null: it was not known then. */
  readonly at: number | null
  /** Host's wall clock minus fleet time, ms. */
  readonly clockOffMs: number | null
  readonly load1: number | null
  /** False: the control room had not taken it when the recording ended. */
  readonly sent: boolean
  readonly top: readonly ProcessShare[]
  readonly kernel: readonly string[]
}

/** Oldest first; empty without a recording. */
export function readRecorder(folder: string): RecordedSecond[] {
  const files = readRecordings(folder)
  const acked = ackedByBoot(files.flat())
  return files.flatMap(file => {
    const load = loadNumber(file)
    return file.map(record => ({
      at: record.fleetMs === null ? null : Math.round(record.fleetMs),
      clockOffMs: record.fleetMs === null ? null : Math.round(record.wallMs - record.fleetMs),
      load1: load === null ? null : valueOf(record, load),
      sent: record.bootMs <= (acked.get(record.boot) ?? Number.NEGATIVE_INFINITY),
      top: record.top ?? [],
      kernel: record.kernel ?? [],
    }))
  })
}

function loadNumber(file: readonly RecorderRecord[]): number | null {
  for (const { labels } of file) {
    for (const [number, its] of labels) if (its[METRIC_NAME_LABEL] === 'node_load1') return number
  }
  return null
}

function valueOf({ series, values }: RecorderRecord, number: number): number | null {
  const at = unpackNumbers(series).indexOf(number)
  return at < 0 ? null : (unpackValues(values)[at] ?? null)
}
