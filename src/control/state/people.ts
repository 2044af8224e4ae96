// Owns users, one-time links and web sessions. Only hashes of passwords, codes and cookies are stored.
import type { Fault } from '#base'
import { hashToken } from '#link'
import { type UserRole, userRoles } from '#wire'
import { controlFaults } from '../faults.ts'
import { audit, type StateDb } from './database.ts'
import { hashPassword, newCode, passwordMatches } from './secrets.ts'
import type { UserView } from './state.ts'

const LINK_MS = 3_600_000 // 1 h: long enough to copy it over SSH, short enough to forget
const SESSION_IDLE_MS = 12 * 3_600_000
const SESSION_MS_MAX = 7 * 24 * 3_600_000
/** A session's last use is written at most this often. */
const SEEN_EVERY_MS = 60_000
const SESSIONS_MAX = 10_000
const USERS_MAX = 10_000

/** Stands where a name would: no user can have it, since names have no spaces. */
export const LINK_NAME = 'one-time link'

export interface WebSession {
  readonly name: string
  readonly role: UserRole
  readonly csrf: string
}

/** What a browser gets at sign-in: the cookie's value, and the session behind it. */
export interface NewSession extends WebSession {
  readonly cookie: string
}

export interface People {
  createLink(this: void, role: string, by: string): Promise<string>
  addUser(this: void, user: { name: string; password: string; role: string }, by: string): Promise<UserView>
  setPassword(this: void, name: string, password: string, by: string): Promise<void>
  removeUser(this: void, name: string, by: string): Promise<void>
  listUsers(this: void): Promise<UserView[]>
  /** Null: wrong, used or expired. */
  signInByLink(this: void, code: string): Promise<NewSession | null>
  /** Null: no such user, or another password; both take the same time. */
  signInByPassword(this: void, name: string, password: string): Promise<NewSession | null>
  /** Null: none, or expired. */
  sessionOf(this: void, cookie: string): Promise<WebSession | null>
  signOut(this: void, cookie: string): Promise<void>
}

/** Narrows a role that somebody typed. */
export function checkRole(role: string): UserRole {
  const known = userRoles.find(candidate => candidate === role)
  if (known !== undefined) return known
  const message = `role ${JSON.stringify(role.slice(0, 64))} does not exist; one of ${userRoles.join(', ')} is`
  throw controlFaults.fault('control-role-unknown', message)
}

export function createPeople(state: StateDb): People {
  return {
    createLink: async (role, by) => createLink(state, checkRole(role), by),
    addUser: (user, by) => addUser(state, user, by),
    setPassword: (name, password, by) => setPassword(state, name, password, by),
    removeUser: (name, by) => removeUser(state, name, by),
    listUsers: () => listUsers(state),
    signInByLink: code => signInByLink(state, code),
    signInByPassword: (name, password) => signInByPassword(state, name, password),
    sessionOf: cookie => sessionOf(state, cookie),
    signOut: cookie => signOut(state, cookie),
  }
}

async function createLink({ db, nowMs }: StateDb, role: UserRole, by: string): Promise<string> {
  const code = newCode()
  const at = nowMs()
  await db.transaction().execute(async tx => {
    await tx.deleteFrom('links').where('expires_at', '<', at).execute()
    const row = {
      code_sha256: hashToken(code),
      role,
      created_at: at,
      expires_at: at + LINK_MS,
      used_at: null,
    }
    await tx.insertInto('links').values(row).execute()
    await audit(tx, { at, by, action: 'link-create', subject: role })
  })
  return code
}

async function addUser(
  { db, nowMs }: StateDb,
  user: { name: string; password: string; role: string },
  by: string,
): Promise<UserView> {
  const { name } = user
  if (!/^[A-Za-z0-9._@-]{1,64}$/.test(name)) {
    const message = `a user name of 1 to 64 letters, digits and . _ @ - is needed, not ${JSON.stringify(name.slice(0, 80))}`
    throw controlFaults.fault('control-user-name-invalid', message)
  }
  const role = checkRole(user.role)
  const password_hash = await hashPassword(user.password)
  const at = nowMs()
  await db.transaction().execute(async tx => {
    const known = await tx.selectFrom('users').select('name').execute()
    if (known.some(row => row.name === name)) {
      throw controlFaults.fault('control-user-duplicate', `a user ${name} exists already`)
    }
    if (known.length >= USERS_MAX) {
      throw controlFaults.fault('control-limit-reached', `there are ${USERS_MAX} users already`)
    }
    await tx.insertInto('users').values({ name, role, password_hash, created_at: at }).execute()
    await audit(tx, { at, by, action: 'user-add', subject: name, facts: { role } })
  })
  return { name, role, createdAt: at }
}

