// Owns what follows from nobody answering, and from somebody answering: the next step of escalation, reminders, and
// telling the others who has it. Each is written once for its key, so that looking again changes nothing.

import type { ReceiverKind } from '#wire'
import type { StateDb } from '../state/database.ts'
import type { Tables } from '../state/tables.ts'
import { addDelivery, haveKeys, toldOf } from './delivery-book.ts'
import { factsOf, type IncidentFacts, labelSetsFor, messageFor } from './incident-rows.ts'
import { type Route, routesFor } from './label-route.ts'
import { type NotifyPlan, namesAt } from './plan.ts'

/** Of incidents that are open at once; beyond, the oldest are followed first. */
const OPEN_MAX = 500
const MINUTE_MS = 60_000
/** A mailbox needs no message that somebody else has it. */
const toldWhoHasIt: ReadonlySet<ReceiverKind> = new Set(['pagerduty', 'slack', 'webhook'])

type Incident = Tables['incidents']
interface Rung {
  readonly id: number
  readonly at: number
}

/** What was looked at, and when the next thing can be due: alerts are not read each second for nothing. */
export class FollowUp {
  readonly #state: StateDb
  readonly #plan: () => NotifyPlan
  readonly #looked = new Map<string, { readonly stand: string; readonly nextAt: number }>()

  constructor(state: StateDb, plan: () => NotifyPlan) {
    this.#state = state
    this.#plan = plan
  }

  /** Looks at all of them anew: the steps may be others now. */
  again(): void {
    this.#looked.clear()
  }

  async look(): Promise<void> {
    const { db, nowMs } = this.#state
    const open = await db
      .selectFrom('incidents')
      .selectAll()
      .where('resolved_at', 'is', null)
      .orderBy('opened_at')
      .limit(OPEN_MAX)
      .execute()
    const ids = new Set(open.map(({ id }) => id))
    for (const id of this.#looked.keys()) if (!ids.has(id)) this.#looked.delete(id)
    for (const incident of open) await this.#follow(incident, nowMs())
  }

  async #follow(incident: Incident, at: number): Promise<void> {
    const rung = await this.#firstRing(incident)
    const stand = `${rung?.id ?? ''} ${incident.acknowledged_at ?? ''} ${incident.wait_until ?? ''}`
    const looked = this.#looked.get(incident.id)
    if (looked?.stand === stand && at < looked.nextAt) return
    if (incident.acknowledged_at !== null) await this.#tellWhoHasIt(incident, incident.acknowledged_at)
    let nextAt = Number.POSITIVE_INFINITY
    if (rung !== null) {
      const wait = incident.wait_until ?? 0
      nextAt = wait > at ? wait : await this.#press(incident, rung, at)
    }
    this.#looked.set(incident.id, { stand, nextAt })
  }

  /** The first that rang since somebody had it last: from then on the time of the steps counts. */
  async #firstRing(incident: Incident): Promise<Rung | null> {
    const row = await this.#state.db
      .selectFrom('notices')
      .select(['id', 'at'])
      .where('incident_id', '=', incident.id)
      .where('rings', '=', 1)
      .where('at', '>', incident.acknowledged_at ?? -1)
      .orderBy('id')
      .limit(1)
      .executeTakeFirst()
    return row === undefined ? null : { id: row.id ?? 0, at: row.at }
  }

  /** Gives when the next thing is due. */
  async #press(incident: Incident, rung: Rung, at: number): Promise<number> {
    const facts = await factsOf(this.#state.db, incident)
    const routes = routesFor(this.#plan().routes, labelSetsFor(facts, 'opened', true))
    const steps = routes.flatMap(route =>
      route.escalation.map((step, index) => ({
        route,
        step,
        index,
        dueAt: rung.at + step.afterMinutes * MINUTE_MS,
      })),
    )
    for (const { route, step, index } of steps.filter(({ dueAt }) => dueAt <= at)) {
      await this.#escalate(facts, rung, `${route.index}.${index}`, namesAt(this.#plan(), step.receivers, at))
    }
    const remindAt = await this.#remind(incident, routes, at)
    return Math.min(remindAt, ...steps.filter(({ dueAt }) => dueAt > at).map(({ dueAt }) => dueAt))
  }

  async #escalate(facts: IncidentFacts, rung: Rung, step: string, names: readonly string[]): Promise<void> {
    const { db, nowMs } = this.#state
    const incident = facts.row?.id ?? ''
    const own = names.map(receiver => ({ receiver, key: `${incident}-${rung.id}-${receiver}-step-${step}` }))
    const there = await haveKeys(
      db,
      own.map(({ key }) => key),
    )
    const missing = own.filter(({ key }) => !there.has(key))
    if (missing.length === 0) return
    const at = nowMs()
    const message = messageFor(facts, { reason: 'escalated', rings: true, at, text: '' })
    await db.transaction().execute(async tx => {
      for (const { receiver, key } of missing)
        await addDelivery(tx, { noticeId: rung.id, receiver, key, message, at, firstTryAt: at })
    })
  }

  /** Writes a notice like any other, so that everybody who reads them sees it. */
  async #remind(incident: Incident, routes: readonly Route[], at: number): Promise<number> {
    const periods = routes.flatMap(({ repeatMinutes }) =>
      repeatMinutes === undefined ? [] : [repeatMinutes],
    )
    if (periods.length === 0) return Number.POSITIVE_INFINITY
    const periodMs = Math.min(...periods) * MINUTE_MS
    const { db } = this.#state
    const last = await db
      .selectFrom('notices')
      .select('at')
      .where('incident_id', '=', incident.id)
      .orderBy('id', 'desc')
      .limit(1)
      .executeTakeFirst()
    const dueAt = (last?.at ?? at) + periodMs
    if (dueAt > at) return dueAt
    await db
      .insertInto('notices')
      .values({ incident_id: incident.id, at, reason: 'reminder', rings: 1, text: '', done_at: null })
      .execute()
    return at + periodMs
  }

  async #tellWhoHasIt(incident: Incident, since: number): Promise<void> {
    const { db, nowMs } = this.#state
    const told = (await toldOf(db, incident.id)).filter(name => {
      const kind = this.#plan().receivers.get(name)?.kind
      return kind !== undefined && toldWhoHasIt.has(kind)
    })
    const own = told.map(receiver => ({ receiver, key: `${incident.id}-had-${since}-${receiver}` }))
    const there = await haveKeys(
      db,
      own.map(({ key }) => key),
    )
    const missing = own.filter(({ key }) => !there.has(key))
    if (missing.length === 0) return
    const at = nowMs()
    const facts = await factsOf(db, incident)
    const message = messageFor(facts, { reason: 'acknowledged', rings: false, at, text: '' })
    await db.transaction().execute(async tx => {
      for (const { receiver, key } of missing)
        await addDelivery(tx, { noticeId: null, receiver, key, message, at, firstTryAt: at })
    })
  }
}
