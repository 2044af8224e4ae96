// Owns the browsers that are signed in: with which device, since when, from where; also those that came by a one-time
// link. Only the hash of a cookie is stored, and each request looks here, so that an ended one ends at once.
import { hashToken } from '#link'
import type { UserRole, WebSessionView } from '#wire'
import { controlFaults } from '../faults.ts'
import { audit, type Db, type StateDb } from '../state/database.ts'
import { newCode, newId } from '../state/secrets.ts'
import type { Tables } from '../state/tables.ts'

const SESSION_IDLE_MS = 12 * 3_600_000
const SESSION_MS_MAX = 7 * 24 * 3_600_000
/** A session's last use is written at most this often. */
const SEEN_EVERY_MS = 60_000
const SESSIONS_MAX = 10_000

/** Stands where a name would: no user can have it, since names have no spaces. */
export const LINK_NAME = 'one-time link'

export interface WebSession {
  /** Told to people. */
  readonly id: string
  readonly name: string
  readonly role: UserRole
  readonly csrf: string
}

/** What a browser gets at sign-in: the cookie's value, and the session behind it. */
export interface NewSession extends WebSession {
  readonly cookie: string
}

/** Which browser, and where. */
export interface SessionPlace {
  readonly device: string
  readonly address: string
}

export interface WebSessions {
  /** Of one person, or of one session that names nobody; null: of all. Last used first. */
  list(this: void, of: SessionOwner | null): Promise<Omit<WebSessionView, 'own'>[]>
  /** `of` null: whosever it is. Fault: none of these has the id. */
  end(this: void, id: string, of: SessionOwner | null, by: string): Promise<void>
}

export type SessionOwner = { readonly name: string } | { readonly id: string }

export function createWebSessions(state: StateDb): WebSessions {
  return {
    list: of => list(state, of),
    end: (id, of, by) => end(state, { id, of }, by),
  }
}

interface Beginning {
  readonly name: string
  readonly role: UserRole
  readonly means: Tables['web_sessions']['means']
  /** The password that was checked: it must still be that one when the session begins. */
  readonly hash?: string
}

const NOWHERE: SessionPlace = { device: '', address: '' }

export async function startSession(
  { db, nowMs }: StateDb,
  beginning: Beginning,
  place: SessionPlace = NOWHERE,
): Promise<NewSession> {
  return db.transaction().execute(tx => insertSession(tx, nowMs(), beginning, place))
}

/** Inside a transaction that changes more, as an invitation does. */
export async function insertSession(
  tx: Db,
  at: number,
  { name, role, means, hash }: Beginning,
  { device, address }: SessionPlace,
): Promise<NewSession> {
  const [cookie, csrf, id] = [newCode(), newCode(), newId()]
  await sweep(tx, at)
  if (hash !== undefined) await checkStillThere(tx, name, hash)
  const { count } = await tx
    .selectFrom('web_sessions')
    .select(select => select.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  if (count >= SESSIONS_MAX) {
    throw controlFaults.fault('control-limit-reached', `${SESSIONS_MAX} browsers are signed in already`)
  }
  const times = { created_at: at, seen_at: at }
  const row = { id, id_sha256: hashToken(cookie), name, role, csrf, means, device, address, ...times }
  await tx.insertInto('web_sessions').values(row).execute()
  const as =
    means === 'link'
      ? ({ kind: 'link', person: null, via: id, address } as const)
      : ({ kind: 'person', person: name, via: id, address } as const)
  const facts = { role, means, device }
  await audit(tx, { at, by: name, action: 'sign-in', subject: name, facts, as })
  return { cookie, csrf, id, name, role }
}

/** While a password was checked its owner may have been offboarded, or have got another one. */
async function checkStillThere(tx: Db, name: string, hash: string): Promise<void> {
  const user = await tx
    .selectFrom('users')
    .select('name')
    .where('name', '=', name)
    .where('password_hash', '=', hash)
    .where('offboarded_at', 'is', null)
    .executeTakeFirst()
  if (user === undefined) {
    throw controlFaults.fault('control-sign-in-failed', 'the name or the password is wrong')
  }
}

async function sweep(tx: Db, at: number): Promise<void> {
  await tx
    .deleteFrom('web_sessions')
    .where(where =>
      where.or([where('seen_at', '<', at - SESSION_IDLE_MS), where('created_at', '<', at - SESSION_MS_MAX)]),
    )
    .execute()
}

export async function sessionOf({ db, nowMs }: StateDb, cookie: string): Promise<WebSession | null> {
  const key = hashToken(cookie)
  const row = await db.selectFrom('web_sessions').selectAll().where('id_sha256', '=', key).executeTakeFirst()
  if (row === undefined) return null
  const at = nowMs()
  if (at - row.seen_at > SESSION_IDLE_MS || at - row.created_at > SESSION_MS_MAX) return null
  if (at - row.seen_at > SEEN_EVERY_MS) {
    await db.updateTable('web_sessions').set({ seen_at: at }).where('id_sha256', '=', key).execute()
  }
  return { id: row.id, name: row.name, role: row.role, csrf: row.csrf }
}

export async function signOut({ db, nowMs }: StateDb, cookie: string): Promise<void> {
  const key = hashToken(cookie)
  await db.transaction().execute(async tx => {
    const gone = await tx
      .deleteFrom('web_sessions')
      .where('id_sha256', '=', key)
      .returning('name')
      .executeTakeFirst()
    if (gone !== undefined) {
      await audit(tx, { at: nowMs(), by: gone.name, action: 'sign-out', subject: gone.name })
    }
  })
}

/** All of a person's; gives how many. */
export async function endSessions(
  tx: Db,
  { name, except = null }: { readonly name: string; readonly except?: string | null },
): Promise<number> {
  const gone = await tx
    .deleteFrom('web_sessions')
    .where('name', '=', name)
    .where('id', '!=', except ?? '')
    .returning('id')
    .execute()
  return gone.length
}

async function list({ db, nowMs }: StateDb, of: SessionOwner | null): ReturnType<WebSessions['list']> {
  const at = nowMs()
  const all = db
    .selectFrom('web_sessions')
    .selectAll()
    .where('seen_at', '>=', at - SESSION_IDLE_MS)
    .where('created_at', '>=', at - SESSION_MS_MAX)
    .orderBy('seen_at', 'desc')
    .limit(SESSIONS_MAX)
  const rows = await (of === null
    ? all
    : 'name' in of
      ? all.where('name', '=', of.name)
      : all.where('id', '=', of.id)
  ).execute()
  return rows.map(({ id, name, role, means, device, address, created_at, seen_at }) => ({
    id,
    name,
    role,
    means,
    device,
    address,
    since: created_at,
    seenAt: seen_at,
  }))
}

async function end(
  { db, nowMs }: StateDb,
  { id, of }: { id: string; of: SessionOwner | null },
  by: string,
): Promise<void> {
  await db.transaction().execute(async tx => {
    const found = await tx.selectFrom('web_sessions').selectAll().where('id', '=', id).executeTakeFirst()
    const isTheirs =
      found !== undefined && (of === null || ('name' in of ? of.name === found.name : of.id === found.id))
    if (!isTheirs) {
      const message = `no browser that is signed in has the id ${JSON.stringify(id.slice(0, 64))}`
      throw controlFaults.fault('control-web-session-unknown', message)
    }
    await tx.deleteFrom('web_sessions').where('id', '=', id).execute()
    const facts = { name: found.name, device: found.device, address: found.address }
    await audit(tx, { at: nowMs(), by, action: 'session-end', subject: id, facts })
  })
}
