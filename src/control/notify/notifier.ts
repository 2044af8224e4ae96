// Owns sending: notices become deliveries, each receiver has one queue of its own, and what fails is tried again with
// growing pauses until it is given up. A receiver that hangs holds up nobody else.
import { randomBytes } from 'node:crypto'
import { type Closable, type Counters, every, type FleetTime, type Log, messageOf } from '#base'
import {
  isControlLostKey,
  type NamedReceiver,
  type NoticeMessage,
  type Outcome,
  type Outgoing,
} from '#receivers'
import type { DeliveryView } from '#wire'
import { controlFaults } from '../faults.ts'
import { audit, type StateDb } from '../state/database.ts'
import {
  addDelivery,
  beginAttempt,
  type DueDelivery,
  deliveryByKey,
  dueReceivers,
  endAttempt,
  forgetOld,
  giveUpOthers,
  nextDelivery,
  tryFailedNow,
} from './delivery-book.ts'
import { FollowUp } from './follow-up.ts'
import { factsOf, incidentOf, messageFor } from './incident-rows.ts'
import type { IncidentLinks } from './links.ts'
import { messageOfIncident } from './message.ts'
import { noteEvent, takeNotices } from './outbox.ts'
import { wordsOf } from './own-words.ts'
import type { NotifyPlan } from './plan.ts'

/** How often notices are looked for: a quarter of a second of the two that a message may take. */
const LOOK_MS = 250
const FOLLOW_MS = 1000
/** Alertmanagers forget what they are not told again. */
const REFRESH_MS = 60_000
const HOUR_MS = 3_600_000
/** An incident that ended within this is told of as it came: a restart is no reason to skip it. */
const OVER_MS = 60_000
const OPEN_MAX = 500

export interface NotifierLimits {
  /** Pause after the first attempt that failed; it doubles with each. */
  readonly retryMs: number
  readonly retryMsMax: number
  /** From then on nobody is helped by it. */
  readonly giveUpMs: number
}

export const notifierLimits: NotifierLimits = {
  retryMs: 1000,
  retryMsMax: 300_000,
  giveUpMs: 24 * HOUR_MS,
}

export interface NotifierOptions {
  readonly state: StateDb
  /** In force now. */
  plan(this: void): NotifyPlan
  readonly links: IncidentLinks
  readonly fleetTime: FleetTime
  readonly counters: Counters
  readonly log: Log
  /** Where the control room is reached. */
  readonly selfUrl: () => string
  readonly limits?: NotifierLimits
}

/** Of a receiver since the start. */
export interface ReceiverStanding {
  readonly lastSentAt: number | null
  readonly problem: string | null
  readonly failures: number
}

const NEW: ReceiverStanding = { lastSentAt: null, problem: null, failures: 0 }

export class Notifier implements Closable {
  readonly #options: NotifierOptions
  readonly #limits: NotifierLimits
  readonly #followUp: FollowUp
  readonly #pumps = new Map<string, Promise<void>>()
  readonly #standing = new Map<string, ReceiverStanding>()
  readonly #turns: Closable[] = []
  /** Under way; one that is not in force any more is closed when its request has ended. */
  readonly #busy = new Set<NamedReceiver>()
  readonly #retired = new Set<NamedReceiver>()
  readonly #count: (receiver: string, result: string) => void
  readonly #forget: (receiver: string) => void
  #closing = false

  private constructor(options: NotifierOptions) {
    this.#options = options
    this.#limits = options.limits ?? notifierLimits
    this.#followUp = new FollowUp(options.state, options.plan)
    const { counters } = options
    const attempts = counters.counter(
      'vitrine_notify_attempts_total',
      'Attempts to send a notification, by receiver and what came of it: sent, failed, given-up.',
    )
    this.#count = (receiver, result) => attempts.add(1, { receiver, result })
    const failures = counters.gauge(
      'vitrine_notify_failures',
      'Attempts to reach a receiver that failed one after the other; 0 after one that went well.',
    )
    counters.beforeCollect(() => {
      for (const name of options.plan().receivers.keys())
        failures.set(this.standing(name).failures, { receiver: name })
    })
    this.#forget = name => failures.remove({ receiver: name })
  }

