// Owns the end of somebody's time here: what they hold is revoked, what they answer for is handed over, and the proof
// stands in the audit. All of it is one transaction: whatever is killed in the middle leaves nothing done, and asked
// again it ends what came since.
import {
  accessKinds,
  type KeepKind,
  keepKinds,
  type OffboardItem,
  type OffboardKind,
  type OffboardPlan,
  type OffboardProof,
  type OffboardRequest,
  type UserRole,
} from '#wire'
import { controlFaults } from '../faults.ts'
import { audit, type Db, type StateDb } from '../state/database.ts'
import { keepAnAdmin, unknownUser, userOf } from '../state/people.ts'
import { accessOf, type Belonging, dutiesOf, withFate } from './belongings.ts'
import { LINK_NAME } from './web-sessions.ts'

/** Where the configuration names somebody, as `notify.onCall[2].person`. */
export type Mentions = (name: string) => readonly string[]

export interface Offboarding {
  plan(this: void, name: string): Promise<Omit<OffboardPlan, 'now'>>
  run(this: void, name: string, request: OffboardRequest, by: string): Promise<RanOffboarding>
}

export type RanOffboarding = OffboardProof & { readonly auditId: number }

export function createOffboarding(state: StateDb, mentions: Mentions): Offboarding {
  return {
    plan: name => plan(state, mentions, name),
    run: (name, request, by) => run(state, mentions, { name, request, by }),
  }
}

async function plan(
  { db, nowMs }: StateDb,
  mentions: Mentions,
  name: string,
): ReturnType<Offboarding['plan']> {
  const user = await knownUser(db, name)
  const at = nowMs()
  const held = await accessOf(db, name, at)
  const duties = await dutiesOf(db, name, at)
  const refusal = await refusalOf(db, name, user)
  return {
    name,
    role: user.role,
    items: [...withFate(held, 'revoked'), ...withFate(duties, 'handed over'), ...configured(mentions, name)],
    needsSuccessor: duties.length > 0,
    refusal,
    notes: await notesOf(db),
  }
}

async function knownUser(tx: Db, name: string): Promise<{ role: UserRole; offboarded: boolean }> {
  const row = await tx
    .selectFrom('users')
    .select(['role', 'offboarded_at'])
    .where('name', '=', name)
    .executeTakeFirst()
  if (row === undefined) throw unknownUser(name)
  return { role: row.role, offboarded: row.offboarded_at !== null }
}

