// Owns the rows of deliveries: each is there once for its key, is attempted in the order of its incident, and ends as
// sent or given up. What is under way when the process is killed is attempted again with the same key.
import type { Selectable } from 'kysely'
import type { NoticeMessage } from '#receivers'
import type { DeliveryView, NoticeReason } from '#wire'
import type { Db, StateDb } from '../state/database.ts'
import type { Tables } from '../state/tables.ts'

type Row = Selectable<Tables['deliveries']>

/** Of finished ones. */
const KEPT_MS = 30 * 24 * 3_600_000
const LISTED_MAX = 500
/** For one receiver; beyond, what rings nobody is given up, oldest first. */
export const QUEUE_MAX = 1000

export interface NewDelivery {
  readonly noticeId: number | null
  readonly receiver: string
  readonly key: string
  readonly message: NoticeMessage
  readonly at: number
  readonly firstTryAt: number
}

export interface DueDelivery {
  readonly id: number
  readonly receiver: string
  readonly incident: string | null
  readonly key: string
  readonly reason: NoticeReason
  readonly rings: boolean
  readonly at: number
  readonly attempts: number
  readonly payload: string
}

/** Nothing happens when its key is there already. */
export async function addDelivery(tx: Db, own: NewDelivery): Promise<void> {
  const { noticeId, receiver, key, message, at, firstTryAt } = own
  // Of what is told together, the newest says it all.
  if (message.incident !== null) {
    await tx
      .updateTable('deliveries')
      .set({ state: 'given-up', next_try_at: null, problem: 'became part of the next message' })
      .where('incident_id', '=', message.incident)
      .where('receiver', '=', receiver)
      .where('state', '=', 'waiting')
      .where('attempts', '=', 0)
      .where('next_try_at', '>', at)
      .where('key', '!=', key)
      .execute()
  }
  await tx
    .insertInto('deliveries')
    .values({
      notice_id: noticeId,
      incident_id: message.incident,
      receiver,
      key,
      at,
      reason: message.reason,
      rings: message.rings ? 1 : 0,
      state: 'waiting',
      attempts: 0,
      next_try_at: firstTryAt,
      problem: null,
      payload: JSON.stringify(message),
    })
    .onConflict(conflict => conflict.column('key').doNothing())
    .execute()
}

/** Receivers that were told of it, or are about to be. */
export async function toldOf(db: Db, incident: string): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('deliveries')
    .select('receiver')
    .distinct()
    .where('incident_id', '=', incident)
    .execute()
  return rows.map(({ receiver }) => receiver)
}

export async function haveKeys(db: Db, keys: readonly string[]): Promise<ReadonlySet<string>> {
  if (keys.length === 0) return new Set()
  const rows = await db.selectFrom('deliveries').select('key').where('key', 'in', keys).execute()
  return new Set(rows.map(({ key }) => key))
}

/** Receivers with something to do now. */
export async function dueReceivers(db: Db, at: number): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('deliveries')
    .select('receiver')
    .distinct()
    .where('state', 'in', ['waiting', 'failed'])
    .where('next_try_at', '<=', at)
    .execute()
  return rows.map(({ receiver }) => receiver)
}

/** What rings goes first; of one incident nothing goes before what was to be told earlier. */
export async function nextDelivery(db: Db, receiver: string, at: number): Promise<DueDelivery | null> {
  const row = await db
    .selectFrom('deliveries as own')
    .selectAll()
    .where('own.receiver', '=', receiver)
    .where('own.state', 'in', ['waiting', 'failed'])
    .where('own.next_try_at', '<=', at)
    .where(where =>
      where.not(
        where.exists(
          where
            .selectFrom('deliveries as earlier')
            .select('earlier.id')
            .whereRef('earlier.incident_id', '=', 'own.incident_id')
            .whereRef('earlier.receiver', '=', 'own.receiver')
            .whereRef('earlier.id', '<', 'own.id')
            .where('earlier.state', 'in', ['waiting', 'failed']),
        ),
      ),
    )
    .orderBy('own.rings', 'desc')
    .orderBy('own.id')
    .limit(1)
    .executeTakeFirst()
  if (row === undefined) return null
  const { id = 0, incident_id: incident, rings, key, reason, attempts, payload } = row
  return { id, receiver, incident, key, reason, rings: rings === 1, at: row.at, attempts, payload }
}

