// Owns join strings: made by an admin, used once, expiring, revocable; only their SHA-256 is stored. Using one and
// enrolling the server are one transaction.
import { hashToken } from '#link'
import {
  type EnrolRequest,
  type JoinRole,
  type JoinStringRequest,
  type JoinStringView,
  type ServerRole,
  serverId,
} from '#wire'
import { controlFaults } from '../faults.ts'
import { askFor } from './checks.ts'
import { audit, type Db, type StateDb } from './database.ts'
import { newCode, newId } from './secrets.ts'
import { expectFreeName, newRow, SERVERS_MAX } from './servers.ts'
import type { Tables } from './tables.ts'

const EXPIRES_S_DEFAULT = 3600
/** Open ones; who needs more at once has forgotten to revoke. */
const OPEN_MAX = 200
const LIST_MAX = 200
/** Next to none of the new sessions, until somebody who has seen its checks raises it; a share is never 0. */
const ADMISSION_SHARE_PERCENT = 0.01

export interface MadeJoinString extends JoinStringView {
  /** Shown once, inside the join string. */
  readonly token: string
}

/** Who a used join string made. */
export interface Enrolled {
  readonly id: string
  readonly role: JoinRole
  readonly region: string
  /** Of an agent: what it is an agent of. */
  readonly watches?: 'foreign' | 'host'
}

export interface JoinStrings {
  make(this: void, request: JoinStringRequest, by: string): Promise<MadeJoinString>
  /** Newest first, with the ended ones. */
  list(this: void): Promise<JoinStringView[]>
  /** Null: there is none with this id. */
  find(this: void, id: string): Promise<JoinStringView | null>
  revoke(this: void, id: string, by: string): Promise<void>
  /** All open ones: they carry what does not hold any more. */
  revokeAll(this: void, by: string): Promise<void>
  /** Enrols the server that comes with a token. Faults: `control-join-refused`, `control-server-duplicate`. */
  use(this: void, request: EnrolRequest): Promise<Enrolled>
}

type Row = Tables['join_strings']

export function createJoinStrings(state: StateDb): JoinStrings {
  return {
    make: (request, by) => make(state, request, by),
    list: () => list(state),
    find: id => find(state, id),
    revoke: (id, by) => revoke(state, id, by),
    revokeAll: by => revokeAll(state, by),
    use: request => use(state, request),
  }
}

async function make(state: StateDb, request: JoinStringRequest, by: string): Promise<MadeJoinString> {
  const { db, nowMs } = state
  const at = nowMs()
  const token = newCode()
  const row: Row = {
    id: newId(),
    token_sha256: hashToken(token),
    role: request.role,
    server_id: request.for ?? request.id ?? null,
    region: request.region ?? null,
    tags: JSON.stringify(request.tags ?? {}),
    created_at: at,
    created_by: by,
    expires_at: at + (request.expiresInS ?? EXPIRES_S_DEFAULT) * 1000,
    revoked_at: null,
    used_at: null,
    used_by: null,
    used_credential_sha256: null,
    admission: request.role === 'edge' && request.admission === true ? 1 : 0,
  }
  await db.transaction().execute(async tx => {
    const open = await tx
      .selectFrom('join_strings')
      .select(select => select.fn.countAll<number>().as('count'))
      .where('revoked_at', 'is', null)
      .where('used_at', 'is', null)
      .where('expires_at', '>', at)
      .executeTakeFirstOrThrow()
    if (open.count >= OPEN_MAX) {
      throw controlFaults.fault('control-limit-reached', `${OPEN_MAX} join strings are open; revoke some`)
    }
    if (row.server_id !== null) expectFreeName(row.server_id, serverRoleOf(row.role))
    if (row.server_id !== null) await expectSameRole(tx, row.server_id, row, request.for !== undefined)
    await tx.insertInto('join_strings').values(row).execute()
    const facts = { role: row.role, server: row.server_id, expiresAt: row.expires_at }
    await audit(tx, { at, by, action: 'join-string-make', subject: row.id, facts })
  })
  return { ...viewOf(row, at), token }
}

async function list({ db, nowMs }: StateDb): Promise<JoinStringView[]> {
  const rows = await db
    .selectFrom('join_strings')
    .selectAll()
    .orderBy('created_at', 'desc')
    .limit(LIST_MAX)
    .execute()
  const at = nowMs()
  return rows.map(row => viewOf(row, at))
}

