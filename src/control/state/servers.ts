// Owns the enrolled servers and the history of their states, which is kept for good.
import { sql } from 'kysely'
import { hashToken } from '#link'
import {
  type Evidence,
  evidence,
  isSimulated,
  type ServerState,
  type ServerTags,
  serverId,
  serverTags,
} from '#wire'
import { controlFaults } from '../faults.ts'
import type { Enrolment } from '../options.ts'
import { audit, type StateDb } from './database.ts'
import { newToken } from './secrets.ts'
import type { ServerEntry } from './state.ts'
import type { Tables } from './tables.ts'

export const SERVERS_MAX = 1000 // the steering table takes as many pathways
/** What may be enrolled by a token file; an agent alone needs a join string. */
const TOKEN_ROLES = ['edge', 'origin'] as const
const HISTORY_MAX = 500 // changes that one answer carries

/** A server as it is stored. */
export interface StoredServer extends ServerEntry {
  readonly tokenSha256: string
  readonly url: string
  readonly version: string
  readonly hostId: string
  readonly tags: ServerTags
  /** Of a foreign server, else ''. */
  readonly stream: string
  readonly entryWeight: number
  /** Of all new sessions, above 0 to 100. */
  readonly sharePercent: number
  /** Of an edge: the most that it has sent for a minute while healthy; null: nothing yet. */
  readonly measuredBps: number | null
}

export interface StoredState {
  readonly state: ServerState
  readonly reason: string
  readonly evidence: readonly Evidence[]
  readonly since: number
}

export interface StateChange {
  readonly at: number
  readonly from: ServerState | null
  readonly to: ServerState
  readonly reason: string
  readonly evidence: Evidence[]
}

export interface Servers {
  add(this: void, server: { id: string; role: string; region: string }, by: string): Promise<string>
  /** Its token stops working; what is known of its past stays. */
  remove(this: void, id: string, by: string): Promise<void>
  /** Servers of a local fleet, with tokens that change at each start. */
  enrol(this: void, servers: readonly Enrolment[]): Promise<void>
  /** Without the retired ones. */
  list(this: void): Promise<StoredServer[]>
  /** What an operator says of it; replaces what was said before. */
  tag(this: void, id: string, tags: ServerTags, by: string): Promise<void>
  /** The most that an edge has sent for a minute while healthy. */
  measured(this: void, id: string, bps: number): Promise<void>
  /** The part of all new sessions that an edge may get. Faults: it is no edge. */
  share(this: void, id: string, percent: number, by: string): Promise<void>
  /** Out of service for good: its credential ends, its past stays, its id is never given to another. */
  retire(this: void, id: string, by: string): Promise<void>
  /** What a hello told, for the next start. */
  remember(this: void, id: string, told: { url: string; version: string; hostId: string }): Promise<void>
  states(this: void): Promise<Map<string, StoredState>>
  change(this: void, id: string, from: ServerState | null, next: StoredState): Promise<void>
  /** Newest first; until a moment, or until now. */
  history(this: void, id: string, untilMs?: number | null): Promise<StateChange[]>
}

export function createServers(state: StateDb): Servers {
  return {
    add: (server, by) => add(state, server, by),
    remove: (id, by) => remove(state, id, by),
    enrol: servers => enrol(state, servers),
    list: () => list(state),
    tag: (id, tags, by) => tag(state, id, tags, by),
    share: (id, percent, by) => share(state, id, percent, by),
    measured: async (id, bps) => {
      await state.db.updateTable('servers').set({ measured_bps: bps }).where('id', '=', id).execute()
    },
    retire: (id, by) => retire(state, id, by),
    remember: async (id, told) => {
      const row = { url: told.url, version: told.version, host_id: told.hostId }
      await state.db.updateTable('servers').set(row).where('id', '=', id).execute()
    },
    states: () => states(state),
    change: (id, from, next) => change(state, id, from, next),
    history: (id, untilMs = null) => history(state, id, untilMs),
  }
}

