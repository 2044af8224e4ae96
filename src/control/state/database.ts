// Owns the connection to state.db: durability, migrations, the audit, and the clock that its times are in.
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { Kysely, type SqliteDatabase, SqliteDialect, type Transaction } from 'kysely'
import { type Clock, type Closable, ensureFolder, Fault, messageOf } from '#base'
import { readHostId } from '#link'
import { controlFaults } from '../faults.ts'
import { type Actor, actorNow } from './acting.ts'
import { migrate } from './migrations.ts'
import type { Tables } from './tables.ts'

/** A transaction of another process is waited for this long; each of ours takes milliseconds. */
const BUSY_MS_MAX = 5000

export type Db = Kysely<Tables> | Transaction<Tables>

/** The open file. `nowMs` is fleet time. */
export interface StateDb extends Closable {
  readonly db: Kysely<Tables>
  nowMs(this: void): number
  /** Changes whenever another process has committed (PRAGMA data_version). */
  dataVersion(this: void): number
  /** From now on times come from here: the control room's own fleet time. */
  useTime(this: void, nowMs: () => number): void
  /** Lets other processes of this host convert their BOOTTIME. */
  publishTime(this: void, offsetMs: number): Promise<void>
  close(this: void): Promise<void>
}

/** Opens, migrates, and makes every acknowledged change survive a power cut (synchronous=FULL). */
export async function openDatabase(stateFolder: string, clock: Clock): Promise<StateDb> {
  const file = join(ensureFolder(stateFolder), 'state.db')
  const sqlite = openFile(file)
  const db = new Kysely<Tables>({ dialect: new SqliteDialect({ database: immediate(sqlite) }) })
  let nowMs = await publishedTime(db, clock)
  return {
    db,
    nowMs: () => nowMs(),
    dataVersion: () => Number(sqlite.pragma('data_version', { simple: true })),
    useTime: source => {
      nowMs = source
    },
    publishTime: async offsetMs => {
      const value = JSON.stringify({ hostId: readHostId(), offsetMs })
      await db
        .insertInto('meta')
        .values({ key: 'fleet-time', value })
        .onConflict(conflict => conflict.column('key').doUpdateSet({ value }))
        .execute()
    },
    close: () => db.destroy(),
  }
}

/**
 * Kysely begins with a plain BEGIN; one that reads before it writes then fails at once when another process wrote
 * in between (SQLITE_BUSY_SNAPSHOT). BEGIN IMMEDIATE waits for its turn instead.
 */
function immediate(sqlite: Sqlite.Database): SqliteDatabase {
  return {
    close: () => sqlite.close(),
    prepare: sql => sqlite.prepare(sql === 'begin' ? 'begin immediate' : sql),
  }
}

function openFile(file: string): Sqlite.Database {
  try {
    const sqlite = new Sqlite(file, { timeout: BUSY_MS_MAX })
    chmodSync(file, 0o600)
    sqlite.pragma('journal_mode = WAL')
    sqlite.pragma('synchronous = FULL')
    migrate(sqlite)
    return sqlite
  } catch (error) {
    if (error instanceof Fault) throw error
    const message = `${file}: ${messageOf(error)}`
    throw controlFaults.fault('control-state-unreadable', message, { cause: error })
  }
}

/** Fleet time as the control room of this host published it last; the wall clock where there is none. */
async function publishedTime(db: Kysely<Tables>, clock: Clock): Promise<() => number> {
  const row = await db.selectFrom('meta').select('value').where('key', '=', 'fleet-time').executeTakeFirst()
  if (row === undefined) return clock.wallMs
  const { hostId, offsetMs } = JSON.parse(row.value) as { hostId: string; offsetMs: number }
  // BOOTTIME starts anew with each boot; the host id is the kernel's boot id.
  return hostId === readHostId() ? () => clock.bootMs() + offsetMs : clock.wallMs
}

export interface AuditNote {
  readonly at: number
  readonly by: string
  readonly action: string
  readonly subject: string
  readonly facts?: Record<string, unknown>
  /** What the request itself cannot tell, as at a sign-in. */
  readonly as?: Partial<Actor>
}

/** Notes who changed what, in the same transaction as the change; gives its id. */
export async function audit(db: Db, entry: AuditNote): Promise<number> {
  const { at, by, action, subject, facts, as } = entry
  const { kind, person, via, address } = { ...actorNow(by), ...as }
  const row = {
    at,
    by,
    action,
    subject,
    facts: JSON.stringify(facts ?? {}),
    actor: kind,
    person,
    via,
    address,
  }
  const { insertId } = await db.insertInto('audit').values(row).executeTakeFirstOrThrow()
  return Number(insertId)
}