  static async start(options: NotifierOptions): Promise<Notifier> {
    const { state, plan, log } = options
    const notifier = new Notifier(options)
    await giveUpOthers(state.db, [...plan().receivers.keys()])
    const turn = (periodMs: number, event: string, run: () => Promise<void>): void => {
      notifier.#turns.push(every(periodMs, run, error => log.error(event, { error })))
    }
    // What was left over is not to wait for the first turn.
    const first = notifier.#look().catch((error: unknown) => log.error('notices-not-taken', { error }))
    notifier.#turns.push({ close: () => first })
    turn(LOOK_MS, 'notices-not-taken', () => notifier.#look())
    turn(FOLLOW_MS, 'incidents-not-followed', () => notifier.#followUp.look())
    turn(HOUR_MS, 'deliveries-not-swept', () => forgetOld(state.db, state.nowMs()))
    turn(REFRESH_MS, 'alerts-not-refreshed', () => notifier.#refresh())
    return notifier
  }

  standing(name: string): ReceiverStanding {
    return this.#standing.get(name) ?? NEW
  }

  /** Another plan is in force: whoever is gone gets nothing more, and what had failed is tried as it says now. */
  async replaced(before: NotifyPlan): Promise<void> {
    const { state, plan } = this.#options
    const { receivers, configs } = plan()
    for (const [name, receiver] of before.receivers) {
      if (!receivers.has(name)) this.#forget(name)
      if (JSON.stringify(configs.get(name)) !== JSON.stringify(before.configs.get(name)))
        this.#standing.delete(name)
      if (this.#busy.has(receiver)) this.#retired.add(receiver)
      else await receiver.close()
    }
    this.#followUp.again()
    await giveUpOthers(state.db, [...receivers.keys()])
    await tryFailedNow(state.db, state.nowMs())
  }

  /** Sends one test notice, once, to one receiver; how it went stands in the log of deliveries. */
  async test(name: string, by: string): Promise<DeliveryView> {
    const { state, plan } = this.#options
    if (!plan().receivers.has(name)) {
      const message = `there is no receiver ${JSON.stringify(name.slice(0, 64))}`
      throw controlFaults.fault('control-receiver-unknown', message)
    }
    const at = state.nowMs()
    const key = `test-${randomBytes(6).toString('hex')}-${name}`
    const text = `Asked for by ${by}. Nothing has happened.`
    const message = messageOfIncident(null, { reason: 'test', rings: false, at, text }, [], 0)
    await state.db.transaction().execute(async tx => {
      await addDelivery(tx, { noticeId: null, receiver: name, key, message, at, firstTryAt: at })
      await audit(tx, { at, by, action: 'receiver-test', subject: name })
    })
    this.#pump(name)
    const made = await deliveryByKey(state.db, key)
    if (made === null) throw new TypeError('a delivery that was just written is gone')
    return made
  }

  async close(): Promise<void> {
    this.#closing = true
    for (const turn of this.#turns) await turn.close()
    // What is under way ends at once, and is attempted again at the next start.
    for (const receiver of [...this.#options.plan().receivers.values(), ...this.#retired])
      await receiver.close()
    await Promise.all(this.#pumps.values())
  }

  async #look(): Promise<void> {
    const { state, selfUrl, plan, log } = this.#options
    if (selfUrl() === '') return // links have no address yet
    while (!this.#closing && (await takeNotices({ state, plan: plan(), log })) > 0);
    for (const name of await dueReceivers(state.db, state.nowMs())) this.#pump(name)
  }

  #pump(name: string): void {
    if (!this.#options.plan().receivers.has(name) || this.#closing || this.#pumps.has(name)) return
    const run = this.#drain(name)
      .catch((error: unknown) => this.#options.log.error('queue-broken', { receiver: name, error }))
      .finally(() => this.#pumps.delete(name))
    this.#pumps.set(name, run)
  }

  async #drain(name: string): Promise<void> {
    const { state, plan } = this.#options
    while (!this.#closing) {
      const inForce = plan()
      const receiver = inForce.receivers.get(name)
      if (receiver === undefined) return
      const delivery = await nextDelivery(state.db, name, state.nowMs())
      if (delivery === null) return
      this.#busy.add(receiver)
      try {
        await this.#deliver(inForce, receiver, delivery)
      } finally {
        this.#busy.delete(receiver)
        if (this.#retired.delete(receiver)) await receiver.close()
      }
    }
  }

  async #deliver(plan: NotifyPlan, receiver: NamedReceiver, delivery: DueDelivery): Promise<void> {
    const { state } = this.#options
    if (!receiver.quiet && delivery.attempts > 0 && (await isLongOver(state, delivery))) {
      await this.#tooLate(receiver, delivery)
      return
    }
    await beginAttempt(state.db, delivery.id)
    const outcome = await this.#attempt(plan, receiver, delivery)
    if (this.#closing && !outcome.ok) return
    if (outcome.ok) await this.#sent(plan, receiver, delivery, outcome.answer)
    else await this.#failed(plan, receiver, delivery, outcome)
  }

  async #attempt(plan: NotifyPlan, receiver: NamedReceiver, { key, payload }: DueDelivery): Promise<Outcome> {
    try {
      const message = JSON.parse(payload) as NoticeMessage
      return await receiver.send(await this.#outgoing(plan, receiver, key, message))
    } catch (error) {
      // Our own mistake; the next version may do better.
      this.#options.log.error('delivery-broken', { receiver: receiver.name, key, error })
      return { ok: false, problem: messageOf(error), waitMs: null, final: false }
    }
  }

  async #outgoing(
    plan: NotifyPlan,
    receiver: NamedReceiver,
    key: string,
    message: NoticeMessage,
  ): Promise<Outgoing> {
    const { links, selfUrl, state } = this.#options
    const url = selfUrl()
    const holder = { name: receiver.person ?? receiver.name, isUser: receiver.person !== null }
    const hasPage = message.incident !== null && !isControlLostKey(message.incident)
    const link =
      !hasPage || message.incident === null ? null : `${url}/i/${links.make(message.incident, holder)}`
    const words = await wordsOf(message, plan.words, { zone: plan.zone, link, url })
    return { key, message, words, link, url, at: state.nowMs() }
  }

  async #sent(
    plan: NotifyPlan,
    receiver: NamedReceiver,
    delivery: DueDelivery,
    answer: string,
  ): Promise<void> {
    const { state } = this.#options
    const at = state.nowMs()
    const { name } = receiver
    this.#standing.set(name, { lastSentAt: at, problem: null, failures: 0 })
    this.#count(name, 'sent')
    await state.db.transaction().execute(async tx => {
      const end = { state: 'sent', next_try_at: null, problem: null, sent_at: at } as const
      await endAttempt(tx, delivery.id, { ...end, answer: plan.secrets.clean(answer) })
      if (delivery.incident !== null)
        await noteEvent(tx, delivery.incident, at, eventWords(receiver, delivery))
    })
  }

  async #tooLate({ name }: NamedReceiver, { id, incident }: DueDelivery): Promise<void> {
    const { state } = this.#options
    const problem = 'it was over before this receiver took it'
    this.#count(name, 'given-up')
    await state.db.transaction().execute(async tx => {
      await endAttempt(tx, id, { state: 'given-up', next_try_at: null, problem })
      if (incident !== null)
        await noteEvent(tx, incident, state.nowMs(), `Could not be told to ${name}: ${problem}`)
    })
  }

  async #failed(
    plan: NotifyPlan,
    receiver: NamedReceiver,
    delivery: DueDelivery,
    outcome: Extract<Outcome, { ok: false }>,
  ): Promise<void> {
    const { state, log } = this.#options
    const at = state.nowMs()
    const { name } = receiver
    const problem = plan.secrets.clean(outcome.problem)
    const before = this.standing(name)
    this.#standing.set(name, { ...before, problem, failures: before.failures + 1 })
    // What has been set right meanwhile is tried at once.
    const isOld = this.#options.plan() !== plan
    const pauseMs = isOld ? 0 : Math.max(outcome.waitMs ?? 0, pause(delivery.attempts, this.#limits))
    const late = at + pauseMs - delivery.at > this.#limits.giveUpMs
    const givenUp = (outcome.final && !isOld) || late || delivery.reason === 'test'
    this.#count(name, givenUp ? 'given-up' : 'failed')
    log.warn('notification-not-taken', { receiver: name, key: delivery.key, problem, givenUp })
    const { incident } = delivery
    await state.db.transaction().execute(async tx => {
      const end = givenUp
        ? ({ state: 'given-up', next_try_at: null } as const)
        : ({ state: 'failed', next_try_at: at + pauseMs } as const)
      await endAttempt(tx, delivery.id, { ...end, problem })
      if (givenUp && incident !== null)
        await noteEvent(tx, incident, at, `Could not be told to ${name}: ${problem}`)
    })
  }

  /** What is open and was told, once more; a failure is the receiver's standing, not a line for each minute. */
  async #refresh(): Promise<void> {
    const { state } = this.#options
    const plan = this.#options.plan()
    for (const receiver of plan.receivers.values()) {
      if (receiver.refresh === undefined || this.#closing) continue
      const rows = await state.db
        .selectFrom('incidents')
        .selectAll()
        .where('resolved_at', 'is', null)
        .where('id', 'in', db =>
          db
            .selectFrom('deliveries')
            .select('incident_id')
            .where('receiver', '=', receiver.name)
            .$castTo<{ incident_id: string }>(),
        )
        .limit(OPEN_MAX)
        .execute()
      const open: Outgoing[] = []
      for (const row of rows) {
        const facts = await factsOf(state.db, row)
        const notice = { reason: 'reminder', rings: false, at: state.nowMs(), text: '' } as const
        open.push(await this.#outgoing(plan, receiver, `refresh-${row.id}`, messageFor(facts, notice)))
      }
      if (open.length === 0) continue
      const outcome = await receiver.refresh(open)
      const before = this.standing(receiver.name)
      this.#standing.set(
        receiver.name,
        outcome.ok
          ? { lastSentAt: state.nowMs(), problem: null, failures: 0 }
          : { ...before, problem: plan.secrets.clean(outcome.problem), failures: before.failures + 1 },
      )
    }
  }
}

/** What rings and could not: for an incident that has ended since nobody is to be woken. */
async function isLongOver(state: NotifierOptions['state'], delivery: DueDelivery): Promise<boolean> {
  if (!delivery.rings) return false
  const row = await incidentOf(state.db, delivery.incident)
  return row !== null && row.resolved_at !== null && state.nowMs() - row.resolved_at > OVER_MS
}

/** Doubles from the first to the longest, less up to half of it: receivers that come back are not met by all at once. */
function pause(attempts: number, { retryMs, retryMsMax }: NotifierLimits): number {
  const full = Math.min(retryMs * 2 ** Math.min(attempts, 30), retryMsMax)
  return full * (0.5 + Math.random() / 2)
}

function eventWords({ name, person }: NamedReceiver, { rings, reason }: DueDelivery): string {
  const who = person === null ? name : `${person} (${name})`
  return rings ? `Rang ${who}: ${reason}` : `Told ${who}: ${reason}`
}
