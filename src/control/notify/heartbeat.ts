// Owns the heartbeat to a dead man's switch: a request each period to an address elsewhere, which raises the alarm when
// none comes. It tells on our side when that address does not take it, and goes on at another when it is told to.
import { type Closable, type Counters, every, type FleetTime, type Log } from '#base'
import type { HeartbeatPlan, NotifyPlan } from './plan.ts'

export interface HeartbeatView {
  readonly to: string
  readonly everySeconds: number
  readonly lastSuccessAt: number | null
  readonly problem: string | null
}

export interface HeartbeatOptions {
  readonly plan: NotifyPlan
  readonly fleetTime: FleetTime
  readonly counters: Counters
  readonly log: Log
}

export class Heartbeat implements Closable {
  readonly #options: Omit<HeartbeatOptions, 'plan'>
  #beating: Beating | null

  /** The first goes out at once, if one is configured. */
  constructor({ plan, ...options }: HeartbeatOptions) {
    this.#options = options
    this.#beating = this.#begin(plan, null)
    const { counters, fleetTime } = options
    const age = counters.gauge(
      'vitrine_notify_heartbeat_age_seconds',
      'Time since the dead man’s switch last took a heartbeat, or since the start.',
    )
    const period = counters.gauge('vitrine_notify_heartbeat_period_seconds', 'How often it is told.')
    counters.beforeCollect(() => {
      if (this.#beating === null) {
        age.remove()
        period.remove()
        return
      }
      age.set((fleetTime.nowMs() - this.#beating.since) / 1000)
      period.set(this.#beating.plan.everyMs / 1000)
    })
  }

  /** Null: none is configured. */
  view(): HeartbeatView | null {
    return this.#beating?.view() ?? null
  }

  /** From now on as this plan says. */
  async replace(plan: NotifyPlan): Promise<void> {
    const before = this.#beating
    const isSame = before !== null && before.plan.url === plan.heartbeat?.url
    this.#beating = this.#begin(plan, isSame ? before.lastSuccessAt : null)
    await before?.close()
  }

  async close(): Promise<void> {
    await this.#beating?.close()
  }

  #begin(plan: NotifyPlan, lastSuccessAt: number | null): Beating | null {
    const { heartbeat, secrets } = plan
    if (heartbeat === null) return null
    return new Beating(heartbeat, lastSuccessAt, { ...this.#options, clean: text => secrets.clean(text) })
  }
}

interface BeatingOptions {
  readonly fleetTime: FleetTime
  readonly log: Log
  clean(this: void, text: string): string
}

class Beating implements Closable {
  readonly plan: HeartbeatPlan
  readonly #options: BeatingOptions
  readonly #turns: Closable
  readonly #first: Promise<void>
  readonly #startedAt: number
  #lastSuccessAt: number | null
  #problem: string | null = null
  #closed = false

  constructor(plan: HeartbeatPlan, lastSuccessAt: number | null, options: BeatingOptions) {
    this.plan = plan
    this.#options = options
    this.#lastSuccessAt = lastSuccessAt
    this.#startedAt = options.fleetTime.nowMs()
    this.#first = this.#beat()
    this.#turns = every(
      plan.everyMs,
      () => this.#beat(),
      error => options.log.error('heartbeat-broken', { error }),
    )
  }

  get lastSuccessAt(): number | null {
    return this.#lastSuccessAt
  }

  get since(): number {
    return this.#lastSuccessAt ?? this.#startedAt
  }

  view(): HeartbeatView {
    return {
      to: this.plan.to,
      everySeconds: this.plan.everyMs / 1000,
      lastSuccessAt: this.#lastSuccessAt,
      problem: this.#problem,
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.plan.poster.close()
    await this.#first
    await this.#turns.close()
  }

  async #beat(): Promise<void> {
    const { url, method, poster } = this.plan
    const { fleetTime, log, clean } = this.#options
    const outcome = await poster.send({ url, method, body: null })
    if (this.#closed) return
    if (outcome.ok) {
      this.#lastSuccessAt = fleetTime.nowMs()
      this.#problem = null
      return
    }
    const problem = clean(outcome.problem)
    if (this.#problem !== problem) log.warn('heartbeat-not-taken', { problem })
    this.#problem = problem
  }
}
