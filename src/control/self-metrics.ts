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
  /** State and weight of each server as they were written last. */
  readonly #told = new Map<string, string>()
  /** Label sets by server: made anew each second they cost more than what they name. */
  readonly #labels = new Map<string, KnownLabels>()
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

  /**
   * What rules look at when a server's state changed: at once, not within the second. Only of those that changed: in a
   * fleet of a thousand that fails together every server would write every other one's points.
   */
  writeFleet(): void {
    this.#store(this.#fleetPoints(record => this.#told.get(record.id) !== this.#standingOf(record)))
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

  #standingOf(record: ServerRecord): string {
    return `${record.standing.state} ${this.#options.steering.weightOf(record.id)}`
  }

  #fleetPoints(wanted: (record: ServerRecord) => boolean = () => true): { labels: Labels; value: number }[] {
    const { fleet, steering, region } = this.#options
    const nowMs = this.#options.clock.monotonicMs()
    const own = { job: JOB, instance: CONTROL_ID, region }
    const exhausted = {
      labels: { ...own, __name__: 'vitrine_fleet_steering_exhausted' },
      value: Number(steering.exhausted()),
    }
    const records = fleet.all().filter(wanted)
    for (const record of records) this.#told.set(record.id, this.#standingOf(record))
    const known = new Set(fleet.all().map(({ id }) => id))
    for (const id of this.#told.keys()) if (!known.has(id)) this.#forget(id)
    return [exhausted, ...records.flatMap(record => this.#serverPoints(record, nowMs))]
  }

  /** After a start nobody is known to watch: that is no zero, and the ledger bridges a short silence. */
  #knowsViewers({ id, isLinked }: ServerRecord, nowMs: number): boolean {
    if (isLinked && !this.#linkedMs.has(id)) this.#linkedMs.set(id, nowMs)
    const linkedMs = this.#linkedMs.get(id) ?? Number.POSITIVE_INFINITY
    return nowMs - linkedMs > SESSIONS_TOLD_MS || nowMs - this.#startMs > LINK_MS_MAX
  }

  #forget(id: string): void {
    this.#told.delete(id)
    this.#labels.delete(id)
    this.#linkedMs.delete(id)
  }

  #labelsOf({ id, region }: ServerRecord): KnownLabels {
    const known = this.#labels.get(id)
    if (known?.region === region) return known
    const fresh = new KnownLabels(id, region)
    this.#labels.set(id, fresh)
    return fresh
  }

  #serverPoints(record: ServerRecord, nowMs: number): { labels: Labels; value: number }[] {
    const { fleet, steering } = this.#options
    const known = this.#labelsOf(record)
    const points: { labels: Labels; value: number }[] = []
    const add = (name: string, value: number, labels: Labels = {}): void => {
      points.push({ labels: known.of(name, labels), value })
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
      const { byClass, estimated, simulated } = fleet.sessions.of(record.id)
      if (this.#knowsViewers(record, nowMs)) {
        for (const titleClass of titleClasses) {
          add('vitrine_fleet_watching', byClass[titleClass], { class: titleClass })
        }
        add('vitrine_fleet_watching_estimated', estimated)
        add('vitrine_fleet_watching_simulated', simulated)
      }
      add('vitrine_fleet_steering_weight', steering.weightOf(record.id))
      const { capacityBps } = record.tags
      if (capacityBps !== undefined) add('vitrine_fleet_capacity_bytes_per_second', capacityBps / 8)
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

/** Label sets of one server that were made already. */
class KnownLabels {
  readonly region: string
  readonly #base: Labels
  readonly #byKey = new Map<string, Labels>()

  constructor(id: string, region: string) {
    this.region = region
    this.#base = { job: JOB, instance: id, region }
  }

  of(name: string, more: Labels): Labels {
    let key = name
    for (const label in more) key += `,${label}=${more[label]}`
    const known = this.#byKey.get(key)
    if (known !== undefined) return known
    const made = { ...more, ...this.#base, __name__: name }
    if (this.#byKey.size >= LABEL_SETS_MAX) this.#byKey.clear() // observers come and go
    this.#byKey.set(key, made)
    return made
  }
}

/** Six for each of 64 observers, and what the server itself has. */
const LABEL_SETS_MAX = 500
/** An edge that comes back tells its sessions within a second. */
const SESSIONS_TOLD_MS = 2000
/** One that stays away for so long after a start feeds nobody that this control room could know of. */
const LINK_MS_MAX = 15_000
