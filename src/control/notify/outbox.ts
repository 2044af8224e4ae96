// Owns what becomes of notices: in one transaction each is done and its deliveries are there, by routes and lists as
// they are at that moment. It sends nothing.
import type { Selectable } from 'kysely'
import type { Log } from '#base'
import type { NoticeReason } from '#wire'
import type { Db, StateDb } from '../state/database.ts'
import type { Tables } from '../state/tables.ts'
import { addDelivery, shorten, toldOf } from './delivery-book.ts'
import { factsOf, type IncidentFacts, incidentOf, labelSetsFor, messageFor } from './incident-rows.ts'
import { routesFor } from './label-route.ts'
import { type NotifyPlan, namesAt } from './plan.ts'

/** More at once would hold up the requests of people. */
const NOTICES_AT_ONCE = 20

type Notice = Selectable<Tables['notices']>

export interface OutboxOptions {
  readonly state: StateDb
  readonly plan: NotifyPlan
  readonly log: Log
}

/** Gives how many notices it took; called until it gives none. */
export async function takeNotices(options: OutboxOptions): Promise<number> {
  const { state, plan } = options
  const { db } = state
  const waiting = await db
    .selectFrom('notices')
    .selectAll()
    .where('done_at', 'is', null)
    .orderBy('id')
    .limit(NOTICES_AT_ONCE)
    .execute()
  if (waiting.length === 0) return 0
  await db.transaction().execute(async tx => {
    for (const notice of waiting) await take(tx, options, notice)
    for (const receiver of plan.receivers.keys()) await shorten(tx, receiver)
  })
  return waiting.length
}

async function take(tx: Db, { state, plan, log }: OutboxOptions, notice: Notice): Promise<void> {
  const { id = 0, incident_id: incident, reason, text } = notice
  const at = state.nowMs()
  const rings = notice.rings === 1
  // The incident as it is now: a control room that was away tells what is, not what was.
  const facts = await factsOf(tx, await incidentOf(tx, incident))
  const found = await targetsOf(tx, plan, { facts, reason, rings, at })
  const base = messageFor(facts, { reason, rings, at: notice.at, text })
  const message = { ...base, incident }
  for (const { receiver, waitMs } of found) {
    const key = `${incident ?? 'notice'}-${id}-${receiver}`
    await addDelivery(tx, {
      noticeId: id,
      receiver,
      key,
      message,
      at: notice.at,
      firstTryAt: notice.at + waitMs,
    })
  }
  await tx.updateTable('notices').set({ done_at: at }).where('id', '=', id).execute()
  if (found.length === 0 && rings && incident !== null) {
    const why = plan.receivers.size === 0 ? 'no receiver is configured' : 'no route fits'
    await noteEvent(tx, incident, at, `Nobody was told: ${why}`)
    log.warn('notice-without-receiver', { incident, reason, why })
  }
}

/** On the incident's timeline. */
export async function noteEvent(tx: Db, incident: string, at: number, text: string): Promise<void> {
  await tx
    .insertInto('incident_events')
    .values({ incident_id: incident, at, kind: 'notified', by: 'vitrine', text })
    .execute()
}

interface Target {
  readonly receiver: string
  /** What comes meanwhile becomes part of it. */
  readonly waitMs: number
}

async function targetsOf(
  tx: Db,
  plan: NotifyPlan,
  about: {
    readonly facts: IncidentFacts
    readonly reason: NoticeReason
    readonly rings: boolean
    readonly at: number
  },
): Promise<readonly Target[]> {
  const { facts, reason, rings, at } = about
  if (reason === 'resolved' && facts.row !== null) {
    // Whoever was told that it began is told that it has ended, whatever routes say now.
    const told = await toldOf(tx, facts.row.id)
    return told.filter(name => plan.receivers.has(name)).map(receiver => ({ receiver, waitMs: 0 }))
  }
  const targets = new Map<string, number>()
  for (const route of routesFor(plan.routes, labelSetsFor(facts, reason, rings))) {
    for (const name of namesAt(plan, route.receivers, at)) {
      if (!rings && plan.receivers.get(name)?.quiet === false) continue
      targets.set(name, Math.min(targets.get(name) ?? Number.POSITIVE_INFINITY, route.groupSeconds * 1000))
    }
  }
  return [...targets].map(([receiver, waitMs]) => ({ receiver, waitMs }))
}
