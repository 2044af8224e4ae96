// Owns the ledger: bytes, requests and viewer-seconds a server, UTC day and class of title, from the growth of counters.
// It refuses to extrapolate: what no sample has shown is not in it. Rules and reasons: docs/operate/ledger.md
import type Database from 'better-sqlite3'
import type { Labels } from '#base'
import { DAY_MS, dayText } from './ledger-day.ts'
import { type CounterRow, Folding, type ReadOld, type ServerRow } from './ledger-fold.ts'
import type { LedgerMeasure, LedgerRole } from './ledger-rules.ts'
import type { Samples } from './sample-column.ts'

export interface LedgerRow {
  /** UTC, as 2026-01-31. */
  readonly day: string
  readonly server: string
  readonly role: LedgerRole
  readonly measure: LedgerMeasure
  /** Of the titles: vod, live, builtin or other; empty for what no class was told of. */
  readonly class: string
  readonly value: number
}

/** 24 months. */
const KEPT_MS = 731 * DAY_MS

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS ledger (
    day INTEGER NOT NULL, server TEXT NOT NULL, measure TEXT NOT NULL, class TEXT NOT NULL, value REAL NOT NULL,
    PRIMARY KEY (day, server, measure, class)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS ledger_counter (
    labels TEXT PRIMARY KEY, first_ms INTEGER NOT NULL, whole INTEGER NOT NULL,
    base_ms INTEGER, base_value REAL, last_ms INTEGER NOT NULL, last_value REAL NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS ledger_server (
    server TEXT PRIMARY KEY, role TEXT NOT NULL, first_ms INTEGER, since_ms REAL) WITHOUT ROWID;
`

/** Tables of what is known of counters and servers, with their columns. */
const KEPT_TABLES = { ledger_counter: 7, ledger_server: 4 } as const

/** What the log alone holds of one series. */
export interface LivePart {
  readonly labels: Labels
  readonly samples: Samples
  readonly readOld: ReadOld
}

export class Ledger {
  readonly #db: Database.Database
  readonly #counter: Database.Statement<[string], CounterRow>
  readonly #server: Database.Statement<[string], ServerRow>
  readonly #birth: Database.Statement<[], number | null>
  #folding: Folding

  constructor(db: Database.Database) {
    db.exec(SCHEMA)
    // Of a version that was never released. Its counters had no class, so that none of them goes on.
    db.exec('DROP TABLE IF EXISTS ledger_series')
    this.#db = db
    this.#counter = db.prepare(
      `SELECT first_ms AS firstMs, whole, base_ms AS baseMs, base_value AS baseValue,
       last_ms AS lastMs, last_value AS lastValue FROM ledger_counter WHERE labels = ?`,
    )
    this.#server = db.prepare(
      'SELECT role, first_ms AS firstMs, since_ms AS sinceMs FROM ledger_server WHERE server = ?',
    )
    this.#birth = db.prepare<[], number | null>('SELECT min(first_ms) FROM ledger_server').pluck()
    this.#folding = this.#newFolding()
  }

  /** Takes in what a seal brings of one series; nothing of it counts before `write`. Folding a sample twice adds nothing. */
  fold(labels: Labels, samples: Samples, readOld: ReadOld): void {
    this.#folding.add(labels, samples, readOld)
  }

  /** Writes what was folded: the last thing in the transaction of the seal, in one piece, so that no reader sees a half. */
  write(): void {
    const { days, counters, servers } = this.#folding.finish()
    const add = this.#db.prepare(
      `INSERT INTO ledger VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (day, server, measure, class) DO UPDATE SET value = value + excluded.value`,
    )
    const putCounter = this.#db.prepare('INSERT OR REPLACE INTO ledger_counter VALUES (?, ?, ?, ?, ?, ?, ?)')
    const putServer = this.#db.prepare('INSERT OR REPLACE INTO ledger_server VALUES (?, ?, ?, ?)')
    for (const { day, server, measure, class: titleClass, value } of days) {
      if (value !== 0) add.run(day, server, measure, titleClass, value)
    }
    for (const [labels, row] of counters) {
      const { firstMs, whole, baseMs, baseValue, lastMs, lastValue } = row
      putCounter.run(labels, firstMs, whole, baseMs, baseValue, lastMs, lastValue)
    }
    for (const [server, { role, firstMs, sinceMs }] of servers) putServer.run(server, role, firstMs, sinceMs)
    this.discard()
  }

  /** Forgets what was folded since the last `write`: its seal has failed. */
  discard(): void {
    this.#folding = this.#newFolding()
  }

  /** Samples of this series are being deleted: what was counted stays, and nothing before its last sample changes any more. */
  settle(labels: Labels): void {
    this.#db
      .prepare('UPDATE ledger_counter SET base_ms = last_ms, base_value = last_value WHERE labels = ?')
      .run(JSON.stringify(labels))
  }

  /** Days from `fromMs` to `toMs`, both included; `live` is what no seal holds yet. */
  read(fromMs: number, toMs: number, live: Iterable<LivePart>): readonly LedgerRow[] {
    const folding = this.#newFolding()
    for (const { labels, samples, readOld } of live) folding.add(labels, samples, readOld)
    const { days, servers } = folding.finish()
    const [fromDay, toDay] = [Math.floor(fromMs / DAY_MS), Math.floor(toMs / DAY_MS)]
    const sums = new Map<string, DayRow>()
    for (const row of [...this.#stored(fromDay, toDay), ...days]) {
      if (row.day < fromDay || row.day > toDay || row.value === 0) continue
      const key = `${String(row.day).padStart(8, '0')} ${row.server} ${row.measure} ${row.class}`
      sums.set(key, { ...row, value: row.value + (sums.get(key)?.value ?? 0) })
    }
    return [...sums]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, row]) => {
        const known = servers.get(row.server) ?? this.#server.get(row.server)
        return { ...row, day: dayText(row.day), role: known?.role ?? 'edge' }
      })
  }

  /**
   * Takes over what a copy of this ledger counted. Both counted the same deliveries, one of them perhaps fewer, so the
   * larger number stays; what this ledger knows of a counter or a server stays too. Inside a transaction of the caller's.
   */
  adopt(copy: Database.Database): void {
    const put = this.#db.prepare<[number, string, string, string, number]>(
      `INSERT INTO ledger VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (day, server, measure, class) DO UPDATE SET value = max(value, excluded.value)`,
    )
    for (const { day, server, measure, class: kind, value } of copy
      .prepare<[], DayRow>('SELECT * FROM ledger')
      .all())
      put.run(day, server, measure, kind, value)
    for (const [table, columns] of Object.entries(KEPT_TABLES)) {
      const marks = Array.from({ length: columns }, () => '?').join(', ')
      const keep = this.#db.prepare(`INSERT OR IGNORE INTO ${table} VALUES (${marks})`)
      for (const row of copy.prepare(`SELECT * FROM ${table}`).raw().all() as unknown[][]) keep.run(...row)
    }
  }

  dropOld(nowMs: number): void {
    this.#db.prepare('DELETE FROM ledger WHERE day < ?').run(Math.floor((nowMs - KEPT_MS) / DAY_MS))
    this.#db.prepare('DELETE FROM ledger_counter WHERE last_ms < ?').run(nowMs - KEPT_MS)
  }

  #stored(fromDay: number, toDay: number): DayRow[] {
    return this.#db
      .prepare<[number, number], DayRow>(
        'SELECT day, server, measure, class, value FROM ledger WHERE day BETWEEN ? AND ?',
      )
      .all(fromDay, toDay)
  }

  #newFolding(): Folding {
    return new Folding({
      counter: labels => this.#counter.get(labels),
      server: server => this.#server.get(server),
      birthMs: () => this.#birth.get() ?? null,
    })
  }
}

type DayRow = Omit<LedgerRow, 'day' | 'role'> & { readonly day: number }
