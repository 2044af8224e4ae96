// Owns the ways in for one named person: an invitation, and the reset of a password. Each works once, ends by itself,
// and is revoked by name; only the hash of its code is stored.

import type { z } from 'zod'
import { hashToken } from '#link'
import {
  INVITATION_S_DEFAULT,
  type InvitationKind,
  type InvitationView,
  type invitationSeen,
  type UserRole,
} from '#wire'
import { controlFaults } from '../faults.ts'
import { audit, type Db, type StateDb } from '../state/database.ts'
import { checkNameFree, insertUser, userOf } from '../state/people.ts'
import { hashPassword, newCode, newId } from '../state/secrets.ts'
import type { Tables } from '../state/tables.ts'
import { checkRole, checkUserName } from './names.ts'
import { endSessions, insertSession, type NewSession, type SessionPlace } from './web-sessions.ts'

/** A whole team may be invited at once. */
const OPEN_MAX = 1000
/** Of ended ones, the newest. */
const LISTED_MAX = 500

export interface InvitationRequest {
  readonly name: string
  readonly role: string
  readonly expiresInS?: number | undefined
}

export interface Invitations {
  /** The code is shown once. A second one for the same name revokes the first. */
  invite(this: void, request: InvitationRequest, by: string): Promise<MadeInvitation>
  /** A new password for somebody who is here; until it is used the old one works. */
  reset(this: void, name: string, by: string): Promise<MadeInvitation>
  list(this: void): Promise<InvitationView[]>
  revoke(this: void, id: string, by: string): Promise<void>
  /** Null: wrong, used, revoked or expired. Spends nothing. */
  look(this: void, code: string): Promise<z.infer<typeof invitationSeen> | null>
  /** Null as above. Sets the password and signs in. */
  accept(this: void, code: string, password: string, place: SessionPlace): Promise<NewSession | null>
}

export type MadeInvitation = InvitationView & { readonly code: string }

export function createInvitations(state: StateDb): Invitations {
  return {
    invite: (request, by) => invite(state, request, by),
    reset: (name, by) => reset(state, name, by),
    list: () => list(state),
    revoke: (id, by) => revoke(state, id, by),
    look: code => look(state, code),
    accept: (code, password, place) => accept(state, { code, password }, place),
  }
}

async function invite(state: StateDb, request: InvitationRequest, by: string): Promise<MadeInvitation> {
  const { name, expiresInS = INVITATION_S_DEFAULT } = request
  checkUserName(name)
  const role = checkRole(request.role)
  return state.db.transaction().execute(async tx => {
    await checkNameFree(tx, name)
    return insert(tx, state.nowMs(), { kind: 'invitation', name, role, expiresInS }, by)
  })
}

async function reset(state: StateDb, name: string, by: string): Promise<MadeInvitation> {
  return state.db.transaction().execute(async tx => {
    const { role } = await userOf(tx, name)
    return insert(tx, state.nowMs(), { kind: 'reset', name, role, expiresInS: 86_400 }, by)
  })
}

async function insert(
  tx: Db,
  at: number,
  wanted: { kind: InvitationKind; name: string; role: UserRole; expiresInS: number },
  by: string,
): Promise<MadeInvitation> {
  const { kind, name, role, expiresInS } = wanted
  // One way in for each person: the last.
  const replaced = await revokeOpen(tx, at, name)
  const { count } = await tx
    .selectFrom('invitations')
    .select(select => select.fn.countAll<number>().as('count'))
    .where('used_at', 'is', null)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', at)
    .executeTakeFirstOrThrow()
  if (count >= OPEN_MAX) {
    throw controlFaults.fault(
      'control-limit-reached',
      `${OPEN_MAX} invitations are open already; revoke some`,
    )
  }
  const [code, id] = [newCode(), newId()]
  const times = { created_at: at, created_by: by, expires_at: at + expiresInS * 1000 }
  const row = {
    id,
    code_sha256: hashToken(code),
    kind,
    name,
    role,
    ...times,
    used_at: null,
    revoked_at: null,
  }
  await tx.insertInto('invitations').values(row).execute()
  const facts = { id, role, expiresAt: row.expires_at, replaced }
  const action = kind === 'reset' ? 'user-reset' : 'user-invite'
  await audit(tx, { at, by, action, subject: name, facts })
  return { ...viewOf(row, at), code }
}

