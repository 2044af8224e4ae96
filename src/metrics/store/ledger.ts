// Owns the ledger: bytes, requests and viewer-seconds a server and UTC day, counted sample by sample as they are sealed.
// It refuses to extrapolate: what no sample has shown is not in it. Rows are written in the transaction of their seal.
import type Database from 'better-sqlite3'
import type { Labels } from '#base'
import { METRIC_NAME, valueOf } from '../labels.ts'
import { isStale } from '../stale.ts'
import type { Samples } from './sample-column.ts'

export type LedgerMeasure = 'bytes' | 'requests' | 'viewer-seconds'

export interface LedgerRow {
  /** UTC, as 2026-01-31. */
  readonly day: string
  readonly server: string
  readonly measure: LedgerMeasure
  /** Of requests their kind; else empty. */
  readonly class: string
  readonly value: number
}

/** What of a series counts: growth of a counter, or a gauge times the seconds for which it stood. */
interface Rule {
  readonly measure: LedgerMeasure
  readonly isCounter: boolean
}

const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['vitrine_edge_sent_bytes_total', { measure: 'bytes', isCounter: true }],
  ['vitrine_origin_sent_bytes_total', { measure: 'bytes', isCounter: true }],
  ['vitrine_edge_requests_total', { measure: 'requests', isCounter: true }],
  ['vitrine_origin_requests_total', { measure: 'requests', isCounter: true }],
  ['vitrine_fleet_watching', { measure: 'viewer-seconds', isCounter: false }],
])

