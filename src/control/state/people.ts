// Owns users and one-time links, and who signs in by a password or a link. Only hashes are stored. It refuses to leave
// the control room without an admin.
import type { Fault } from '#base'
import { hashToken } from '#link'
import type { UserRole, UserView } from '#wire'
import { controlFaults } from '../faults.ts'
import { checkRole, checkUserName } from '../people/names.ts'
import {
  endSessions,
  LINK_NAME,
  type NewSession,
  type SessionPlace,
  sessionOf,
  signOut,
  startSession,
  type WebSession,
} from '../people/web-sessions.ts'
import { audit, type Db, type StateDb } from './database.ts'
import { hashPassword, newCode, passwordMatches } from './secrets.ts'
import type { Tables } from './tables.ts'

const LINK_MS = 3_600_000 // 1 h: long enough to copy it over SSH, short enough to forget
const USERS_MAX = 10_000

export interface People {
  createLink(this: void, role: string, by: string): Promise<string>
  addUser(this: void, user: { name: string; password: string; role: string }, by: string): Promise<UserView>
  setPassword(this: void, name: string, password: string, by: string): Promise<void>
  removeUser(this: void, name: string, by: string): Promise<void>
  listUsers(this: void): Promise<UserView[]>
  setRole(this: void, name: string, role: string, by: string): Promise<void>
  /** Of one's own, with the present one. False: that is another. The browser with this session stays signed in. */
  changePassword(this: void, change: PasswordChange): Promise<boolean>
  /** Null: wrong, used or expired. */
  signInByLink(this: void, code: string, place?: SessionPlace): Promise<NewSession | null>
  /** Null: no such user, or another password; both take the same time. */
  signInByPassword(
    this: void,
    name: string,
    password: string,
    place?: SessionPlace,
  ): Promise<NewSession | null>
  /** True: this name has signed in from there in the last 90 days. */
  knownPlace(this: void, name: string, address: string): Promise<boolean>
  /** Null: none, or expired. */
  sessionOf(this: void, cookie: string): Promise<WebSession | null>
  signOut(this: void, cookie: string): Promise<void>
}

export interface PasswordChange {
  readonly name: string
  readonly current: string
  readonly password: string
  /** Null: it came with no cookie. */
  readonly session: string | null
}

const KNOWN_PLACE_MS = 90 * 86_400_000