async function refusalOf(
  tx: Db,
  name: string,
  user: { role: UserRole; offboarded: boolean },
): Promise<string | null> {
  if (user.role !== 'admin' || user.offboarded) return null
  try {
    await keepAnAdmin(tx, name)
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

const RECEIVER = /notify\.receivers\[\d+\]\.person$/

function configured(mentions: Mentions, name: string): OffboardItem[] {
  return mentions(name).map(path => ({
    kind: 'configuration',
    id: path,
    text: RECEIVER.test(path)
      ? `a receiver of notifications is theirs: it goes on to be told until ${path} is changed in the configuration file`
      : `named in the configuration file at ${path}`,
    fate: 'by hand',
  }))
}

/** What names nobody may be theirs: it is said, since nobody can know. */
async function notesOf(tx: Db): Promise<string[]> {
  const { count } = await tx
    .selectFrom('web_sessions')
    .select(select => select.fn.countAll<number>().as('count'))
    .where('name', '=', LINK_NAME)
    .executeTakeFirstOrThrow()
  const unowned = await tx
    .selectFrom('tokens')
    .select(select => select.fn.countAll<number>().as('count'))
    .where('owner', 'is', null)
    .where('revoked_at', 'is', null)
    .executeTakeFirstOrThrow()
  const code = await tx
    .selectFrom('recovery_codes')
    .select('id')
    .where('used_at', 'is', null)
    .where('revoked_at', 'is', null)
    .executeTakeFirst()
  return [
    ...(count === 0
      ? []
      : [
          `browsers signed in by a one-time link, which names nobody: ${count}; look at the list of browsers`,
        ]),
    ...(unowned.count === 0
      ? []
      : [
          `API tokens without an owner: ${unowned.count}; whoever has read one can use it until it is revoked`,
        ]),
    ...(code === undefined
      ? []
      : ['a recovery code exists: make another one if this person has seen it, which voids it']),
  ]
}

interface Wanted {
  readonly name: string
  readonly request: OffboardRequest
  readonly by: string
}

async function run(
  { db, nowMs }: StateDb,
  mentions: Mentions,
  { name, request, by }: Wanted,
): Promise<RanOffboarding> {
  const { to, keep = [] } = request
  // Reads a file: before the transaction, which others wait for.
  const named = configured(mentions, name)
  return db.transaction().execute(async tx => {
    const at = nowMs()
    const user = await knownUser(tx, name)
    if (user.role === 'admin' && !user.offboarded) await keepAnAdmin(tx, name)
    const held = await accessOf(tx, name, at)
    const duties = await dutiesOf(tx, name, at)
    await checkSuccessor(tx, name, to, duties)
    const stays = (kind: OffboardKind): boolean =>
      keepKinds.some(kept => kept === kind && keep.includes(kept))
    const ending = held.filter(({ kind }) => !stays(kind))
    await revoke(tx, at, ending)
    if (to !== null) await handOver(tx, { at, name, to, by }, duties)
    const gone = { offboarded_at: at, handed_to: to }
    const first = tx.updateTable('users').set(gone).where('name', '=', name)
    await first.where('offboarded_at', 'is', null).execute()
    const kept = held.filter(({ kind }) => stays(kind))
    const items = [
      ...withFate(ending, 'revoked'),
      ...withFate(kept, 'kept'),
      ...withFate(duties, 'handed over'),
      ...named,
    ]
    const left = await leftOver(tx, { at, name, keep })
    const proof: OffboardProof = { name, at, by, to, items, left, notes: await notesOf(tx) }
    const auditId = await audit(tx, { at, by, action: 'user-offboard', subject: name, facts: { ...proof } })
    return { ...proof, auditId }
  })
}

async function checkSuccessor(
  tx: Db,
  name: string,
  to: string | null,
  duties: readonly Belonging[],
): Promise<void> {
  if (to === null) {
    if (duties.length === 0) return
    const message = `${name} answers for ${duties.length} open ${duties.length === 1 ? 'duty' : 'duties'} (${[...new Set(duties.map(({ kind }) => kind))].join(', ')}); name who takes them over`
    throw controlFaults.fault('control-successor-needed', message)
  }
  if (to === name) {
    throw controlFaults.fault('control-successor-needed', `${name} cannot take over from ${name}`)
  }
  await userOf(tx, to)
}

/** Counted again after it was done: what works still. */
async function leftOver(
  tx: Db,
  { at, name, keep }: { readonly at: number; readonly name: string; readonly keep: readonly KeepKind[] },
): Promise<OffboardItem[]> {
  const held = await accessOf(tx, name, at)
  return held.map(item => {
    const isKept = keep.some(kind => kind === item.kind)
    return { ...item, fate: isKept ? ('kept' as const) : ('by hand' as const) }
  })
}

const idsOf = (items: readonly Belonging[], kind: OffboardKind): string[] =>
  items.filter(item => item.kind === kind).map(({ id }) => id)

async function revoke(tx: Db, at: number, items: readonly Belonging[]): Promise<void> {
  for (const kind of accessKinds) {
    for (const ids of parts(idsOf(items, kind))) await revokeKind(tx, at, kind, ids)
  }
}

/** A statement takes so many parameters. */
function parts(ids: readonly string[]): string[][] {
  const size = 500
  return Array.from({ length: Math.ceil(ids.length / size) }, (_, part) =>
    ids.slice(part * size, (part + 1) * size),
  )
}

async function revokeKind(
  tx: Db,
  at: number,
  kind: (typeof accessKinds)[number],
  ids: readonly string[],
): Promise<void> {
  switch (kind) {
    case 'session':
      await tx.deleteFrom('web_sessions').where('id', 'in', ids).execute()
      return
    case 'token':
      await tx.updateTable('tokens').set({ revoked_at: at }).where('id', 'in', ids).execute()
      return
    case 'share':
      await tx.updateTable('shares').set({ revoked_at: at, data: null }).where('id', 'in', ids).execute()
      return
    case 'wall-link':
      await tx.updateTable('wall_links').set({ revoked_at: at }).where('id', 'in', ids).execute()
      return
    case 'join-string':
      await tx.updateTable('join_strings').set({ revoked_at: at }).where('id', 'in', ids).execute()
      return
    case 'invitation':
      await tx.updateTable('invitations').set({ revoked_at: at }).where('id', 'in', ids).execute()
      return
    default:
      kind satisfies never
  }
}

interface Handover {
  readonly at: number
  readonly name: string
  readonly to: string
  readonly by: string
}

async function handOver(tx: Db, { at, name, to, by }: Handover, duties: readonly Belonging[]): Promise<void> {
  for (const ids of parts(idsOf(duties, 'silence'))) {
    await tx.updateTable('silences').set({ by: to }).where('id', 'in', ids).execute()
  }
  for (const ids of parts(idsOf(duties, 'order'))) {
    await tx.updateTable('overrides').set({ by: to }).where('server_id', 'in', ids).execute()
  }
  for (const id of idsOf(duties, 'incident')) {
    await tx.updateTable('incidents').set({ assigned_to: to }).where('id', '=', id).execute()
    const own = tx.updateTable('incidents').set({ acknowledged_by: to }).where('id', '=', id)
    await own.where('acknowledged_by', '=', name).execute()
    const text = `${to}, handed over from ${name}, who has left`
    await tx
      .insertInto('incident_events')
      .values({ incident_id: id, at, kind: 'assigned', by, text })
      .execute()
  }
}
