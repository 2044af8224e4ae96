// Owns API tokens. Only their SHA-256 is stored; a revoked one is kept for the list and never works again. It refuses
// to let one do more than its owner may.
import { hashToken } from '#link'
import { mayAct, type TokenScope, type TokenView, type UserRole } from '#wire'
import { controlFaults } from '../faults.ts'
import { checkRole } from '../people/names.ts'
import { audit, type Db, type StateDb } from './database.ts'
import { newId, newToken } from './secrets.ts'
import type { CreatedToken } from './state.ts'
import type { Tables } from './tables.ts'

/** The channel's access message takes 10,000; a fleet with more wants another way. */
const TOKENS_MAX = 5000
/** The last use of a token is written at most this often. */
const USED_EVERY_MS = 60_000

export interface ActiveToken {
  readonly id: string
  readonly name: string
  /** The lower of its own and its owner's. */
  readonly role: UserRole
  readonly sha256: string
  readonly scope: TokenScope
  readonly owner: string | null
  readonly expiresAt: number | null
}

export interface TokenLimits {
  readonly owner?: string | null
  readonly scope?: TokenScope | undefined
  readonly expiresInS?: number | undefined
}

export interface Tokens {
  create(this: void, role: string, name: string, by: string, limits?: TokenLimits): Promise<CreatedToken>
  /** `owner` null or left out: everybody's. */
  list(this: void, owner?: string | null): Promise<TokenView[]>
  /** With an owner: theirs alone. */
  revoke(this: void, id: string, by: string, owner?: string | null): Promise<void>
  /** Those that work. */
  active(this: void): Promise<ActiveToken[]>
  /** It was used from there. */
  used(this: void, id: string, address: string): Promise<void>
}

export function createTokens(state: StateDb): Tokens {
  const usedAt = new Map<string, number>()
  return {
    create: (role, name, by, limits = {}) => create(state, { ...limits, role, name }, by),
    list: (owner = null) => list(state, owner),
    revoke: (id, by, owner = null) => revoke(state, { id, owner }, by),
    active: () => active(state),
    used: (id, address) => used(state, usedAt, { id, address }),
  }
}

async function create(
  { db, nowMs }: StateDb,
  wanted: TokenLimits & { readonly role: string; readonly name: string },
  by: string,
): Promise<CreatedToken> {
  const role = checkRole(wanted.role)
  const { name, owner = null, scope = 'everything', expiresInS } = wanted
  if (!/^[\x20-\x7e]{1,64}$/.test(name)) {
    const message = 'a token name of 1 to 64 printable ASCII characters is needed'
    throw controlFaults.fault('control-token-name-invalid', message)
  }
  const token = newToken()
  const id = newId()
  const at = nowMs()
  const expires_at = expiresInS === undefined ? null : at + expiresInS * 1000
  const own = { created_at: at, created_by: by, revoked_at: null, expires_at }
  const row: Tables['tokens'] = {
    id,
    name,
    role,
    sha256: hashToken(token),
    owner,
    scope,
    ...own,
    used_at: null,
    used_from: '',
  }
  await db.transaction().execute(async tx => {
    await checkOwner(tx, name, role, owner)
    const { count } = await tx
      .selectFrom('tokens')
      .select(select => select.fn.countAll<number>().as('count'))
      .where('revoked_at', 'is', null)
      .where(where => where.or([where('expires_at', 'is', null), where('expires_at', '>', at)]))
      .executeTakeFirstOrThrow()
    if (count >= TOKENS_MAX) {
      const message = `there are ${TOKENS_MAX} API tokens already; revoke some`
      throw controlFaults.fault('control-limit-reached', message)
    }
    await tx.insertInto('tokens').values(row).execute()
    const facts = { name, role, owner, scope, expiresAt: expires_at }
    await audit(tx, { at, by, action: 'token-create', subject: id, facts })
  })
  return { ...viewOf(row), token }
}