async function add(
  { db, nowMs }: StateDb,
  server: { id: string; role: string; region: string },
  by: string,
): Promise<string> {
  const { id, region } = server
  const role = TOKEN_ROLES.find(known => known === server.role)
  if (role === undefined) {
    const message = `role ${JSON.stringify(server.role.slice(0, 64))} does not exist; one of ${TOKEN_ROLES.join(', ')} is`
    throw controlFaults.fault('control-role-unknown', message)
  }
  if (!serverId.safeParse(id).success || region.length === 0 || region.length > 64) {
    const message =
      'a server needs an id of 1 to 63 lower-case letters, digits and dashes, and a region of 1 to 64 characters'
    throw controlFaults.fault('control-request-invalid', message, { facts: { id: id.slice(0, 80) } })
  }
  const token = newToken()
  const at = nowMs()
  await db.transaction().execute(async tx => {
    const known = await tx.selectFrom('servers').select('id').execute()
    if (known.some(row => row.id === id)) {
      throw controlFaults.fault('control-server-duplicate', `a server ${id} is enrolled already`)
    }
    if (known.length >= SERVERS_MAX) {
      throw controlFaults.fault('control-limit-reached', `${SERVERS_MAX} servers are enrolled already`)
    }
    await tx
      .insertInto('servers')
      .values(newRow({ id, role, region, tokenSha256: hashToken(token) }, at))
      .execute()
    await audit(tx, { at, by, action: 'server-add', subject: id, facts: { role, region } })
  })
  return token
}

async function remove({ db, nowMs }: StateDb, id: string, by: string): Promise<void> {
  await db.transaction().execute(async tx => {
    const gone = await tx.deleteFrom('servers').where('id', '=', id).executeTakeFirst()
    if (gone.numDeletedRows === 0n) throw unknownServer(id)
    await tx.deleteFrom('server_states').where('server_id', '=', id).execute()
    await audit(tx, { at: nowMs(), by, action: 'server-remove', subject: id })
  })
}

export function newRow(server: Enrolment, at: number): Tables['servers'] {
  const { id, role, region, tokenSha256 } = server
  if (isSimulated(id)) {
    const message = `${id}: ids that begin with simulated- are for servers that do not exist; choose another`
    throw controlFaults.fault('control-request-invalid', message)
  }
  const fresh = {
    url: '',
    version: '',
    host_id: '',
    created_at: at,
    tags: '{}',
    stream: '',
    entry_weight: 0,
    share_percent: 100,
    measured_bps: null,
    retired_at: null,
  }
  return { id, role, region, token_sha256: tokenSha256, ...fresh }
}

async function enrol({ db, nowMs }: StateDb, servers: readonly Enrolment[]): Promise<void> {
  const at = nowMs()
  await db.transaction().execute(async tx => {
    for (const server of servers) {
      const { role, region, tokenSha256: token_sha256 } = server
      const known = await tx.selectFrom('servers').select('id').where('id', '=', server.id).executeTakeFirst()
      if (known === undefined) {
        await tx.insertInto('servers').values(newRow(server, at)).execute()
        await audit(tx, {
          at,
          by: 'start',
          action: 'server-add',
          subject: server.id,
          facts: { role, region },
        })
      } else {
        await tx
          .updateTable('servers')
          .set({ role, region, token_sha256 })
          .where('id', '=', server.id)
          .execute()
      }
    }
  })
}

async function list({ db }: StateDb): Promise<StoredServer[]> {
  const rows = await db
    .selectFrom('servers')
    .selectAll()
    .where('retired_at', 'is', null)
    .orderBy(sql`rowid`) // as they were enrolled
    .limit(SERVERS_MAX)
    .execute()
  return rows.map(row => ({
    id: row.id,
    role: row.role,
    region: row.region,
    tokenSha256: row.token_sha256,
    url: row.url,
    version: row.version,
    hostId: row.host_id,
    tags: readTags(row.tags),
    stream: row.stream,
    entryWeight: row.entry_weight,
    sharePercent: row.share_percent,
    measuredBps: row.measured_bps,
  }))
}

