// Owns API tokens. Only their SHA-256 is stored; a revoked one is kept for the list and never works again.
import { hashToken } from '#link'
import type { UserRole } from '#wire'
import { controlFaults } from '../faults.ts'
import { audit, type StateDb } from './database.ts'
import { checkRole } from './people.ts'
import { newId, newToken } from './secrets.ts'
import type { CreatedToken, TokenView } from './state.ts'

/** The channel's access message takes 10,000; a fleet with more wants another way. */
const TOKENS_MAX = 5000

export interface ActiveToken {
  readonly id: string
  readonly name: string
  readonly role: UserRole
  readonly sha256: string
}

export interface Tokens {
  create(this: void, role: string, name: string, by: string): Promise<CreatedToken>
  list(this: void): Promise<TokenView[]>
  revoke(this: void, id: string, by: string): Promise<void>
  /** Those that work. */
  active(this: void): Promise<ActiveToken[]>
}

export function createTokens(state: StateDb): Tokens {
  return {
    create: (role, name, by) => create(state, { role, name }, by),
    list: () => list(state),
    revoke: (id, by) => revoke(state, id, by),
    active: () =>
      state.db
        .selectFrom('tokens')
        .select(['id', 'name', 'role', 'sha256'])
        .where('revoked_at', 'is', null)
        .execute(),
  }
}

async function create(
  { db, nowMs }: StateDb,
  wanted: { role: string; name: string },
  by: string,
): Promise<CreatedToken> {
  const role = checkRole(wanted.role)
  const { name } = wanted
  if (!/^[\x20-\x7e]{1,64}$/.test(name)) {
    const message = 'a token name of 1 to 64 printable ASCII characters is needed'
    throw controlFaults.fault('control-token-name-invalid', message)
  }
  const token = newToken()
  const id = newId()
  const at = nowMs()
  await db.transaction().execute(async tx => {
    const active = await tx
      .selectFrom('tokens')
      .select(select => select.fn.countAll<number>().as('count'))
      .where('revoked_at', 'is', null)
      .executeTakeFirstOrThrow()
    if (active.count >= TOKENS_MAX) {
      const message = `there are ${TOKENS_MAX} API tokens already; revoke some`
      throw controlFaults.fault('control-limit-reached', message)
    }
    const row = { id, name, role, sha256: hashToken(token), created_at: at, revoked_at: null }
    await tx.insertInto('tokens').values(row).execute()
    await audit(tx, { at, by, action: 'token-create', subject: id, facts: { name, role } })
  })
  return { id, name, role, createdAt: at, revokedAt: null, token }
}

async function list({ db }: StateDb): Promise<TokenView[]> {
  const rows = await db
    .selectFrom('tokens')
    .selectAll()
    .orderBy('created_at', 'desc')
    .limit(TOKENS_MAX)
    .execute()
  return rows.map(row => ({
    id: row.id,
    name: row.name,
    role: row.role,
    createdAt: row.created_at,
    revokedAt: row.revoked_at,
  }))
}

async function revoke({ db, nowMs }: StateDb, id: string, by: string): Promise<void> {
  const at = nowMs()
  await db.transaction().execute(async tx => {
    const changed = await tx
      .updateTable('tokens')
      .set({ revoked_at: at })
      .where('id', '=', id)
      .where('revoked_at', 'is', null)
      .executeTakeFirst()
    if (changed.numUpdatedRows === 0n) {
      const message = `no working API token has the id ${JSON.stringify(id.slice(0, 64))}`
      throw controlFaults.fault('control-token-unknown', message)
    }
    await audit(tx, { at, by, action: 'token-revoke', subject: id })
  })
}
