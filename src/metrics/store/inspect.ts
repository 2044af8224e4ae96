// Owns looking into a metrics folder from outside, also while a control room has it open: what is there, and is it whole.
// It refuses to change anything.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { metricsFaults } from '../faults.ts'
import { decodeChunk, decodeStamps } from './chunk.ts'
import { scan } from './log-frame.ts'
import { readRecord } from './log-record.ts'
import { SERIES_SPAN } from './sealed-schema.ts'
import { listSegments, segmentFile } from './write-log.ts'

export interface StoreInspection {
  readonly format: number
  readonly checkpoint: number
  readonly series: number
  readonly seals: number
  readonly sealedSamples: number
  readonly sealedBytes: number
  readonly oldestMs: number | null
  readonly newestMs: number | null
  readonly log: readonly { readonly segment: number; readonly bytes: number; readonly samples: number }[]
}

export interface StoreVerification {
  readonly chunks: number
  readonly samples: number
  readonly logRecords: number
  /** One line for each thing that is wrong; none when all is well. */
  readonly damage: readonly string[]
}

const DAMAGE_LINES_MAX = 100

export function inspectStore(folder: string): StoreInspection {
  return reading(folder, db => {
    const meta = (name: string): number =>
      db.prepare<[string], number>('SELECT value FROM meta WHERE name = ?').pluck().get(name) ?? 0
    const sums = db
      .prepare<[], Sums>(
        `SELECT count(*) AS seals, coalesce(sum(samples), 0) AS sealedSamples, coalesce(sum(bytes), 0) AS sealedBytes,
         min(from_ms) AS oldestMs, max(to_ms) AS newestMs FROM seal`,
      )
      .get()
    return {
      format: meta('format'),
      checkpoint: meta('checkpoint'),
      series: db.prepare<[], number>('SELECT count(*) FROM series').pluck().get() ?? 0,
      ...(sums ?? { seals: 0, sealedSamples: 0, sealedBytes: 0, oldestMs: null, newestMs: null }),
      log: logSegments(folder).map(segment => ({ segment, ...logOf(folder, segment) })),
    }
  })
}

type Sums = Pick<StoreInspection, 'seals' | 'sealedSamples' | 'sealedBytes' | 'oldestMs' | 'newestMs'>

/** Reads everything, by its checksums. A torn end of the last log segment is what a crash leaves, and no damage. */
export function verifyStore(folder: string): StoreVerification {
  const damage: string[] = []
  const say = (line: string): void => {
    if (damage.length < DAMAGE_LINES_MAX) damage.push(line)
  }
  return reading(folder, db => {
    for (const line of db.prepare<[], string>('PRAGMA integrity_check').pluck().all()) {
      if (line !== 'ok') say(`chunks.db: ${line}`)
    }
    let chunks = 0
    let samples = 0
    const stamps = stampsOf(db)
    for (const row of db.prepare<[], { id: number; data: Buffer }>('SELECT id, data FROM chunk').iterate()) {
      chunks += 1
      const decoded = decodeChunk(row.data, reference =>
        stamps(Math.floor(row.id / SERIES_SPAN) * SERIES_SPAN + reference),
      )
      if (decoded === null) say(`chunks.db: chunk ${row.id} is damaged`)
      else samples += decoded.times.length
    }
    let logRecords = 0
    const segments = logSegments(folder)
    for (const segment of segments) {
      const { records, damagedBytes, tornBytes } = logOf(folder, segment)
      logRecords += records
      if (damagedBytes > 0) say(`log segment ${segment}: ${damagedBytes} bytes belong to no whole record`)
      if (tornBytes > 0 && segment !== segments.at(-1)) {
        say(`log segment ${segment}: ${tornBytes} bytes are torn off its end`)
      }
    }
    return { chunks, samples, logRecords, damage }
  })
}

/** Looks up stamps by their row; keeps the last ones, which the next chunk mostly shares. Format 2 has none. */
function stampsOf(db: Database.Database): (id: number) => Float64Array | null {
  const hasTable = db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'stamps'").get() !== undefined
  if (!hasTable) return () => null
  const read = db.prepare<[number], Buffer>('SELECT data FROM stamps WHERE id = ?').pluck()
  let lastId = -1
  let last: Float64Array | null = null
  return id => {
    if (id === lastId) return last
    const data = read.get(id)
    lastId = id
    last = data === undefined ? null : decodeStamps(data)
    return last
  }
}

function reading<Result>(folder: string, look: (db: Database.Database) => Result): Result {
  const file = join(folder, 'chunks.db')
  if (!existsSync(file)) {
    throw metricsFaults.fault('metrics-store-format', `${file}: expected a metrics store, got nothing`)
  }
  const db = new Database(file, { readonly: true })
  try {
    return look(db)
  } finally {
    db.close()
  }
}

function logSegments(folder: string): readonly number[] {
  const log = join(folder, 'log')
  return existsSync(log) ? listSegments(log) : []
}

function logOf(
  folder: string,
  segment: number,
): { bytes: number; samples: number; records: number; damagedBytes: number; tornBytes: number } {
  const bytes = readFileSync(segmentFile(join(folder, 'log'), segment))
  let samples = 0
  const count = { series: () => undefined, sample: () => void (samples += 1) }
  const { records, goodBytes, damagedBytes } = scan(bytes, payload => readRecord(payload, count))
  return { bytes: bytes.length, samples, records, damagedBytes, tornBytes: bytes.length - goodBytes }
}
