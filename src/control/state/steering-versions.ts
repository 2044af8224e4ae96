// Owns the versions of the steering table with what went into each: written once, never changed, pruned by age,
// by number and by size.
import { promisify } from 'node:util'
import { deflateRaw, inflateRaw } from 'node:zlib'
import { sql } from 'kysely'
import { type SteeringInput, type SteeringVersion, steeringInput } from '#wire'
import type { StateDb } from './database.ts'

/** As long as samples are kept by default, and as long again. */
const KEPT_MS = 30 * 86_400_000
/** One every four minutes for a month. */
const KEPT_MAX = 10_000
/** A thousand edges take some 20 KB a version. */
const KEPT_BYTES_MAX = 64 * 1024 * 1024
const ANSWER_MAX = 200

const nextAt = sql<number | null>`(SELECT next.at FROM steering_versions AS next
  WHERE next.version > steering_versions.version ORDER BY next.version LIMIT 1)`

const deflate = promisify(deflateRaw)
const inflate = promisify(inflateRaw)

export interface StoredVersion {
  readonly version: number
  readonly at: number
  /** What the version decided, as a text that differs exactly when the decision does. */
  readonly decision: string
  readonly exhausted: boolean
  readonly changes: readonly string[]
  readonly inputs: readonly SteeringInput[]
}

export type VersionWithInputs = SteeringVersion & {
  readonly exhausted: boolean
  readonly inputs: SteeringInput[]
}

export interface SteeringVersions {
  add(this: void, version: StoredVersion): Promise<void>
  /** Null: none is kept. */
  last(this: void): Promise<(StoredVersion & { readonly inputs: SteeringInput[] }) | null>
  get(this: void, version: number): Promise<VersionWithInputs | null>
  /** Those that held at some time from `from` to `to`, newest first. */
  list(
    this: void,
    from: number | null,
    to: number | null,
  ): Promise<{ versions: SteeringVersion[]; more: boolean; keptSince: number | null }>
  /** Those that began after `version` and not later than `until`, oldest first; few. */
  after(this: void, version: number, until: number): Promise<VersionWithInputs[]>
}

export function createSteeringVersions(state: StateDb): SteeringVersions {
  return {
    add: version => add(state, version),
    last: () => last(state),
    get: version => get(state, version),
    list: (from, to) => list(state, from, to),
    after: (version, until) => after(state, version, until),
  }
}

async function add({ db }: StateDb, entry: StoredVersion): Promise<void> {
  const { version, at, decision, exhausted } = entry
  const inputs = await deflate(JSON.stringify(entry.inputs))
  const changes = JSON.stringify(entry.changes)
  const bytes = inputs.length + decision.length + changes.length
  const row = { version, at, decision, exhausted: exhausted ? 1 : 0, changes, inputs, bytes }
  await db.transaction().execute(async tx => {
    await tx.insertInto('steering_versions').values(row).execute()
    await tx
      .deleteFrom('steering_versions')
      .where('at', '<', at - KEPT_MS)
      .execute()
    const { sum, count } = await tx
      .selectFrom('steering_versions')
      .select([sql<number>`sum(bytes)`.as('sum'), sql<number>`count(*)`.as('count')])
      .executeTakeFirstOrThrow()
    // One comes, so that one or two go: no loop over what is kept.
    const over = Math.max(count - KEPT_MAX, sum > KEPT_BYTES_MAX ? Math.ceil(count / 20) : 0)
    if (over <= 0) return
    const oldest = tx.selectFrom('steering_versions').select('version').orderBy('version').limit(over)
    await tx.deleteFrom('steering_versions').where('version', 'in', oldest).execute()
  })
}

async function last({ db }: StateDb): Promise<(StoredVersion & { inputs: SteeringInput[] }) | null> {
  const row = await db
    .selectFrom('steering_versions')
    .selectAll()
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (row === undefined) return null
  const { version, at, decision } = row
  const inputs = await readInputs(row.inputs)
  return { version, at, decision, exhausted: row.exhausted === 1, changes: readChanges(row.changes), inputs }
}

async function get({ db }: StateDb, version: number): Promise<VersionWithInputs | null> {
  const rows = await db
    .selectFrom('steering_versions')
    .selectAll()
    .where('version', '>=', version)
    .orderBy('version')
    .limit(2)
    .execute()
  const [row, next] = rows
  if (row?.version !== version) return null
  return {
    version,
    at: row.at,
    until: next?.at ?? null,
    changes: readChanges(row.changes),
    exhausted: row.exhausted === 1,
    inputs: await readInputs(row.inputs),
  }
}

async function list(
  { db }: StateDb,
  from: number | null,
  to: number | null,
): Promise<{ versions: SteeringVersion[]; more: boolean; keptSince: number | null }> {
  const oldest = await db
    .selectFrom('steering_versions')
    .select('at')
    .orderBy('version')
    .limit(1)
    .executeTakeFirst()
  let query = db
    .selectFrom('steering_versions')
    .select(['version', 'at', 'changes', nextAt.as('until')])
    .orderBy('version', 'desc')
    .limit(ANSWER_MAX + 1)
  if (to !== null) query = query.where('at', '<=', to)
  if (from !== null) {
    // The one that held when the span began counts as well.
    const held = await db
      .selectFrom('steering_versions')
      .select('version')
      .where('at', '<=', from)
      .orderBy('version', 'desc')
      .limit(1)
      .executeTakeFirst()
    query = query.where('version', '>=', held?.version ?? 0)
  }
  const rows = await query.execute()
  const versions = rows.slice(0, ANSWER_MAX).map(({ version, at, until, changes }) => ({
    version,
    at,
    until: until ?? null,
    changes: readChanges(changes),
  }))
  return { versions, more: rows.length > ANSWER_MAX, keptSince: oldest?.at ?? null }
}

async function after(state: StateDb, version: number, until: number): Promise<VersionWithInputs[]> {
  const rows = await state.db
    .selectFrom('steering_versions')
    .select('version')
    .where('version', '>', version)
    .where('at', '<=', until)
    .orderBy('version')
    .limit(5)
    .execute()
  const found = await Promise.all(rows.map(row => get(state, row.version)))
  return found.filter(one => one !== null)
}

function readChanges(text: string): string[] {
  return JSON.parse(text) as string[]
}

async function readInputs(bytes: Buffer): Promise<SteeringInput[]> {
  return steeringInput.array().parse(JSON.parse((await inflate(bytes)).toString('utf8')))
}