/** Before it goes out, so that an attempt that kills us is counted. */
export async function beginAttempt(db: Db, id: number): Promise<void> {
  await db
    .updateTable('deliveries')
    .set(({ eb }) => ({ attempts: eb('attempts', '+', 1) }))
    .where('id', '=', id)
    .execute()
}

export async function endAttempt(
  db: Db,
  id: number,
  end: Pick<Row, 'state' | 'next_try_at' | 'problem'> & Partial<Pick<Row, 'sent_at' | 'answer'>>,
): Promise<void> {
  await db.updateTable('deliveries').set(end).where('id', '=', id).execute()
}

/** Of receivers that the configuration no longer has. */
export async function giveUpOthers(db: Db, known: readonly string[]): Promise<void> {
  await db
    .updateTable('deliveries')
    .set({ state: 'given-up', next_try_at: null, problem: 'the configuration has no such receiver any more' })
    .where('state', 'in', ['waiting', 'failed'])
    .$if(known.length > 0, query => query.where('receiver', 'not in', known))
    .execute()
}

/** What failed does not wait for its next turn: the reason may be gone. */
export async function tryFailedNow(db: Db, at: number): Promise<void> {
  await db.updateTable('deliveries').set({ next_try_at: at }).where('state', '=', 'failed').execute()
}

/** Keeps a receiver's queue short enough that what rings is not behind a flood of what does not. */
export async function shorten(db: Db, receiver: string): Promise<number> {
  const open = db
    .selectFrom('deliveries')
    .select('id')
    .where('receiver', '=', receiver)
    .where('state', 'in', ['waiting', 'failed'])
    .where('rings', '=', 0)
    .orderBy('id', 'desc')
    .limit(-1)
    .offset(QUEUE_MAX)
  const changed = await db
    .updateTable('deliveries')
    .set({ state: 'given-up', next_try_at: null, problem: `${QUEUE_MAX} newer ones wait for this receiver` })
    .where('id', 'in', open)
    .executeTakeFirst()
  return Number(changed.numUpdatedRows)
}

export async function forgetOld(db: Db, at: number): Promise<void> {
  await db
    .deleteFrom('deliveries')
    .where('state', 'in', ['sent', 'given-up'])
    .where('at', '<', at - KEPT_MS)
    .execute()
  await db
    .deleteFrom('notices')
    .where('done_at', '<', at - KEPT_MS)
    .execute()
}

/** Newest first. */
export async function listDeliveries(
  { db }: StateDb,
  filter: { readonly limit?: number | undefined; readonly incident?: string | undefined },
): Promise<DeliveryView[]> {
  const { incident } = filter
  const rows = await db
    .selectFrom('deliveries')
    .selectAll()
    .$if(incident !== undefined, query => query.where('incident_id', '=', incident ?? ''))
    .orderBy('id', 'desc')
    .limit(Math.min(filter.limit ?? LISTED_MAX, LISTED_MAX))
    .execute()
  return rows.map(viewOf)
}

export async function deliveryByKey(db: Db, key: string): Promise<DeliveryView | null> {
  const row = await db.selectFrom('deliveries').selectAll().where('key', '=', key).executeTakeFirst()
  return row === undefined ? null : viewOf(row)
}

function viewOf(row: Row): DeliveryView {
  const { id = 0, at, receiver, incident_id: incident, reason, state, attempts, problem } = row
  return {
    id,
    at,
    receiver,
    incident,
    reason,
    rings: row.rings === 1,
    state,
    attempts,
    nextTryAt: row.next_try_at,
    problem,
    sentAt: row.sent_at ?? null,
    answer: row.answer ?? null,
  }
}
