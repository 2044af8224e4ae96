// Owns the links that open the wall on a screen where nobody signs in. Only their SHA-256 is stored; a revoked one is
// kept for the list and never works again.
import { hashToken } from '#link'
import type { WallLinkView } from '#wire'
import { controlFaults } from '../faults.ts'
import { audit, type StateDb } from './database.ts'
import { newId, newToken } from './secrets.ts'

/** One a screen: more than any team hangs up. */
const LINKS_MAX = 200
/** Of ended ones, the newest. */
const LISTED_MAX = 500

export interface ActiveWallLink {
  readonly id: string
  readonly name: string
  readonly sha256: string
}

export interface WallLinks {
  /** The token is shown once. */
  make(this: void, name: string, by: string): Promise<WallLinkView & { readonly token: string }>
  list(this: void): Promise<WallLinkView[]>
  revoke(this: void, id: string, by: string): Promise<void>
  /** Those that work. */
  active(this: void): Promise<ActiveWallLink[]>
}

export function createWallLinks(state: StateDb): WallLinks {
  return {
    make: (name, by) => make(state, name, by),
    list: () => list(state),
    revoke: (id, by) => revoke(state, id, by),
    active: () =>
      state.db
        .selectFrom('wall_links')
        .select(['id', 'name', 'sha256'])
        .where('revoked_at', 'is', null)
        .execute(),
  }
}

async function make(
  { db, nowMs }: StateDb,
  name: string,
  by: string,
): Promise<WallLinkView & { readonly token: string }> {
  const token = newToken()
  const id = newId()
  const at = nowMs()
  await db.transaction().execute(async tx => {
    const { count } = await tx
      .selectFrom('wall_links')
      .select(select => select.fn.countAll<number>().as('count'))
      .where('revoked_at', 'is', null)
      .executeTakeFirstOrThrow()
    if (count >= LINKS_MAX) {
      const message = `there are ${LINKS_MAX} links to the wall already; revoke some`
      throw controlFaults.fault('control-limit-reached', message)
    }
    const row = { id, name, sha256: hashToken(token), created_at: at, created_by: by, revoked_at: null }
    await tx.insertInto('wall_links').values(row).execute()
    await audit(tx, { at, by, action: 'wall-link-create', subject: id, facts: { name } })
  })
  return { id, name, createdAt: at, createdBy: by, revokedAt: null, token }
}

async function list({ db }: StateDb): Promise<WallLinkView[]> {
  const rows = await db
    .selectFrom('wall_links')
    .selectAll()
    .orderBy('created_at', 'desc')
    .limit(LISTED_MAX)
    .execute()
  return rows.map(row => ({
    id: row.id,
    name: row.name,
    createdAt: row.created_at,
    createdBy: row.created_by,
    revokedAt: row.revoked_at,
  }))
}

async function revoke({ db, nowMs }: StateDb, id: string, by: string): Promise<void> {
  const at = nowMs()
  await db.transaction().execute(async tx => {
    const changed = await tx
      .updateTable('wall_links')
      .set({ revoked_at: at })
      .where('id', '=', id)
      .where('revoked_at', 'is', null)
      .executeTakeFirst()
    if (changed.numUpdatedRows === 0n) {
      const message = `no open link to the wall has the id ${JSON.stringify(id.slice(0, 64))}`
      throw controlFaults.fault('control-link-unknown', message)
    }
    await audit(tx, { at, by, action: 'wall-link-revoke', subject: id })
  })
}
