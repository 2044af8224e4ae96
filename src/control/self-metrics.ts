// Owns the control room's own series: what it knows of each server, and of itself. Written into its own store.
import type { Clock, Counters, FleetTime, Labels } from '#base'
import type { MetricsStore, WriteSeries } from '#metrics'
import { serverStates, titleClasses } from '#wire'
import { CONTROL_ID, type Fleet, type ServerRecord } from './fleet/fleet.ts'
import type { PlanKeeper } from './probes/plan-keeper.ts'
import type { ProbeBudget } from './probes/probe-budget.ts'
import { playPoints, probePoints } from './probes/probe-points.ts'
import type { SteeringKeeper } from './steering/steering-keeper.ts'

const JOB = 'vitrine-control'

export interface SelfMetricsOptions {
  readonly fleet: Fleet
  readonly steering: SteeringKeeper
  readonly probePlan: PlanKeeper
  readonly probeBudget: ProbeBudget
  readonly store: MetricsStore
  readonly fleetTime: FleetTime
  readonly clock: Clock
  readonly counters: Counters
  readonly region: string
}

export class SelfMetrics {
  readonly #options: SelfMetricsOptions
  readonly #startMs: number
  #lastAt = 0
  /** When each edge was first found linked. */
  readonly #linkedMs = new Map<string, number>()

  constructor(options: SelfMetricsOptions) {
    this.#options = options
    this.#startMs = options.clock.monotonicMs()
  }

  /** Everything, each second. */
  write(): void {
    const own = { job: JOB, instance: CONTROL_ID, region: this.#options.region }
    const process = this.#options.counters.collect().flatMap(family =>
      family.points.map(point => ({
        labels: { ...point.labels, ...own, __name__: point.name },
        value: point.value,
      })),
    )
    this.#store([...process, ...this.#fleetPoints()])
  }

  /** What rules look at when a server's state changed: at once, not within the second. */
  writeFleet(): void {
    this.#store(this.#fleetPoints())
  }

  #store(points: readonly { labels: Labels; value: number }[]): void {
    const { store, fleetTime } = this.#options
    const now = Math.max(Math.floor(fleetTime.nowMs()), this.#lastAt + 1)
    this.#lastAt = now
    const series: WriteSeries[] = points.map(({ labels, value }) => ({
      labels,
      samples: [{ timestampMs: now, value }],
    }))
    store.write(series, now)
  }

  #fleetPoints(): { labels: Labels; value: number }[] {
    const { fleet, steering, region } = this.#options
    const nowMs = this.#options.clock.monotonicMs()
    const own = { job: JOB, instance: CONTROL_ID, region }
    const exhausted = {
      labels: { ...own, __name__: 'vitrine_fleet_steering_exhausted' },
      value: Number(steering.exhausted()),
    }
    return [exhausted, ...fleet.all().flatMap(record => this.#serverPoints(record, nowMs))]
  }

  /** After a start nobody is known to watch: that is no zero, and the ledger bridges a short silence. */
  #knowsViewers({ id, isLinked }: ServerRecord, nowMs: number): boolean {
    if (isLinked && !this.#linkedMs.has(id)) this.#linkedMs.set(id, nowMs)
    const linkedMs = this.#linkedMs.get(id) ?? Number.POSITIVE_INFINITY
    return nowMs - linkedMs > SESSIONS_TOLD_MS || nowMs - this.#startMs > LINK_MS_MAX
  }

  #serverPoints(record: ServerRecord, nowMs: number): { labels: Labels; value: number }[] {
    const { fleet, steering } = this.#options
    const base = { job: JOB, instance: record.id, region: record.region }
    const points: { labels: Labels; value: number }[] = []
    const add = (name: string, value: number, labels: Labels = {}): void => {
      points.push({ labels: { ...labels, ...base, __name__: name }, value })
    }
    for (const state of serverStates) {
      const is = Number(record.standing.state === state)
      add('vitrine_fleet_server_state', is, { role: record.role, state })
    }
    // A server that has never been here has no agent to miss; one that was has one since this start.
    const isMissed = record.role !== 'foreign' && record.url !== ''
    if (record.agentHeardMs !== null || isMissed) {
      // One that has joined since this start is missed from then on, not from the start.
      const sinceMs = Math.max(this.#startMs, record.linkedMs ?? this.#startMs)
      const silentMs = fleet.agentSilentMs(record, nowMs, sinceMs)
      add('vitrine_fleet_agent_age_seconds', silentMs / 1000, { role: record.role })
    }
    if (record.role === 'edge') {
      const { byClass, estimated } = fleet.sessions.of(record.id)
      if (this.#knowsViewers(record, nowMs)) {
        for (const titleClass of titleClasses) {
          add('vitrine_fleet_watching', byClass[titleClass], { class: titleClass })
        }
        add('vitrine_fleet_watching_estimated', estimated)
      }
      add('vitrine_fleet_steering_weight', steering.weightOf(record.id))
    }
    const pairs = this.#options.probePlan.mesh() === 'full'
    for (const { name, value, labels } of probePoints(record, nowMs, pairs)) add(name, value, labels)
    for (const { name, value, labels } of playPoints(record, nowMs, pairs)) add(name, value, labels)
    if ((record.role === 'edge' || record.role === 'foreign') && record.url !== '') {
      add('vitrine_probe_used_bytes', this.#options.probeBudget.used(record.id))
      add('vitrine_probe_budget_bytes', this.#options.probeBudget.bytesMonth)
    }
    return points
  }
}

/** An edge that comes back tells its sessions within a second. */
const SESSIONS_TOLD_MS = 2000
/** One that stays away for so long after a start feeds nobody that this control room could know of. */
const LINK_MS_MAX = 15_000