/** The control room writes each second: over a longer silence nobody knows who was watching. */
const GAUGE_GAP_MS_MAX = 30_000
/** A late sample is judged with its neighbours; the one before it is looked for this far back. */
const NEIGHBOUR_MS_MAX = 86_400_000
const DAY_MS = 86_400_000
/** 24 months. */
const KEPT_MS = 731 * DAY_MS

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS ledger (
    day INTEGER NOT NULL, server TEXT NOT NULL, measure TEXT NOT NULL, class TEXT NOT NULL, value REAL NOT NULL,
    PRIMARY KEY (day, server, measure, class)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS ledger_series (
    id INTEGER PRIMARY KEY, last_ms INTEGER NOT NULL, last_value REAL NOT NULL);
`

interface LastSample {
  readonly lastMs: number
  readonly lastValue: number
}

/** The samples of the series that SQLite has already. */
export type ReadOld = (fromMs: number, toMs: number) => Samples

export class Ledger {
  readonly #db: Database.Database
  readonly #last: Database.Statement<[number], LastSample>
  readonly #setLast: Database.Statement<[number, number, number]>
  readonly #add: Database.Statement<[number, string, string, string, number]>

  constructor(db: Database.Database) {
    db.exec(SCHEMA)
    this.#db = db
    this.#last = db.prepare(
      'SELECT last_ms AS lastMs, last_value AS lastValue FROM ledger_series WHERE id = ?',
    )
    this.#setLast = db.prepare('INSERT OR REPLACE INTO ledger_series VALUES (?, ?, ?)')
    this.#add = db.prepare(
      `INSERT INTO ledger VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (day, server, measure, class) DO UPDATE SET value = value + excluded.value`,
    )
  }

  /** Folds in what a seal brings of one series. Called inside the seal's transaction. */
  fold(id: number, labels: Labels, samples: Samples, readOld: ReadOld): void {
    const rule = RULES.get(valueOf(labels, METRIC_NAME))
    if (rule === undefined) return
    const fresh = points(samples)
    const [first] = fresh
    const newest = fresh.at(-1)
    if (first === undefined || newest === undefined) return
    const last = this.#last.get(id)
    const days = new Map<number, number>()
    if (last === undefined || first[0] > last.lastMs) {
      const before: Point | null = last === undefined ? null : [last.lastMs, last.lastValue]
      // The first sample that is ever seen of a counter shows what it has counted since its server started.
      if (before === null && rule.isCounter) addTo(days, first[0], first[1])
      growth(before === null ? fresh : [before, ...fresh], rule, days, 1)
    } else {
      // Late: what this stretch of time counted is taken out, and put in again with the new samples in their places.
      const old = points(readOld(first[0] - NEIGHBOUR_MS_MAX, last.lastMs))
      const joined = join(old, fresh)
      growth(old, rule, days, -1)
      growth(joined, rule, days, 1)
      const [oldFirst, newFirst] = [old[0], joined[0]]
      // Before the first sample of all there was zero, so that a late one before it changes nothing but the days.
      if (rule.isCounter && oldFirst !== undefined && newFirst !== undefined && newFirst[0] < oldFirst[0]) {
        addTo(days, oldFirst[0], -oldFirst[1])
        addTo(days, newFirst[0], newFirst[1])
      }
    }
    for (const [day, value] of days) {
      if (value !== 0)
        this.#add.run(day, valueOf(labels, 'instance'), rule.measure, valueOf(labels, 'kind'), value)
    }
    if (last === undefined || newest[0] > last.lastMs) this.#setLast.run(id, newest[0], newest[1])
  }

  /** Days from `fromMs` to `toMs`, both included. */
  read(fromMs: number, toMs: number): readonly LedgerRow[] {
    const rows = this.#db
      .prepare<[number, number], Omit<LedgerRow, 'day'> & { day: number }>(
        'SELECT day, server, measure, class, value FROM ledger WHERE day BETWEEN ? AND ? ORDER BY day, server, measure, class',
      )
      .all(Math.floor(fromMs / DAY_MS), Math.floor(toMs / DAY_MS))
    return rows.map(row => ({ ...row, day: dayText(row.day) }))
  }

  /**
   * Takes over what a copy of this ledger counted. Both counted the same deliveries, one of them perhaps fewer, so the
   * larger number stays. `ids` are the series of the copy and what they are here. Inside a transaction of the caller's.
   */
  adopt(copy: Database.Database, ids: ReadonlyMap<number, number>): void {
    const put = this.#db.prepare<[number, string, string, string, number]>(
      `INSERT INTO ledger VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (day, server, measure, class) DO UPDATE SET value = max(value, excluded.value)`,
    )
    const rows = copy.prepare<[], Omit<LedgerRow, 'day'> & { day: number }>('SELECT * FROM ledger').all()
    for (const { day, server, measure, class: kind, value } of rows)
      put.run(day, server, measure, kind, value)
    const remember = this.#db.prepare('INSERT OR IGNORE INTO ledger_series VALUES (?, ?, ?)')
    const last = copy
      .prepare<[], LastSample & { id: number }>(
        'SELECT id, last_ms AS lastMs, last_value AS lastValue FROM ledger_series',
      )
      .all()
    for (const { id, lastMs, lastValue } of last) {
      const own = ids.get(id)
      if (own !== undefined) remember.run(own, lastMs, lastValue)
    }
  }

  dropOld(nowMs: number): void {
    this.#db.prepare('DELETE FROM ledger WHERE day < ?').run(Math.floor((nowMs - KEPT_MS) / DAY_MS))
  }
}

type Point = readonly [timeMs: number, value: number]

function points({ times, values }: Samples): Point[] {
  const found: Point[] = []
  for (let at = 0; at < times.length; at += 1) {
    const value = values[at] ?? 0
    if (Number.isFinite(value) && !isStale(value)) found.push([times[at] ?? 0, value])
  }
  return found
}

/** By time; of two samples at one instant the old one stays. */
function join(old: readonly Point[], fresh: readonly Point[]): Point[] {
  const byTime = new Map<number, Point>()
  for (const point of [...fresh, ...old]) byTime.set(point[0], point)
  return [...byTime.values()].sort(([a], [b]) => a - b)
}

/** Adds what each sample but the first has grown by, to the day of that sample. A counter that falls began at zero. */
function growth(all: readonly Point[], rule: Rule, days: Map<number, number>, sign: 1 | -1): void {
  for (let at = 1; at < all.length; at += 1) {
    const [beforeMs, before] = all[at - 1] ?? [0, 0]
    const [timeMs, value] = all[at] ?? [0, 0]
    let grown = 0
    if (rule.isCounter) grown = value >= before ? value - before : value
    else if (timeMs - beforeMs <= GAUGE_GAP_MS_MAX) grown = (before * (timeMs - beforeMs)) / 1000
    addTo(days, timeMs, sign * grown)
  }
}

function addTo(days: Map<number, number>, timeMs: number, value: number): void {
  const day = Math.floor(timeMs / DAY_MS)
  days.set(day, (days.get(day) ?? 0) + value)
}

/** Days since 1970 as 2026-01-31 (days_from_civil, backwards: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms"). */
function dayText(day: number): string {
  const shifted = day + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const month5 = Math.floor((5 * dayOfYear + 2) / 153)
  const date = dayOfYear - Math.floor((153 * month5 + 2) / 5) + 1
  const month = month5 < 10 ? month5 + 3 : month5 - 9
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  return `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(date).padStart(2, '0')}`
}