async function setPassword(
  { db, nowMs }: StateDb,
  name: string,
  password: string,
  by: string,
): Promise<void> {
  const password_hash = await hashPassword(password)
  await db.transaction().execute(async tx => {
    const changed = await tx
      .updateTable('users')
      .set({ password_hash })
      .where('name', '=', name)
      .executeTakeFirst()
    if (changed.numUpdatedRows === 0n) throw unknownUser(name)
    // Whoever knew the old password is signed out.
    await tx.deleteFrom('web_sessions').where('name', '=', name).execute()
    await audit(tx, { at: nowMs(), by, action: 'user-password', subject: name })
  })
}

async function removeUser({ db, nowMs }: StateDb, name: string, by: string): Promise<void> {
  await db.transaction().execute(async tx => {
    const gone = await tx.deleteFrom('users').where('name', '=', name).executeTakeFirst()
    if (gone.numDeletedRows === 0n) throw unknownUser(name)
    await tx.deleteFrom('web_sessions').where('name', '=', name).execute()
    await audit(tx, { at: nowMs(), by, action: 'user-remove', subject: name })
  })
}

function unknownUser(name: string): Fault {
  return controlFaults.fault('control-user-unknown', `no user is called ${JSON.stringify(name.slice(0, 80))}`)
}

async function listUsers({ db }: StateDb): Promise<UserView[]> {
  const rows = await db.selectFrom('users').selectAll().orderBy('name').execute()
  return rows.map(row => ({ name: row.name, role: row.role, createdAt: row.created_at }))
}

async function signInByLink(state: StateDb, code: string): Promise<NewSession | null> {
  const { db, nowMs } = state
  const at = nowMs()
  // One statement finds and spends the link, so that two requests cannot both use it.
  const spent = await db
    .updateTable('links')
    .set({ used_at: at })
    .where('code_sha256', '=', hashToken(code))
    .where('used_at', 'is', null)
    .where('expires_at', '>', at)
    .returning('role')
    .executeTakeFirst()
  return spent === undefined ? null : startSession(state, LINK_NAME, spent.role)
}

let dummyHash: Promise<string> | null = null

async function signInByPassword(state: StateDb, name: string, password: string): Promise<NewSession | null> {
  const user = await state.db.selectFrom('users').selectAll().where('name', '=', name).executeTakeFirst()
  dummyHash ??= hashPassword('nobody has this password')
  const matches = await passwordMatches(user?.password_hash ?? (await dummyHash), password)
  return user === undefined || !matches ? null : startSession(state, user.name, user.role)
}

async function startSession({ db, nowMs }: StateDb, name: string, role: UserRole): Promise<NewSession> {
  const cookie = newCode()
  const csrf = newCode()
  const at = nowMs()
  await db.transaction().execute(async tx => {
    await tx
      .deleteFrom('web_sessions')
      .where(where =>
        where.or([
          where('seen_at', '<', at - SESSION_IDLE_MS),
          where('created_at', '<', at - SESSION_MS_MAX),
        ]),
      )
      .execute()
    const { count } = await tx
      .selectFrom('web_sessions')
      .select(select => select.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow()
    if (count >= SESSIONS_MAX) {
      throw controlFaults.fault('control-limit-reached', `${SESSIONS_MAX} browsers are signed in already`)
    }
    const row = { id_sha256: hashToken(cookie), name, role, csrf, created_at: at, seen_at: at }
    await tx.insertInto('web_sessions').values(row).execute()
    await audit(tx, { at, by: name, action: 'sign-in', subject: name, facts: { role } })
  })
  return { cookie, csrf, name, role }
}

async function sessionOf({ db, nowMs }: StateDb, cookie: string): Promise<WebSession | null> {
  const id = hashToken(cookie)
  const row = await db.selectFrom('web_sessions').selectAll().where('id_sha256', '=', id).executeTakeFirst()
  if (row === undefined) return null
  const at = nowMs()
  if (at - row.seen_at > SESSION_IDLE_MS || at - row.created_at > SESSION_MS_MAX) return null
  if (at - row.seen_at > SEEN_EVERY_MS) {
    await db.updateTable('web_sessions').set({ seen_at: at }).where('id_sha256', '=', id).execute()
  }
  return { name: row.name, role: row.role, csrf: row.csrf }
}

async function signOut({ db, nowMs }: StateDb, cookie: string): Promise<void> {
  const id = hashToken(cookie)
  await db.transaction().execute(async tx => {
    const gone = await tx
      .deleteFrom('web_sessions')
      .where('id_sha256', '=', id)
      .returning('name')
      .executeTakeFirst()
    if (gone !== undefined) {
      await audit(tx, { at: nowMs(), by: gone.name, action: 'sign-out', subject: gone.name })
    }
  })
}
