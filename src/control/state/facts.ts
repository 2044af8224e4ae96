// Owns the last full set of facts that each server's agent told: bounded, hashed, counted in versions, and with the time
// since which each fact is as it is. The past itself stands among the marks. It keeps no set of a server that is gone.
import { createHash } from 'node:crypto'
import { deflateSync, inflateSync } from 'node:zlib'
import { sql } from 'kysely'
import type { Fact } from '#wire'
import type { Db, StateDb } from './database.ts'

/** Things that went away are remembered, so that "since when" is known of them too; the oldest are forgotten first. */
const GONE_MAX = 500
/** Of one server's changes; a distribution's upgrade is a few thousand. */
const CHANGES_READ_MAX = 5000

/** Null value: it was there and is gone. Null since: it was so at the first look. */
export type StoredFact = readonly [
  kind: Fact[0],
  subject: string,
  value: string | null,
  sinceMs: number | null,
]

export interface StoredFacts {
  /** Counts the different sets. */
  readonly version: number
  readonly sha256: string
  /** When the agent read what made this version. */
  readonly at: number
  /** When it was told last, changed or not. */
  readonly toldAt: number
  /** When this server told facts for the first time. */
  readonly firstAt: number
  readonly facts: readonly StoredFact[]
}

export interface FactBook {
  /** Replaces what was known. Gives version and hash. */
  tell(
    this: void,
    server: { readonly id: string; readonly hostId: string },
    told: { readonly at: number; readonly facts: readonly Fact[] },
  ): Promise<{ version: number; sha256: string }>
  of(this: void, server: string): Promise<StoredFacts | null>
}

export function createFactBook(state: StateDb): FactBook {
  return {
    tell: (server, told) => tell(state, server, told),
    of: server => read(state.db, server),
  }
}

async function tell(
  { db, nowMs }: StateDb,
  server: { readonly id: string; readonly hostId: string },
  told: { readonly at: number; readonly facts: readonly Fact[] },
): Promise<{ version: number; sha256: string }> {
  const facts = inOrder(told.facts)
  const sha256 = createHash('sha256').update(JSON.stringify(facts)).digest('hex')
  const now = nowMs()
  // An agent whose time runs ahead must not date changes into the future.
  const at = Math.min(told.at, now)
  return await db.transaction().execute(async tx => {
    const before = await read(tx, server.id)
    if (before?.sha256 === sha256) {
      await tx.updateTable('server_facts').set({ told_at: now }).where('server_id', '=', server.id).execute()
      return { version: before.version, sha256 }
    }
    const times = await changeTimes(tx, server)
    const version = (before?.version ?? 0) + 1
    const kept = withTimes(before?.facts ?? null, facts, (kind, subject) => {
      const marked = times.get(`${kind} ${subject}`)
      // A mark from before the last set is of an earlier change.
      return Math.min(marked !== undefined && marked >= (before?.at ?? 0) ? marked : at, now)
    })
    const first = kept.map(fact => (before === null ? firstTime(fact, times) : fact))
    const data = deflateSync(JSON.stringify(first))
    const row = { version, sha256, at, told_at: now, data }
    await tx
      .insertInto('server_facts')
      .values({ server_id: server.id, first_at: at, ...row })
      .onConflict(conflict => conflict.column('server_id').doUpdateSet(row))
      .execute()
    await sql`DELETE FROM server_facts WHERE server_id NOT IN (SELECT id FROM servers WHERE retired_at IS NULL)`.execute(
      tx,
    )
    return { version, sha256 }
  })
}

/** A later word on the same thing wins; the order of telling does not matter. */
function inOrder(facts: readonly Fact[]): Fact[] {
  const byKey = new Map(facts.map(fact => [`${fact[0]} ${fact[1]}`, fact]))
  return [...byKey].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, fact]) => fact)
}

/** Each fact with the time since which it is so: that of before where it did not change. `before` null: not known. */
export function withTimes(
  before: readonly StoredFact[] | null,
  now: readonly Fact[],
  changedAt: (kind: Fact[0], subject: string) => number,
): StoredFact[] {
  if (before === null) return now.map(([kind, subject, value]) => [kind, subject, value, null] as const)
  const known = new Map(before.map(fact => [`${fact[0]} ${fact[1]}`, fact]))
  const kinds = new Set(before.map(([kind]) => kind))
  const kept: StoredFact[] = []
  for (const [kind, subject, value] of now) {
    const key = `${kind} ${subject}`
    const old = known.get(key)
    known.delete(key)
    // A kind that was never told begins to be watched: that is no change of the host.
    const isNewKind = old === undefined && !kinds.has(kind)
    const since = old?.[2] === value ? old[3] : isNewKind ? null : changedAt(kind, subject)
    kept.push([kind, subject, value, since])
  }
  const gone = [...known.values()]
    .map(
      ([kind, subject, value, since]): StoredFact =>
        value === null ? [kind, subject, null, since] : [kind, subject, null, changedAt(kind, subject)],
    )
    .toSorted((a, b) => (b[3] ?? 0) - (a[3] ?? 0))
  return [...kept, ...gone.slice(0, GONE_MAX)]
}

/** Changes may have been told before whole sets were. */
function firstTime(fact: StoredFact, times: ReadonlyMap<string, number>): StoredFact {
  const [kind, subject, value] = fact
  return [kind, subject, value, times.get(`${kind} ${subject}`) ?? null]
}

/** When each thing changed last, by what agents told of this server and of its host. */
async function changeTimes(
  db: Db,
  server: { readonly id: string; readonly hostId: string },
): Promise<ReadonlyMap<string, number>> {
  const rows = await db
    .selectFrom('marks')
    .select(['at', 'key'])
    .where('key', 'is not', null)
    .where(where =>
      where.or([
        where('server_id', '=', server.id),
        where('host_id', '=', server.hostId === '' ? server.id : server.hostId),
      ]),
    )
    .orderBy('at', 'desc')
    .limit(CHANGES_READ_MAX)
    .execute()
  const times = new Map<string, number>()
  for (const { at, key } of rows) {
    const [, kind, subject] = JSON.parse(key ?? '[]') as readonly unknown[]
    const name = `${String(kind)} ${String(subject)}`
    if (!times.has(name)) times.set(name, at)
  }
  return times
}

async function read(db: Db, server: string): Promise<StoredFacts | null> {
  const row = await db
    .selectFrom('server_facts')
    .selectAll()
    .where('server_id', '=', server)
    .executeTakeFirst()
  if (row === undefined) return null
  const facts = JSON.parse(inflateSync(row.data).toString('utf8')) as readonly StoredFact[]
  const { version, sha256, at } = row
  return { version, sha256, at, toldAt: row.told_at, firstAt: row.first_at, facts }
}