export function createPeople(state: StateDb): People {
  return {
    createLink: async (role, by) => createLink(state, checkRole(role), by),
    addUser: (user, by) => addUser(state, user, by),
    setPassword: (name, password, by) => setPassword(state, name, password, by),
    removeUser: (name, by) => removeUser(state, name, by),
    listUsers: () => listUsers(state),
    setRole: (name, role, by) => setRole(state, name, checkRole(role), by),
    changePassword: change => changePassword(state, change),
    signInByLink: (code, place) => signInByLink(state, code, place),
    signInByPassword: (name, password, place) => signInByPassword(state, { name, password }, place),
    knownPlace: (name, address) => knownPlace(state, name, address),
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
  checkUserName(name)
  const role = checkRole(user.role)
  const password_hash = await hashPassword(user.password)
  const at = nowMs()
  await db.transaction().execute(async tx => {
    await insertUser(tx, { name, role, password_hash, created_at: at })
    await audit(tx, { at, by, action: 'user-add', subject: name, facts: { role } })
  })
  return viewOf({ name, role, created_at: at, offboarded_at: null, handed_to: null })
}

/** Fault: the name is somebody's, or was, or a token's: the audit could not tell them apart. */
export async function insertUser(
  tx: Db,
  user: { name: string; role: UserRole; password_hash: string; created_at: number },
): Promise<void> {
  const { name } = user
  await checkNameFree(tx, name)
  const { count } = await tx
    .selectFrom('users')
    .select(select => select.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  if (count >= USERS_MAX) {
    throw controlFaults.fault('control-limit-reached', `there are ${USERS_MAX} users already`)
  }
  await tx
    .insertInto('users')
    .values({ ...user, offboarded_at: null, handed_to: null })
    .execute()
}

export async function checkNameFree(tx: Db, name: string): Promise<void> {
  const known = await tx.selectFrom('users').selectAll().where('name', '=', name).executeTakeFirst()
  if (known !== undefined) {
    const message =
      known.offboarded_at === null
        ? `a user ${name} exists already`
        : `${name} was offboarded; the name stays theirs in the audit, choose another`
    throw controlFaults.fault('control-user-duplicate', message)
  }
  const token = await tx
    .selectFrom('tokens')
    .select('id')
    .where('name', '=', name)
    .where('revoked_at', 'is', null)
    .executeTakeFirst()
  if (token === undefined) return
  const message = `the API token ${token.id} has the name ${name}; the audit could not tell them apart, choose another`
  throw controlFaults.fault('control-user-duplicate', message)
}

/** The one who is here; fault otherwise. */
export async function userOf(tx: Db, name: string): Promise<{ role: UserRole; passwordHash: string }> {
  const row = await tx
    .selectFrom('users')
    .select(['role', 'password_hash'])
    .where('name', '=', name)
    .where('offboarded_at', 'is', null)
    .executeTakeFirst()
  if (row === undefined) throw unknownUser(name)
  return { role: row.role, passwordHash: row.password_hash }
}

/** Fault: nobody else could let people in any more. */
export async function keepAnAdmin(tx: Db, name: string): Promise<void> {
  const other = await tx
    .selectFrom('users')
    .select('name')
    .where('role', '=', 'admin')
    .where('name', '!=', name)
    .where('offboarded_at', 'is', null)
    .executeTakeFirst()
  if (other === undefined) {
    throw controlFaults.fault('control-last-admin', `${name} is the last admin; make another one first`)
  }
}

async function setPassword(
  { db, nowMs }: StateDb,
  name: string,
  password: string,
  by: string,
): Promise<void> {
  const password_hash = await hashPassword(password)
  const at = nowMs()
  await db.transaction().execute(async tx => {
    await userOf(tx, name)
    await tx.updateTable('users').set({ password_hash }).where('name', '=', name).execute()
    // Whoever knew the old password is signed out.
    const signedOut = await endSessions(tx, { name })
    await audit(tx, { at, by, action: 'user-password', subject: name, facts: { signedOut } })
  })
}

async function changePassword(
  { db, nowMs }: StateDb,
  { name, current, password, session }: PasswordChange,
): Promise<boolean> {
  const { passwordHash } = await userOf(db, name)
  if (!(await passwordMatches(passwordHash, current))) return false
  const password_hash = await hashPassword(password)
  await db.transaction().execute(async tx => {
    await userOf(tx, name)
    await tx.updateTable('users').set({ password_hash }).where('name', '=', name).execute()
    const signedOut = await endSessions(tx, { name, except: session })
    const facts = { signedOut }
    await audit(tx, { at: nowMs(), by: name, action: 'user-password', subject: name, facts })
  })
  return true
}

async function setRole({ db, nowMs }: StateDb, name: string, role: UserRole, by: string): Promise<void> {
  const at = nowMs()
  await db.transaction().execute(async tx => {
    const { role: from } = await userOf(tx, name)
    if (from === role) return
    if (from === 'admin') await keepAnAdmin(tx, name)
    await tx.updateTable('users').set({ role }).where('name', '=', name).execute()
    // Browsers that are signed in may at once do what the new role allows, and no more.
    await tx.updateTable('web_sessions').set({ role }).where('name', '=', name).execute()
    await audit(tx, { at, by, action: 'user-role', subject: name, facts: { from, to: role } })
  })
}

async function removeUser({ db, nowMs }: StateDb, name: string, by: string): Promise<void> {
  const at = nowMs()
  await db.transaction().execute(async tx => {
    const { role } = await userOf(tx, name)
    if (role === 'admin') await keepAnAdmin(tx, name)
    await tx.deleteFrom('users').where('name', '=', name).execute()
    const signedOut = await endSessions(tx, { name })
    const ended = await tx
      .updateTable('tokens')
      .set({ revoked_at: at })
      .where('owner', '=', name)
      .where('revoked_at', 'is', null)
      .returning('id')
      .execute()
    const facts = { role, signedOut, tokens: ended.map(({ id }) => id) }
    await audit(tx, { at, by, action: 'user-remove', subject: name, facts })
  })
}

export function unknownUser(name: string): Fault {
  return controlFaults.fault('control-user-unknown', `no user is called ${JSON.stringify(name.slice(0, 80))}`)
}

async function listUsers({ db, nowMs }: StateDb): Promise<UserView[]> {
  const rows = await db.selectFrom('users').selectAll().orderBy('name').execute()
  const seen = await db
    .selectFrom('web_sessions')
    .select(({ fn }) => ['name', fn.max('seen_at').as('seen'), fn.countAll<number>().as('count')])
    .groupBy('name')
    .execute()
  const held = await db
    .selectFrom('tokens')
    .select(({ fn }) => ['owner', fn.countAll<number>().as('count')])
    .where('revoked_at', 'is', null)
    .where(where => where.or([where('expires_at', 'is', null), where('expires_at', '>', nowMs())]))
    .groupBy('owner')
    .execute()
  const [sessions, tokens] = [
    new Map(seen.map(row => [row.name, row])),
    new Map(held.map(row => [row.owner, row.count])),
  ]
  return rows.map(row => ({
    ...viewOf(row),
    seenAt: sessions.get(row.name)?.seen ?? null,
    sessions: sessions.get(row.name)?.count ?? 0,
    tokens: tokens.get(row.name) ?? 0,
  }))
}

type UserRow = Pick<Tables['users'], 'name' | 'role' | 'created_at' | 'offboarded_at' | 'handed_to'>

function viewOf({ name, role, created_at, offboarded_at, handed_to }: UserRow): UserView {
  const nothing = { seenAt: null, sessions: 0, tokens: 0 }
  return { name, role, createdAt: created_at, ...nothing, offboardedAt: offboarded_at, handedTo: handed_to }
}

async function signInByLink(
  state: StateDb,
  code: string,
  place: SessionPlace | undefined,
): Promise<NewSession | null> {
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
  if (spent === undefined) return null
  return startSession(state, { name: LINK_NAME, role: spent.role, means: 'link' }, place)
}

let dummyHash: Promise<string> | null = null

async function signInByPassword(
  state: StateDb,
  { name, password }: { name: string; password: string },
  place: SessionPlace | undefined,
): Promise<NewSession | null> {
  const user = await state.db
    .selectFrom('users')
    .selectAll()
    .where('name', '=', name)
    .where('offboarded_at', 'is', null)
    .executeTakeFirst()
  dummyHash ??= hashPassword('nobody has this password')
  const matches = await passwordMatches(user?.password_hash ?? (await dummyHash), password)
  if (user === undefined || !matches) return null
  return startSession(state, { name, role: user.role, means: 'password', hash: user.password_hash }, place)
}

async function knownPlace({ db, nowMs }: StateDb, name: string, address: string): Promise<boolean> {
  if (address === '') return false
  const found = await db
    .selectFrom('audit')
    .select('id')
    .where('subject', '=', name)
    .where('at', '>', nowMs() - KNOWN_PLACE_MS)
    .where('action', '=', 'sign-in')
    .where('address', '=', address)
    .limit(1)
    .executeTakeFirst()
  return found !== undefined
}