async function find({ db, nowMs }: StateDb, id: string): Promise<JoinStringView | null> {
  const row = await db.selectFrom('join_strings').selectAll().where('id', '=', id).executeTakeFirst()
  return row === undefined ? null : viewOf(row, nowMs())
}

async function revoke({ db, nowMs }: StateDb, id: string, by: string): Promise<void> {
  const at = nowMs()
  await db.transaction().execute(async tx => {
    const changed = await tx
      .updateTable('join_strings')
      .set({ revoked_at: at })
      .where('id', '=', id)
      .where('revoked_at', 'is', null)
      .where('used_at', 'is', null)
      .executeTakeFirst()
    if (changed.numUpdatedRows === 0n) {
      const message = `no open join string has the id ${JSON.stringify(id.slice(0, 64))}`
      throw controlFaults.fault('control-join-string-unknown', message)
    }
    await audit(tx, { at, by, action: 'join-string-revoke', subject: id })
  })
}

async function revokeAll({ db, nowMs }: StateDb, by: string): Promise<void> {
  const at = nowMs()
  await db.transaction().execute(async tx => {
    const open = tx.updateTable('join_strings').set({ revoked_at: at }).where('revoked_at', 'is', null)
    const { numUpdatedRows } = await open.where('used_at', 'is', null).executeTakeFirstOrThrow()
    if (numUpdatedRows > 0n) await audit(tx, { at, by, action: 'join-strings-revoke', subject: 'all open' })
  })
}

async function use({ db, nowMs }: StateDb, request: EnrolRequest): Promise<Enrolled> {
  const at = nowMs()
  return await db.transaction().execute(async tx => {
    const row = await tx
      .selectFrom('join_strings')
      .selectAll()
      .where('token_sha256', '=', hashToken(request.token))
      .executeTakeFirst()
    const again = checkUsable(row, request, at)
    if (again !== null) return await enrolledOf(tx, again)
    // checkUsable has refused the unknown ones.
    const string = row as Row
    const enrolled = await enrolServer(tx, string, request, at)
    await tx
      .updateTable('join_strings')
      .set({ used_at: at, used_by: enrolled.id, used_credential_sha256: request.credentialSha256 })
      .where('id', '=', string.id)
      .execute()
    const facts = { role: enrolled.role, region: enrolled.region, joinString: string.id }
    if (string.admission === 1) {
      // Of a machine that is replaced while it was checked.
      const stale = tx.updateTable('check_runs').set({ ended_at: at }).where('server_id', '=', enrolled.id)
      await stale.where('ended_at', 'is', null).execute()
      await askFor(tx, { server: enrolled.id, by: string.created_by, at })
    }
    await audit(tx, { at, by: string.created_by, action: 'server-join', subject: enrolled.id, facts })
    return enrolled
  })
}

/** The id that it made when the same server asks again; null when it may be used; else a fault. */
function checkUsable(row: Row | undefined, request: EnrolRequest, at: number): string | null {
  if (row === undefined) throw refused('it is not one of this control room, or was removed')
  if (row.used_by !== null) {
    if (row.used_credential_sha256 === request.credentialSha256) return row.used_by
    throw refused(`it was used by ${row.used_by}; each works once`)
  }
  if (row.revoked_at !== null) throw refused('it was revoked')
  if (row.expires_at <= at) throw refused('it has expired')
  if (row.role !== request.role)
    throw refused(`it is for role ${row.role}, this machine asks for ${request.role}`)
  if (row.server_id !== null && request.id !== null && row.server_id !== request.id) {
    throw refused(`it is for ${row.server_id}, this machine asks for ${request.id}`)
  }
  return null
}

