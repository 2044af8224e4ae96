// Owns the tables of chunks.db: what they are, and how a file of the format before becomes one of this.
// It refuses files of any other format. Layout: docs/reference/metrics-store.md
import type Database from 'better-sqlite3'
import { type Labels, messageOf } from '#base'
import { metricsFaults } from '../faults.ts'
import { LABEL_SCHEMA, LabelTable } from './label-table.ts'

export const FORMAT = 3
/** Chunks have 300 bytes to 3 KB: larger pages waste less at their ends, smaller ones less in small tables. */
const PAGE_BYTES = 16_384
/** What the WAL is cut to once it has been written back: a seal of 250,000 series. */
const WAL_BYTES_KEPT = 64 * 1024 * 1024
/** A chunk's row id is seal * 2^26 + series: chunks of a seal lie together, so a seal is written and dropped in one run. */
export const SERIES_SPAN: number = 2 ** 26

const SERIES_SCHEMA = `
  CREATE TABLE series (
    id INTEGER PRIMARY KEY, labels BLOB NOT NULL, oldest_ms INTEGER NOT NULL, span_ms INTEGER NOT NULL);
`
const STAMPS_SCHEMA = 'CREATE TABLE stamps (id INTEGER PRIMARY KEY, data BLOB NOT NULL);'
const SCHEMA = `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  ${LABEL_SCHEMA}
  ${SERIES_SCHEMA}
  CREATE TABLE seal (
    id INTEGER PRIMARY KEY, from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL,
    samples INTEGER NOT NULL, bytes INTEGER NOT NULL,
    place INTEGER NOT NULL, chunks INTEGER NOT NULL, longest INTEGER NOT NULL);
  CREATE TABLE chunk (id INTEGER PRIMARY KEY, data BLOB NOT NULL);
  ${STAMPS_SCHEMA}
  INSERT INTO meta VALUES ('format', ${FORMAT}), ('checkpoint', 0), ('next_series', 1);
`

export function prepareDatabase(db: Database.Database, file: string): void {
  db.pragma(`page_size = ${PAGE_BYTES}`)
  db.pragma('auto_vacuum = INCREMENTAL')
  db.pragma('journal_mode = WAL')
  db.pragma(`journal_size_limit = ${WAL_BYTES_KEPT}`)
  // NORMAL: a commit does not wait for the disk. `commit` does it off the thread, before log segments are deleted.
  db.pragma('synchronous = NORMAL')
  const tables = db.prepare<[], number>('SELECT count(*) FROM sqlite_master').pluck().get()
  if (tables === 0) db.transaction(() => db.exec(SCHEMA))()
  if (readFormat(db, file) === 2) db.transaction(() => upgradeFrom2(db))()
  const format = readFormat(db, file)
  if (format !== FORMAT) {
    const message = `${file}: expected format ${FORMAT}, got ${format}`
    throw metricsFaults.fault('metrics-store-format', message)
  }
}

function readFormat(db: Database.Database, file: string): number {
  try {
    return readMeta(db, 'format')
  } catch (error) {
    const message = `${file}: expected a metrics store, got another database: ${messageOf(error)}`
    throw metricsFaults.fault('metrics-store-format', message, { cause: error })
  }
}

/** Its chunks are read as they are; `longest` is not known, so that its larger seals are never merged. */
function upgradeFrom2(db: Database.Database): void {
  db.exec(LABEL_SCHEMA)
  db.exec(STAMPS_SCHEMA)
  db.exec('ALTER TABLE series RENAME TO series2')
  db.exec(SERIES_SCHEMA)
  const labels = new LabelTable(db)
  const insert = db.prepare('INSERT INTO series VALUES (?, ?, ?, ?)')
  const rows = db
    .prepare<[], { id: number; labels: string; oldest_ms: number; newest_ms: number }>(
      'SELECT * FROM series2',
    )
    .all()
  for (const row of rows) {
    const bytes = labels.encode(JSON.parse(row.labels) as Labels)
    insert.run(row.id, bytes, row.oldest_ms, row.newest_ms - row.oldest_ms)
  }
  db.exec('DROP TABLE series2')
  for (const column of ['place', 'chunks', 'longest']) {
    db.exec(`ALTER TABLE seal ADD COLUMN ${column} INTEGER NOT NULL DEFAULT 0`)
  }
  db.exec(`UPDATE seal SET place = id, longest = samples, chunks = (SELECT count(*) FROM chunk
    WHERE chunk.id >= seal.id * ${SERIES_SPAN} AND chunk.id < (seal.id + 1) * ${SERIES_SPAN})`)
  writeMeta(db, 'format', FORMAT)
}

export function readMeta(db: Database.Database, name: string): number {
  return db.prepare<[string], number>('SELECT value FROM meta WHERE name = ?').pluck().get(name) ?? 0
}

/** The numbers only ever grow. */
export function writeMeta(db: Database.Database, name: string, value: number): void {
  db.prepare('UPDATE meta SET value = max(value, ?) WHERE name = ?').run(value, name)
}
