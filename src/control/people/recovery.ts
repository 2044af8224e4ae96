// Owns the sealed recovery code: it makes one new admin, once, when no other is left who could. Only its hash is
// stored, making another voids the one before, and its use is told loudly.
import { randomInt } from 'node:crypto'
import { hashToken } from '#link'
import type { RecoveryView } from '#wire'
import { controlFaults } from '../faults.ts'
import { audit, type Db, type StateDb } from '../state/database.ts'
import { insertUser } from '../state/people.ts'
import { hashPassword, newId } from '../state/secrets.ts'
import { checkUserName } from './names.ts'
import { insertSession, type NewSession, type SessionPlace } from './web-sessions.ts'

/** No letters that look alike on paper. 8 groups of 5 are 200 bits. */
const LETTERS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const GROUPS = 8
const GROUP_LETTERS = 5

export interface Recovery {
  /** Shown once, to be written down and sealed. */
  make(this: void, by: string): Promise<{ readonly code: string; readonly createdAt: number }>
  view(this: void): Promise<Omit<RecoveryView, 'now'>>
  /** Null: wrong, used, or void since another was made. */
  use(
    this: void,
    wanted: { readonly code: string; readonly name: string; readonly password: string },
    place: SessionPlace,
  ): Promise<NewSession | null>
}

export function createRecovery(state: StateDb): Recovery {
  return {
    make: by => make(state, by),
    view: () => view(state),
    use: (wanted, place) => use(state, wanted, place),
  }
}

function newRecoveryCode(): string {
  const letter = (): string => LETTERS[randomInt(LETTERS.length)] ?? ''
  const group = (): string => Array.from({ length: GROUP_LETTERS }, letter).join('')
  return Array.from({ length: GROUPS }, group).join('-')
}

/** As people type it: small letters, spaces, and the letters that are no part of it but look as if. */
function canonical(code: string): string {
  const plain = code.toUpperCase().replaceAll(/[^A-Z0-9]/g, '')
  return plain.replaceAll('O', '0').replaceAll(/[IL]/g, '1').replaceAll('U', 'V')
}

async function make({ db, nowMs }: StateDb, by: string): Promise<{ code: string; createdAt: number }> {
  const code = newRecoveryCode()
  const id = newId()
  const at = nowMs()
  await db.transaction().execute(async tx => {
    const open = tx.updateTable('recovery_codes').set({ revoked_at: at }).where('revoked_at', 'is', null)
    const { numUpdatedRows } = await open.where('used_at', 'is', null).executeTakeFirst()
    const unused = { used_at: null, used_for: null, revoked_at: null }
    const row = { id, code_sha256: hashToken(canonical(code)), created_at: at, created_by: by, ...unused }
    await tx.insertInto('recovery_codes').values(row).execute()
    const facts = { voided: Number(numUpdatedRows) }
    await audit(tx, { at, by, action: 'recovery-code-make', subject: id, facts })
  })
  return { code, createdAt: at }
}

async function view({ db }: StateDb): Promise<Omit<RecoveryView, 'now'>> {
  const { count: admins } = await db
    .selectFrom('users')
    .select(select => select.fn.countAll<number>().as('count'))
    .where('role', '=', 'admin')
    .where('offboarded_at', 'is', null)
    .executeTakeFirstOrThrow()
  const open = await db
    .selectFrom('recovery_codes')
    .select('created_at')
    .where('used_at', 'is', null)
    .where('revoked_at', 'is', null)
    .executeTakeFirst()
  const used = await db
    .selectFrom('recovery_codes')
    .select(['used_at', 'used_for'])
    .where('used_at', 'is not', null)
    .orderBy('used_at', 'desc')
    .limit(1)
    .executeTakeFirst()
  const isSafe = admins >= 2 || (admins === 1 && open !== undefined)
  const last = { usedAt: used?.used_at ?? null, usedFor: used?.used_for ?? null }
  return { admins, codeMadeAt: open?.created_at ?? null, ...last, isSafe }
}

async function openOf(db: Db, code: string): Promise<{ id: string; created_by: string } | null> {
  const row = await db
    .selectFrom('recovery_codes')
    .select(['id', 'created_by'])
    .where('code_sha256', '=', hashToken(canonical(code)))
    .where('used_at', 'is', null)
    .where('revoked_at', 'is', null)
    .executeTakeFirst()
  return row ?? null
}

async function use(
  { db, nowMs }: StateDb,
  { code, name, password }: { readonly code: string; readonly name: string; readonly password: string },
  place: SessionPlace,
): Promise<NewSession | null> {
  if ((await openOf(db, code)) === null) return null
  checkUserName(name)
  const password_hash = await hashPassword(password)
  return db.transaction().execute(async tx => {
    const at = nowMs()
    const found = await openOf(tx, code)
    if (found === null) return null
    const spent = { used_at: at, used_for: name }
    await tx.updateTable('recovery_codes').set(spent).where('id', '=', found.id).execute()
    await insertUser(tx, { name, role: 'admin', password_hash, created_at: at })
    const as = { kind: 'person', person: name, via: found.id, address: place.address } as const
    const facts = { admin: name, madeBy: found.created_by, device: place.device }
    await audit(tx, { at, by: name, action: 'recovery-code-use', subject: found.id, facts, as })
    await audit(tx, { at, by: name, action: 'user-add', subject: name, facts: { role: 'admin' }, as })
    return insertSession(tx, at, { name, role: 'admin', means: 'recovery' }, place)
  })
}

/** For whoever could not be told apart from a wrong code. */
export function recoveryRefused(): Error {
  return controlFaults.fault('control-sign-in-failed', 'the recovery code is wrong, used, or was replaced')
}