async function tag({ db, nowMs }: StateDb, id: string, tags: ServerTags, by: string): Promise<void> {
  await db.transaction().execute(async tx => {
    const known = await tx.selectFrom('servers').select('tags').where('id', '=', id).executeTakeFirst()
    if (known === undefined) throw unknownServer(id)
    await tx
      .updateTable('servers')
      .set({ tags: JSON.stringify(tags) })
      .where('id', '=', id)
      .execute()
    // The new ones stand by themselves, as older entries have them: looking back reads them.
    const facts = { ...tags, from: readTags(known.tags) }
    await audit(tx, { at: nowMs(), by, action: 'server-tag', subject: id, facts })
  })
}

async function share({ db, nowMs }: StateDb, id: string, percent: number, by: string): Promise<void> {
  await db.transaction().execute(async tx => {
    const known = await tx
      .selectFrom('servers')
      .select(['role', 'share_percent'])
      .where('id', '=', id)
      .where('retired_at', 'is', null)
      .executeTakeFirst()
    if (known === undefined) throw unknownServer(id)
    if (known.role !== 'edge') {
      const message = `${id} is no edge but ${known.role}; only edges have a share of new sessions`
      throw controlFaults.fault('control-request-invalid', message)
    }
    await tx.updateTable('servers').set({ share_percent: percent }).where('id', '=', id).execute()
    const facts = { percent, from: known.share_percent }
    await audit(tx, { at: nowMs(), by, action: 'server-share', subject: id, facts })
  })
}

async function retire({ db, nowMs }: StateDb, id: string, by: string): Promise<void> {
  const at = nowMs()
  await db.transaction().execute(async tx => {
    const changed = await tx
      .updateTable('servers')
      .set({ retired_at: at, token_sha256: '' })
      .where('id', '=', id)
      .where('retired_at', 'is', null)
      .executeTakeFirst()
    if (changed.numUpdatedRows === 0n) throw unknownServer(id)
    await audit(tx, { at, by, action: 'server-retire', subject: id })
  })
}

function unknownServer(id: string): Error {
  return controlFaults.fault(
    'control-server-unknown',
    `no server ${JSON.stringify(id.slice(0, 64))} is enrolled`,
  )
}

/** Tags of a later version may have more keys: what is not known is left out. */
function readTags(text: string): ServerTags {
  const parsed = serverTags.loose().safeParse(JSON.parse(text))
  return parsed.success ? serverTags.strip().parse(parsed.data) : {}
}

async function states({ db }: StateDb): Promise<Map<string, StoredState>> {
  const rows = await db.selectFrom('server_states').selectAll().execute()
  return new Map(
    rows.map(row => [
      row.server_id,
      { state: row.state, reason: row.reason, evidence: readEvidence(row.evidence), since: row.since },
    ]),
  )
}

async function change(
  { db }: StateDb,
  id: string,
  from: ServerState | null,
  next: StoredState,
): Promise<void> {
  const proof = JSON.stringify(next.evidence)
  const row = { state: next.state, reason: next.reason, evidence: proof, since: next.since }
  await db.transaction().execute(async tx => {
    await tx
      .insertInto('server_states')
      .values({ server_id: id, ...row })
      .onConflict(conflict => conflict.column('server_id').doUpdateSet(row))
      .execute()
    await tx
      .insertInto('state_changes')
      .values({
        server_id: id,
        at: next.since,
        from_state: from,
        to_state: next.state,
        reason: next.reason,
        evidence: proof,
      })
      .execute()
  })
}

async function history({ db }: StateDb, id: string, untilMs: number | null): Promise<StateChange[]> {
  const rows = await db
    .selectFrom('state_changes')
    .selectAll()
    .where('server_id', '=', id)
    .where('at', '<=', untilMs ?? Number.MAX_SAFE_INTEGER)
    .orderBy('id', 'desc')
    .limit(HISTORY_MAX)
    .execute()
  return rows.map(row => ({
    at: row.at,
    from: row.from_state,
    to: row.to_state,
    reason: row.reason,
    evidence: readEvidence(row.evidence),
  }))
}

function readEvidence(text: string): Evidence[] {
  return evidence.array().parse(JSON.parse(text))
}
