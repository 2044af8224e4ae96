// Owns sessions on disk: those that go on, those that are over in one table for each UTC day, the sums of metrics, and
// up to which file of records that is, all of one moment in one transaction. Bounded by days and bytes; whole days go first.
import { join } from 'node:path'
import type Sqlite from 'better-sqlite3'
import { type Closable, ensureFolder } from '#base'
import { openSideFile } from '../state/side-file.ts'
import { unpackSession } from './rest/packed-session.ts'
import type { Session } from './session.ts'

export interface SessionLimits {
  readonly keptMs: number
  readonly bytes: number
}

/** A thousand viewers' evenings of a month, at 2 KB a session. */
export const SESSION_LIMITS: SessionLimits = { keptMs: 30 * 86_400_000, bytes: 2 * 1024 ** 3 }

const DAY_MS = 86_400_000
/** Deletions are made by hand, or by a script that asks for each. */
const REMOVED_MAX = 100_000

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS open_sessions (sid TEXT PRIMARY KEY, packed BLOB NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS sums (name TEXT PRIMARY KEY, row TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS removed (sid TEXT PRIMARY KEY, at REAL NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS journal (one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL) STRICT;
`
const DAY_SCHEMA = (table: string): string => `
  CREATE TABLE IF NOT EXISTS ${table} (
    sid TEXT PRIMARY KEY, started_at REAL NOT NULL, last_at REAL NOT NULL, title TEXT, state TEXT NOT NULL,
    attempt TEXT NOT NULL, estimated INTEGER NOT NULL, edges TEXT NOT NULL, watched_s REAL NOT NULL,
    rebuffer_s REAL NOT NULL, viewer_ref TEXT, packed BLOB NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS ${table}_started ON ${table} (started_at, sid);
`

/** What sessions are found by; the rest is in the packed session. */
export interface SessionRow {
  readonly sid: string
  readonly started_at: number
  readonly last_at: number
  readonly title: string | null
  readonly state: string
  readonly attempt: string
  readonly estimated: number
  /** `,a,b,` */
  readonly edges: string
  readonly watched_s: number
  readonly rebuffer_s: number
  readonly viewer_ref: string | null
  readonly packed: Buffer
}

export interface SessionFilter {
  readonly fromMs: number
  readonly toMs: number
  readonly edge?: string | undefined
  readonly title?: string | undefined
  readonly state?: string | undefined
  readonly attempt?: string | undefined
  readonly estimated?: boolean | undefined
  readonly rebufferSMin?: number | undefined
  readonly sid?: string | undefined
  readonly viewerRef?: string | undefined
}

/** Newest first; what comes after this one. */
export interface Place {
  readonly at: number
  readonly sid: string
}

export class SessionStore implements Closable {
  /** Its own, below the state’s. */
  readonly folder: string
  readonly #sqlite: Sqlite.Database
  readonly #limits: SessionLimits
  readonly #days = new Set<string>()
  readonly #putOpen: Sqlite.Statement
  readonly #dropOpen: Sqlite.Statement
  readonly #insert = new Map<string, Sqlite.Statement>()
  readonly #find = new Map<string, Sqlite.Statement>()

  constructor(stateFolder: string, limits: SessionLimits = SESSION_LIMITS) {
    this.#limits = limits
    this.folder = ensureFolder(join(stateFolder, 'viewers'))
    this.#sqlite = openSideFile(join(this.folder, 'sessions.db'), SCHEMA)
    this.#putOpen = this.#sqlite.prepare('INSERT OR REPLACE INTO open_sessions VALUES (?, ?)')
    this.#dropOpen = this.#sqlite.prepare('DELETE FROM open_sessions WHERE sid = ?')
    const tables = this.#sqlite
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'day_________'")
      .pluck()
      .all() as string[]
    for (const table of tables) this.#days.add(table)
  }

  begin(): void {
    this.#sqlite.exec('BEGIN IMMEDIATE')
  }

  end(): void {
    this.#sqlite.exec('COMMIT')
  }

  undo(): void {
    if (this.#sqlite.inTransaction) this.#sqlite.exec('ROLLBACK')
  }

  putOpen(sid: string, packed: Buffer): void {
    this.#putOpen.run(sid, packed)
  }

  dropOpen(sid: string): void {
    this.#dropOpen.run(sid)
  }

  /** Also again: a session of which something came late. */
  putOver(row: SessionRow): void {
    // Its first moment may have moved over midnight.
    this.removeOver(row.sid, row.started_at)
    const table = this.#tableFor(row.started_at)
    let insert = this.#insert.get(table)
    if (insert === undefined) {
      insert = this.#sqlite.prepare(
        `INSERT OR REPLACE INTO ${table} VALUES (@sid, @started_at, @last_at, @title, @state, @attempt, @estimated,
         @edges, @watched_s, @rebuffer_s, @viewer_ref, @packed)`,
      )
      this.#insert.set(table, insert)
    }
    insert.run(row)
  }

  /** Near that moment: sessions of one id are never days apart. */
  findOver(sid: string, nearMs: number): Session | null {
    for (const table of this.#tablesNear(nearMs)) {
      let find = this.#find.get(table)
      if (find === undefined) {
        find = this.#sqlite.prepare(`SELECT packed FROM ${table} WHERE sid = ?`).pluck()
        this.#find.set(table, find)
      }
      const packed = find.get(sid)
      if (packed !== undefined) return unpackSession(packed as Buffer)
    }
    return null
  }

  /** Of all days, the newest first. */
  find(sid: string): Session | null {
    for (const table of this.#tables()) {
      const packed = this.#sqlite.prepare(`SELECT packed FROM ${table} WHERE sid = ?`).pluck().get(sid)
      if (packed !== undefined) return unpackSession(packed as Buffer)
    }
    return null
  }

  removeOver(sid: string, nearMs: number): void {
    for (const table of this.#tablesNear(nearMs)) {
      this.#sqlite.prepare(`DELETE FROM ${table} WHERE sid = ?`).run(sid)
    }
  }

  /**
   * Of all days, and of those that go on, at once with a note that it was; true when there was one, here or where
   * `isKnown` comes from.
   */
  remove(sid: string, { isKnown, nowMs }: { readonly isKnown: boolean; readonly nowMs: number }): boolean {
    return this.#sqlite.transaction(() => {
      let removed = this.#dropOpen.run(sid).changes
      for (const table of this.#days) {
        removed += this.#sqlite.prepare(`DELETE FROM ${table} WHERE sid = ?`).run(sid).changes
      }
      if (removed === 0 && !isKnown) return false
      this.#sqlite.prepare('INSERT OR REPLACE INTO removed VALUES (?, ?)').run(sid, nowMs)
      return true
    })()
  }

  /** Those that were removed, and of which records may come still. */
  removed(): string[] {
    return this.#sqlite.prepare('SELECT sid FROM removed').pluck().all() as string[]
  }

  /** Whose records would be too old by now, and the oldest where they are too many; gives them. */
  forgetRemoved(nowMs: number): string[] {
    return this.#sqlite
      .prepare(
        `DELETE FROM removed WHERE at < ? OR sid IN (SELECT sid FROM removed ORDER BY at DESC LIMIT -1 OFFSET ?) RETURNING sid`,
      )
      .pluck()
      .all(nowMs - this.#limits.keptMs, REMOVED_MAX) as string[]
  }

  /** Newest first, at most `max`. */
  page(filter: SessionFilter, before: Place | null, max: number): SessionRow[] {
    const rows: SessionRow[] = []
    const { where, values } = conditions(filter, before)
    for (const table of this.#tables()) {
      if (rows.length >= max) break
      // A session that began a day before may reach into the time that is asked for.
      if (dayStart(table) > filter.toMs || dayStart(table) + 2 * DAY_MS < filter.fromMs) continue
      const text = `SELECT * FROM ${table} WHERE ${where} ORDER BY started_at DESC, sid DESC LIMIT ${max - rows.length}`
      rows.push(...(this.#sqlite.prepare(text).all(values) as SessionRow[]))
    }
    return rows
  }

  putSums(rows: ReadonlyMap<string, string>): void {
    const put = this.#sqlite.prepare('INSERT OR REPLACE INTO sums VALUES (?, ?)')
    for (const [name, row] of rows) put.run(name, row)
  }

  sums(): string[] {
    return this.#sqlite.prepare('SELECT row FROM sums').pluck().all() as string[]
  }

  /** The first file of records that is not contained in what stands here. */
  putJournal(number: number): void {
    this.#sqlite.prepare('INSERT OR REPLACE INTO journal VALUES (1, ?)').run(number)
  }

  journal(): number {
    return Number(this.#sqlite.prepare('SELECT number FROM journal').pluck().get() ?? 0)
  }

  /** One by one: all at once would be all of them twice. */
  open(): IterableIterator<Buffer> {
    const rows = this.#sqlite.prepare('SELECT packed FROM open_sessions').pluck().iterate()
    return rows as IterableIterator<Buffer>
  }

  /** Of rows and their indexes; what deletions freed is used again. */
  bytes(): number {
    const pragma = (name: string): number => Number(this.#sqlite.pragma(name, { simple: true }))
    return (pragma('page_count') - pragma('freelist_count')) * pragma('page_size')
  }

  /** Drops days that are too old, and the oldest ones while there is too much; today's stays. Gives how many. */
  sweep(nowMs: number): number {
    const kept = this.#tables().toReversed()
    let dropped = 0
    for (const table of kept) {
      const isOld = dayStart(table) + DAY_MS < nowMs - this.#limits.keptMs
      const isTooMuch = this.bytes() > this.#limits.bytes && dayStart(table) + DAY_MS <= nowMs
      if (!isOld && !isTooMuch) break
      this.#sqlite.exec(`DROP TABLE ${table}`)
      this.#days.delete(table)
      this.#insert.delete(table)
      this.#find.delete(table)
      dropped += 1
    }
    return dropped
  }

  close(): void {
    this.#sqlite.close()
  }

  #tables(): string[] {
    return [...this.#days].toSorted().toReversed()
  }

  #tablesNear(atMs: number): string[] {
    return [0, -DAY_MS, DAY_MS].map(by => tableOf(atMs + by)).filter(table => this.#days.has(table))
  }

  #tableFor(atMs: number): string {
    const table = tableOf(atMs)
    if (!this.#days.has(table)) {
      this.#sqlite.exec(DAY_SCHEMA(table))
      this.#days.add(table)
    }
    return table
  }
}

function conditions(
  filter: SessionFilter,
  before: Place | null,
): { where: string; values: Record<string, unknown> } {
  const { fromMs, toMs, edge, title, state, attempt, estimated, rebufferSMin, sid, viewerRef } = filter
  const parts: [string, Record<string, unknown>][] = [
    ['started_at <= @toMs AND last_at >= @fromMs', { fromMs, toMs }],
    ...(edge === undefined ? [] : [part('instr(edges, @edge) > 0', { edge: `,${edge},` })]),
    ...(title === undefined ? [] : [part('title = @title', { title })]),
    ...(state === undefined ? [] : [part('state = @state', { state })]),
    ...(attempt === undefined ? [] : [part('attempt = @attempt', { attempt })]),
    ...(estimated === undefined ? [] : [part('estimated = @estimated', { estimated: Number(estimated) })]),
    ...(rebufferSMin === undefined ? [] : [part('rebuffer_s >= @rebufferSMin', { rebufferSMin })]),
    ...(sid === undefined ? [] : [part('sid = @sid', { sid })]),
    ...(viewerRef === undefined ? [] : [part('viewer_ref = @viewerRef', { viewerRef })]),
    ...(before === null
      ? []
      : [
          part('(started_at, sid) < (@beforeAt, @beforeSid)', { beforeAt: before.at, beforeSid: before.sid }),
        ]),
  ]
  return {
    where: parts.map(([text]) => text).join(' AND '),
    values: Object.assign({}, ...parts.map(([, value]) => value)) as Record<string, unknown>,
  }
}

function part(text: string, values: Record<string, unknown>): [string, Record<string, unknown>] {
  return [text, values]
}

function tableOf(atMs: number): string {
  return `day_${new Date(Math.max(0, atMs)).toISOString().slice(0, 10).replaceAll('-', '')}`
}

function dayStart(table: string): number {
  const [, year, month, day] = /^day_(\d{4})(\d\d)(\d\d)$/.exec(table) ?? []
  return Date.UTC(Number(year), Number(month) - 1, Number(day))
}