async function enrolServer(tx: Db, row: Row, request: EnrolRequest, at: number): Promise<Enrolled> {
  const { role } = row
  const wanted = row.server_id ?? request.id
  const id = wanted ?? (await freeId(tx, row.region ?? request.region ?? role))
  const known = await tx.selectFrom('servers').selectAll().where('id', '=', id).executeTakeFirst()
  // One from the add-an-edge page never takes the place of a server, whoever made it.
  if (known !== undefined && (row.server_id === null || row.admission === 1)) {
    throw controlFaults.fault(
      'control-server-duplicate',
      `a server ${id} is enrolled already; give another --id`,
    )
  }
  const told = row.region ?? request.region ?? known?.region ?? id
  const region = known?.role === 'foreign' ? known.region : told
  if (known === undefined) {
    const { count } = await tx
      .selectFrom('servers')
      .select(select => select.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow()
    if (count >= SERVERS_MAX) {
      throw controlFaults.fault('control-limit-reached', `${SERVERS_MAX} servers are enrolled already`)
    }
    const fresh = newRow({ id, role: serverRoleOf(role), region, tokenSha256: request.credentialSha256 }, at)
    await tx
      .insertInto('servers')
      .values({
        ...fresh,
        tags: row.tags,
        share_percent: row.admission === 1 ? ADMISSION_SHARE_PERCENT : fresh.share_percent,
      })
      .execute()
  } else {
    // A join string that names a server gives it a new key: after a lost disk, or a stolen credential.
    const isForeign = role === 'agent' && known.role === 'foreign'
    if (!isForeign && known.role !== serverRoleOf(role)) throw refused(`${id} is enrolled as ${known.role}`)
    if (isForeign && known.retired_at !== null) throw refused(`${id} was retired since`)
    // A foreign server stays what it is: it gets an agent, and keeps its region.
    const renewed = isForeign
      ? { token_sha256: request.credentialSha256 }
      : { token_sha256: request.credentialSha256, region, retired_at: null }
    await tx.updateTable('servers').set(renewed).where('id', '=', id).execute()
  }
  const watches =
    role === 'agent' ? ({ watches: known?.role === 'foreign' ? 'foreign' : 'host' } as const) : {}
  return { id, role, region, ...watches }
}

/** `eu-west`, or `eu-west-2` and so on where that is taken. */
async function freeId(tx: Db, region: string): Promise<string> {
  const base = region
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 50)
  const taken = new Set((await tx.selectFrom('servers').select('id').execute()).map(({ id }) => id))
  const stem = serverId.safeParse(base).success ? base : 'server'
  if (!taken.has(stem)) return stem
  for (let number = 2; number <= SERVERS_MAX + 2; number += 1) {
    if (!taken.has(`${stem}-${number}`)) return `${stem}-${number}`
  }
  throw controlFaults.fault('control-limit-reached', `no free id for ${stem}`)
}

async function enrolledOf(tx: Db, id: string): Promise<Enrolled> {
  const row = await tx.selectFrom('servers').selectAll().where('id', '=', id).executeTakeFirst()
  const gone = refused(`${id}, which it made, was removed since`)
  if (row === undefined || row.retired_at !== null) throw gone
  const { region } = row
  if (row.role === 'edge' || row.role === 'origin') return { id, role: row.role, region }
  if (row.role === 'control') throw gone
  return { id, role: 'agent', region, watches: row.role }
}

/** As what a machine is enrolled that joins in this role. */
function serverRoleOf(role: JoinRole): ServerRole {
  return role === 'agent' ? 'host' : role
}

async function expectSameRole(
  tx: Db,
  id: string,
  { role, admission }: Row,
  isForForeign: boolean,
): Promise<void> {
  const known = await tx
    .selectFrom('servers')
    .select(['role', 'retired_at'])
    .where('id', '=', id)
    .executeTakeFirst()
  if (isForForeign && (role !== 'agent' || known?.role !== 'foreign' || known.retired_at !== null)) {
    const message = `${id} is no foreign server; an agent is made for one that vitrine server watch has enrolled`
    throw controlFaults.fault('control-server-unknown', message)
  }
  if (known === undefined || isForForeign) return
  if (admission === 1) {
    const message = `a server ${id} is enrolled already, or was; choose another id`
    throw controlFaults.fault('control-server-duplicate', message)
  }
  if (known.role === serverRoleOf(role)) return
  const message = `${id} is enrolled as ${known.role}: a join string for ${role} cannot name it`
  throw controlFaults.fault('control-server-duplicate', message)
}

function viewOf(row: Row, at: number): JoinStringView {
  return {
    id: row.id,
    role: row.role,
    server: row.server_id,
    region: row.region,
    createdAt: row.created_at,
    createdBy: row.created_by,
    expiresAt: row.expires_at,
    state: stateOf(row, at),
    usedBy: row.used_by,
    usedAt: row.used_at,
    admission: row.admission === 1,
  }
}

function stateOf(row: Row, at: number): JoinStringView['state'] {
  if (row.used_at !== null) return 'used'
  if (row.revoked_at !== null) return 'revoked'
  return row.expires_at <= at ? 'expired' : 'open'
}

function refused(problem: string): Error {
  return controlFaults.fault('control-join-refused', `this join string cannot be used: ${problem}`)
}