async function checkOwner(tx: Db, name: string, role: UserRole, owner: string | null): Promise<void> {
  const named = await tx.selectFrom('users').select('name').where('name', '=', name).executeTakeFirst()
  if (named !== undefined) {
    const message = `a user is called ${name}; the audit could not tell them apart, choose another name`
    throw controlFaults.fault('control-token-name-invalid', message)
  }
  if (owner === null) return
  const user = await tx
    .selectFrom('users')
    .select('role')
    .where('name', '=', owner)
    .where('offboarded_at', 'is', null)
    .executeTakeFirst()
  if (user === undefined) {
    const message = `no user is called ${JSON.stringify(owner.slice(0, 80))}`
    throw controlFaults.fault('control-user-unknown', message)
  }
  if (mayAct(user.role, role)) return
  const message = `a token of ${owner} has at most the role ${user.role}`
  throw controlFaults.fault('control-role-too-low', message)
}

async function list({ db }: StateDb, owner: string | null): Promise<TokenView[]> {
  const all = db.selectFrom('tokens').selectAll().orderBy('created_at', 'desc').limit(TOKENS_MAX)
  const rows = await (owner === null ? all : all.where('owner', '=', owner)).execute()
  return rows.map(viewOf)
}

function viewOf(row: Tables['tokens']): TokenView {
  const { id, name, role, scope, owner } = row
  const times = { createdAt: row.created_at, expiresAt: row.expires_at, usedAt: row.used_at }
  return {
    id,
    name,
    role,
    scope,
    owner,
    createdBy: row.created_by,
    ...times,
    usedFrom: row.used_from,
    revokedAt: row.revoked_at,
  }
}

async function revoke(
  { db, nowMs }: StateDb,
  { id, owner }: { id: string; owner: string | null },
  by: string,
): Promise<void> {
  const at = nowMs()
  await db.transaction().execute(async tx => {
    const one = tx.updateTable('tokens').set({ revoked_at: at }).where('id', '=', id)
    const working = one.where('revoked_at', 'is', null).returning(['name', 'role', 'owner'])
    const changed = await (owner === null ? working : working.where('owner', '=', owner)).executeTakeFirst()
    if (changed === undefined) {
      const message = `no working API token has the id ${JSON.stringify(id.slice(0, 64))}`
      throw controlFaults.fault('control-token-unknown', message)
    }
    await audit(tx, { at, by, action: 'token-revoke', subject: id, facts: changed })
  })
}

async function active({ db, nowMs }: StateDb): Promise<ActiveToken[]> {
  const rows = await db
    .selectFrom('tokens')
    .leftJoin('users', 'users.name', 'tokens.owner')
    .select([
      'tokens.id',
      'tokens.name',
      'tokens.role',
      'tokens.sha256',
      'tokens.scope',
      'tokens.owner',
      'tokens.expires_at',
      'users.role as ownerRole',
    ])
    .where('tokens.revoked_at', 'is', null)
    .where(where =>
      where.or([where('tokens.expires_at', 'is', null), where('tokens.expires_at', '>', nowMs())]),
    )
    .where(where => where.or([where('tokens.owner', 'is', null), where('users.offboarded_at', 'is', null)]))
    .execute()
  return rows.flatMap(({ ownerRole, expires_at: expiresAt, ...token }) => {
    // Its owner is no user any more.
    if (token.owner !== null && ownerRole === null) return []
    const role = ownerRole === null || mayAct(ownerRole, token.role) ? token.role : ownerRole
    return [{ ...token, role, expiresAt }]
  })
}

async function used(
  { db, nowMs }: StateDb,
  usedAt: Map<string, number>,
  { id, address }: { id: string; address: string },
): Promise<void> {
  const at = nowMs()
  const before = usedAt.get(id)
  if (before !== undefined && Math.abs(at - before) < USED_EVERY_MS) return
  // Only tokens that work come here, so that it holds no more than there are.
  if (usedAt.size >= TOKENS_MAX * 2) usedAt.clear()
  usedAt.set(id, at)
  await db.updateTable('tokens').set({ used_at: at, used_from: address }).where('id', '=', id).execute()
}
