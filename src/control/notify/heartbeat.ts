// Owns the heartbeat to a dead man's switch: a request each period to an address elsewhere, which raises the alarm when
// none comes. It tells on our side when that address does not take it.
import { type Closable, type Counters, every, type FleetTime, type Log } from '#base'
import type { HeartbeatPlan, NotifyPlan } from './plan.ts'

export interface HeartbeatView {
  readonly to: string
  readonly everySeconds: number
  readonly lastSuccessAt: number | null
  readonly problem: string | null
}

export interface Heartbeat extends Closable {
  view(this: void): HeartbeatView
}

export interface HeartbeatOptions {
  readonly plan: NotifyPlan
  readonly fleetTime: FleetTime
  readonly counters: Counters
  readonly log: Log
}

/** Null: none is configured. The first goes out at once. */
export function startHeartbeat(options: HeartbeatOptions): Heartbeat | null {
  const { heartbeat } = options.plan
  return heartbeat === null ? null : new RunningHeartbeat(heartbeat, options)
}

class RunningHeartbeat implements Heartbeat {
  readonly #heartbeat: HeartbeatPlan
  readonly #options: HeartbeatOptions
  readonly #turns: Closable
  readonly #first: Promise<void>
  readonly #startedAt: number
  #lastSuccessAt: number | null = null
  #problem: string | null = null
  #closed = false

  constructor(heartbeat: HeartbeatPlan, options: HeartbeatOptions) {
    this.#heartbeat = heartbeat
    this.#options = options
    this.#startedAt = options.fleetTime.nowMs()
    const { counters, fleetTime, log } = options
    const age = counters.gauge(
      'vitrine_notify_heartbeat_age_seconds',
      'Time since the dead man’s switch last took a heartbeat, or since the start.',
    )
    const period = counters.gauge('vitrine_notify_heartbeat_period_seconds', 'How often it is told.')
    period.set(heartbeat.everyMs / 1000)
    counters.beforeCollect(() =>
      age.set((fleetTime.nowMs() - (this.#lastSuccessAt ?? this.#startedAt)) / 1000),
    )
    this.#first = this.#beat()
    this.#turns = every(
      heartbeat.everyMs,
      () => this.#beat(),
      error => log.error('heartbeat-broken', { error }),
    )
  }

  readonly view = (): HeartbeatView => ({
    to: this.#heartbeat.to,
    everySeconds: this.#heartbeat.everyMs / 1000,
    lastSuccessAt: this.#lastSuccessAt,
    problem: this.#problem,
  })

  async close(): Promise<void> {
    this.#closed = true
    await this.#heartbeat.poster.close()
    await this.#first
    await this.#turns.close()
  }

  async #beat(): Promise<void> {
    const { url, method, poster } = this.#heartbeat
    const { plan, fleetTime, log } = this.#options
    const outcome = await poster.send({ url, method, body: null })
    if (this.#closed) return
    if (outcome.ok) {
      this.#lastSuccessAt = fleetTime.nowMs()
      this.#problem = null
      return
    }
    const problem = plan.secrets.clean(outcome.problem)
    if (this.#problem !== problem) log.warn('heartbeat-not-taken', { problem })
    this.#problem = problem
  }
}