/** Ids of those that were open for this name. */
async function revokeOpen(tx: Db, at: number, name: string): Promise<string[]> {
  const gone = await tx
    .updateTable('invitations')
    .set({ revoked_at: at })
    .where('name', '=', name)
    .where('used_at', 'is', null)
    .where('revoked_at', 'is', null)
    .returning('id')
    .execute()
  return gone.map(({ id }) => id)
}

async function list({ db, nowMs }: StateDb): Promise<InvitationView[]> {
  const rows = await db
    .selectFrom('invitations')
    .selectAll()
    .orderBy('created_at', 'desc')
    .limit(OPEN_MAX + LISTED_MAX)
    .execute()
  return rows.map(row => viewOf(row, nowMs()))
}

async function revoke({ db, nowMs }: StateDb, id: string, by: string): Promise<void> {
  const at = nowMs()
  await db.transaction().execute(async tx => {
    const gone = await tx
      .updateTable('invitations')
      .set({ revoked_at: at })
      .where('id', '=', id)
      .where('used_at', 'is', null)
      .where('revoked_at', 'is', null)
      .where('expires_at', '>', at)
      .returning(['name', 'kind'])
      .executeTakeFirst()
    if (gone === undefined) {
      const message = `no open invitation has the id ${JSON.stringify(id.slice(0, 64))}`
      throw controlFaults.fault('control-link-unknown', message)
    }
    await audit(tx, {
      at,
      by,
      action: 'invitation-revoke',
      subject: gone.name,
      facts: { id, kind: gone.kind },
    })
  })
}

async function look({ db, nowMs }: StateDb, code: string): ReturnType<Invitations['look']> {
  const row = await openOf(db, nowMs(), code)
  if (row === null) return null
  const { kind, name, role, created_by: invitedBy, expires_at: expiresAt } = row
  return { kind, name, role, invitedBy, expiresAt }
}

async function openOf(db: Db, at: number, code: string): Promise<Tables['invitations'] | null> {
  const row = await db
    .selectFrom('invitations')
    .selectAll()
    .where('code_sha256', '=', hashToken(code))
    .where('used_at', 'is', null)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', at)
    .executeTakeFirst()
  return row ?? null
}

async function accept(
  { db, nowMs }: StateDb,
  { code, password }: { code: string; password: string },
  place: SessionPlace,
): Promise<NewSession | null> {
  // Before the expensive hash: whoever guesses codes costs nothing.
  if ((await openOf(db, nowMs(), code)) === null) return null
  const password_hash = await hashPassword(password)
  return db.transaction().execute(async tx => {
    const at = nowMs()
    const row = await openOf(tx, at, code)
    if (row === null) return null
    const { id, kind, name, created_by: invitedBy } = row
    await tx.updateTable('invitations').set({ used_at: at }).where('id', '=', id).execute()
    const as = { kind: 'person', person: name, via: id, address: place.address } as const
    // Of somebody who is here the role is the present one, not that of when the link was made.
    const role = kind === 'reset' ? (await userOf(tx, name)).role : row.role
    if (kind === 'reset') {
      await tx.updateTable('users').set({ password_hash }).where('name', '=', name).execute()
      const facts = { signedOut: await endSessions(tx, { name }), invitation: id, madeBy: invitedBy }
      await audit(tx, { at, by: name, action: 'user-password', subject: name, facts, as })
    } else {
      await insertUser(tx, { name, role, password_hash, created_at: at })
      const facts = { role, invitation: id, invitedBy }
      await audit(tx, { at, by: name, action: 'user-add', subject: name, facts, as })
    }
    return insertSession(tx, at, { name, role, means: 'invitation' }, place)
  })
}

function viewOf(row: Omit<Tables['invitations'], 'code_sha256'>, at: number): InvitationView {
  const { id, kind, name, role } = row
  const ended = row.revoked_at !== null ? 'revoked' : row.expires_at <= at ? 'expired' : 'open'
  const state = row.used_at === null ? ended : 'used'
  const times = { createdAt: row.created_at, createdBy: row.created_by, expiresAt: row.expires_at }
  return { id, kind, name, role, ...times, state }
}
