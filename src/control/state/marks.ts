// Owns marks: what changed, when, where, told by whom. The oldest go when there are too many.
import { sql } from 'kysely'
import type { MarkKind, MarkRequest, MarkView, SeenChange } from '#wire'
import { controlFaults } from '../faults.ts'
import { audit, type Db, type StateDb } from './database.ts'

/** A fleet of 100 servers with 20 changes a day each keeps 100 days. */
const MARKS_MAX = 200_000
const LIST_MAX = 1000
const AHEAD_MS_MAX = 86_400_000
const TEXT_MAX = 512

export interface MarkQuery {
  readonly fromMs: number
  readonly toMs: number
  /** Those of this server, of its host, and of the whole fleet; null: all. */
  readonly server: { readonly id: string; readonly hostId: string } | null
  /** Sorted by distance from here; null: newest first. */
  readonly nearMs: number | null
  readonly limit: number
}

export interface Marks {
  add(this: void, request: MarkRequest, by: string): Promise<MarkView>
  /** Gives how many were news. */
  seen(
    this: void,
    server: { readonly id: string; readonly hostId: string },
    changes: readonly SeenChange[],
  ): Promise<number>
  list(this: void, query: MarkQuery): Promise<MarkView[]>
  remove(this: void, id: number, by: string): Promise<void>
}

export function createMarks(state: StateDb): Marks {
  return {
    add: (request, by) => add(state, request, by),
    seen: (server, changes) => seen(state, server, changes),
    list: query => list(state, query),
    remove: (id, by) => remove(state, id, by),
  }
}

async function add({ db, nowMs }: StateDb, request: MarkRequest, by: string): Promise<MarkView> {
  const now = nowMs()
  const at = request.at ?? now
  if (at > now + AHEAD_MS_MAX) {
    const message = `at is ${Math.round((at - now) / 3_600_000)} hours ahead of fleet time, expected at most 24`
    throw controlFaults.fault('control-request-invalid', message)
  }
  const { kind, text, server = null, url = null } = request
  return await db.transaction().execute(async tx => {
    const row = { at, server_id: server, kind, text, by, url, host_id: null, key: null }
    const { id } = await tx.insertInto('marks').values(row).returning('id').executeTakeFirstOrThrow()
    await audit(tx, { at: now, by, action: 'mark-add', subject: String(id), facts: { kind, text, server } })
    return { id: id ?? 0, at, server, kind, text, by, url }
  })
}

/** What concerns the host and not one server on it. */
const hostKinds: ReadonlySet<MarkKind> = new Set([
  'package',
  'kernel',
  'parameter',
  'hardware',
  'boot',
  'time-source',
])
/** Agents of one host look within a minute of each other. */
const SAME_HOST_MS = 120_000

async function seen(
  { db }: StateDb,
  server: { readonly id: string; readonly hostId: string },
  changes: readonly SeenChange[],
): Promise<number> {
  return await db.transaction().execute(async tx => {
    let news = 0
    for (const change of changes) {
      const key = JSON.stringify([server.id, change.kind, change.subject, change.from, change.to, change.at])
      const text = wordsOf(change).slice(0, TEXT_MAX)
      const host_id = hostKinds.has(change.kind) && server.hostId !== '' ? server.hostId : null
      if (host_id !== null && (await isTold(tx, { ...change, text, host_id }))) continue
      const told = { at: change.at, kind: change.kind, text, host_id, key }
      const row = { ...told, server_id: server.id, by: 'agent', url: null }
      const added = await tx
        .insertInto('marks')
        .values(row)
        .onConflict(conflict => conflict.column('key').doNothing())
        .executeTakeFirst()
      news += Number(added.numInsertedOrUpdatedRows ?? 0)
    }
    await sql`DELETE FROM marks WHERE id <= (SELECT max(id) FROM marks) - ${MARKS_MAX}`.execute(tx)
    return news
  })
}

/** Another agent of the same host was first. */
async function isTold(
  tx: Db,
  mark: { at: number; kind: MarkKind; text: string; host_id: string },
): Promise<boolean> {
  const row = await tx
    .selectFrom('marks')
    .select('id')
    .where('host_id', '=', mark.host_id)
    .where('kind', '=', mark.kind)
    .where('text', '=', mark.text)
    .where('at', '>', mark.at - SAME_HOST_MS)
    .where('at', '<', mark.at + SAME_HOST_MS)
    .executeTakeFirst()
  return row !== undefined
}

async function list({ db }: StateDb, query: MarkQuery): Promise<MarkView[]> {
  const { fromMs, toMs, server, nearMs, limit } = query
  let select = db.selectFrom('marks').selectAll().where('at', '>=', fromMs).where('at', '<=', toMs)
  if (server !== null) {
    select = select.where(where =>
      where.or([
        where('server_id', '=', server.id),
        where('server_id', 'is', null),
        where('host_id', '=', server.hostId === '' ? server.id : server.hostId),
      ]),
    )
  }
  const sorted = nearMs === null ? select.orderBy('at', 'desc') : select.orderBy(sql`abs(at - ${nearMs})`)
  const rows = await sorted.orderBy('id', 'desc').limit(Math.min(limit, LIST_MAX)).execute()
  return rows.map(row => ({
    id: row.id ?? 0,
    at: row.at,
    server: row.server_id,
    kind: row.kind,
    text: row.text,
    by: row.by,
    url: row.url,
  }))
}

async function remove({ db, nowMs }: StateDb, id: number, by: string): Promise<void> {
  await db.transaction().execute(async tx => {
    const gone = await tx.deleteFrom('marks').where('id', '=', id).executeTakeFirst()
    if (gone.numDeletedRows === 0n)
      throw controlFaults.fault('control-mark-unknown', `no mark has the id ${id}`)
    await audit(tx, { at: nowMs(), by, action: 'mark-remove', subject: String(id) })
  })
}

const nouns: Readonly<Record<Exclude<MarkKind, 'deployment' | 'note'>, string>> = {
  version: 'version of',
  package: 'package',
  kernel: 'kernel',
  parameter: 'kernel parameter',
  hardware: 'hardware:',
  boot: 'host booted',
  process: 'process started:',
  configuration: 'configuration',
  certificate: 'certificate',
  'time-source': 'time source',
  recovered: 'recovered',
}

/** `package openssl: 3.0.15 to 3.0.16`. */
function wordsOf({ kind, subject, from, to }: SeenChange): string {
  const what = `${nouns[kind]} ${subject}`.trim()
  if (from === null) return to === null ? what : `${what}: ${to} is new`
  return to === null ? `${what}: ${from} is gone` : `${what}: ${from} to ${to}`
}
