// Owns shared snapshots. The code of a link is stored as its hash; the data of a share that has ended is thrown away,
// and its line stays for the list.
import { deflateSync, inflateSync } from 'node:zlib'
import { hashToken } from '#link'
import {
  SHARE_S_DEFAULT,
  type ShareRequest,
  type ShareView,
  SNAPSHOT_LIMITS,
  type Snapshot,
  snapshot,
} from '#wire'
import { controlFaults } from '../faults.ts'
import { audit, type Db, type StateDb } from './database.ts'
import { newCode, newId } from './secrets.ts'
import type { Tables } from './tables.ts'

/** With a snapshot of a megabyte each, and compressed to a fifth: about 100 MB. */
const OPEN_MAX = 500
/** Lines of ended ones that are kept for the list. */
const LISTED_MAX = 1000

export interface Shares {
  /** The code is shown once. */
  make(this: void, request: ShareRequest, by: string): Promise<ShareView & { readonly code: string }>
  /** Newest first. */
  list(this: void): Promise<ShareView[]>
  revoke(this: void, id: string, by: string): Promise<void>
  /** Null: no such link, or it was revoked or has expired. */
  open(this: void, code: string): Promise<{ snapshot: Snapshot; createdAt: number; expiresAt: number } | null>
}

export function createShares(state: StateDb): Shares {
  return {
    make: (request, by) => make(state, request, by),
    list: () => list(state),
    revoke: (id, by) => revoke(state, id, by),
    open: code => open(state, code),
  }
}

async function make(
  { db, nowMs }: StateDb,
  request: ShareRequest,
  by: string,
): Promise<ShareView & { readonly code: string }> {
  const code = newCode()
  const at = nowMs()
  const json = Buffer.from(JSON.stringify(request.snapshot))
  if (json.length > SNAPSHOT_LIMITS.bytes) {
    const message = `a snapshot has at most ${SNAPSHOT_LIMITS.bytes} bytes, this one has ${json.length}`
    throw controlFaults.fault('control-request-too-large', message)
  }
  const row: Tables['shares'] = {
    id: newId(),
    sha256: hashToken(code),
    title: request.snapshot.title,
    created_at: at,
    created_by: by,
    expires_at: at + (request.expiresInS ?? SHARE_S_DEFAULT) * 1000,
    revoked_at: null,
    bytes: json.length,
    data: deflateSync(json),
  }
  await db.transaction().execute(async tx => {
    await forget(tx, at)
    const { count } = await tx
      .selectFrom('shares')
      .select(select => select.fn.countAll<number>().as('count'))
      .where('data', 'is not', null)
      .executeTakeFirstOrThrow()
    if (count >= OPEN_MAX) {
      throw controlFaults.fault('control-limit-reached', `${OPEN_MAX} graphs are shared already; revoke some`)
    }
    await tx.insertInto('shares').values(row).execute()
    const facts = { title: row.title, expiresAt: row.expires_at, bytes: row.bytes }
    await audit(tx, { at, by, action: 'share-create', subject: row.id, facts })
  })
  return { ...viewOf(row, at), code }
}

/** The data of those that have ended, and the oldest lines beyond what the list shows. */
async function forget(db: Db, at: number): Promise<void> {
  await db.updateTable('shares').set({ data: null }).where('expires_at', '<=', at).execute()
  const old = db.selectFrom('shares').select('id').orderBy('created_at', 'desc').limit(-1).offset(LISTED_MAX)
  await db.deleteFrom('shares').where('data', 'is', null).where('id', 'in', old).execute()
}

async function list({ db, nowMs }: StateDb): Promise<ShareView[]> {
  const rows = await db
    .selectFrom('shares')
    .select(['id', 'sha256', 'title', 'created_at', 'created_by', 'expires_at', 'revoked_at', 'bytes'])
    .orderBy('created_at', 'desc')
    .limit(LISTED_MAX)
    .execute()
  return rows.map(row => viewOf(row, nowMs()))
}

async function revoke({ db, nowMs }: StateDb, id: string, by: string): Promise<void> {
  const at = nowMs()
  await db.transaction().execute(async tx => {
    const changed = await tx
      .updateTable('shares')
      .set({ revoked_at: at, data: null })
      .where('id', '=', id)
      .where('revoked_at', 'is', null)
      .where('expires_at', '>', at)
      .executeTakeFirst()
    if (changed.numUpdatedRows === 0n) {
      const message = `no open share has the id ${JSON.stringify(id.slice(0, 64))}`
      throw controlFaults.fault('control-link-unknown', message)
    }
    await audit(tx, { at, by, action: 'share-revoke', subject: id })
  })
}

async function open({ db, nowMs }: StateDb, code: string): ReturnType<Shares['open']> {
  const row = await db
    .selectFrom('shares')
    .select(['data', 'created_at', 'expires_at'])
    .where('sha256', '=', hashToken(code))
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', nowMs())
    .executeTakeFirst()
  if (row === undefined || row.data === null) return null
  const json = inflateSync(row.data, { maxOutputLength: SNAPSHOT_LIMITS.bytes }).toString('utf8')
  const kept = snapshot.parse(JSON.parse(json))
  return { snapshot: kept, createdAt: row.created_at, expiresAt: row.expires_at }
}

function viewOf(row: Omit<Tables['shares'], 'data'>, at: number): ShareView {
  const { id, title, bytes } = row
  const state = row.revoked_at !== null ? 'revoked' : row.expires_at <= at ? 'expired' : 'open'
  const times = { createdAt: row.created_at, createdBy: row.created_by, expiresAt: row.expires_at }
  return { id, title, ...times, state, bytes }
}
