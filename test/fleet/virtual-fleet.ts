// Owns a fleet in virtual time: the product's own judgement, tables and steering, fed with what observers would see.
// Only the network is imagined here: looks, reports and channels, and what faults do to them.
import { FakeClock, SlewedFleetTime, silentLog } from '#base'
import type { SteeringTable } from '#wire'
import { Fleet } from '../../src/control/fleet/fleet.ts'
import { type HealthKeeper, startHealthKeeper } from '../../src/control/health/health-keeper.ts'
import type { FullState } from '../../src/control/state/open-state.ts'
import { choosePathway } from '../../src/control/steering/make-table.ts'
import { SteeringKeeper } from '../../src/control/steering/steering-keeper.ts'
import { Invariants } from './invariants.ts'
import { randomOf, type Schedule } from './schedule.ts'
import { deadOf, VirtualEdge } from './virtual-edge.ts'

const LOOK_MS = 1000
const EVALUATE_MS = 250
const REPORT_MS = 1000
const HEARTBEAT_MS = 1000
const HEAR_MS = 2000
const ASK_MS = 500
const WARM_MS = 20_000
/** Holds, looks and tables: after this everybody has had the time to be healthy. */
const CALM_MS = 45_000
/** Below it a cut connection goes on; above it the link has given up and comes anew. */
const CHANNEL_SILENCE_MS = 10_000
const RECONNECT_MS_MAX = 5000
const HOP_MS = 5
const SESSIONS = 2

interface Job {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
}

export class VirtualFleet {
  readonly #clock = new FakeClock()
  readonly #startMs: number
  readonly #random: () => number
  readonly #schedule: Schedule
  readonly #fleet = new Fleet()
  readonly #edges: VirtualEdge[]
  readonly #jobs: Job[] = []
  /** Beginning of the control room's last look at each. */
  readonly #control = new Map<string, number>()
  #health: HealthKeeper | null = null
  #steering: SteeringKeeper | null = null
  #order = 0
  readonly invariants: Invariants
  readonly #states: string[]

  private constructor(schedule: Schedule) {
    this.#schedule = schedule
    this.#random = randomOf(schedule.seed ^ 0x5e_ed)
    this.invariants = new Invariants(schedule)
    this.#startMs = this.#clock.monotonicMs() + WARM_MS
    this.#edges = Array.from({ length: schedule.edges }, (_, at) => new VirtualEdge(at, this.#clock))
    this.#states = this.#edges.map(() => 'maintenance')
  }

  /** Runs one schedule to its end; `state` has the edges e0, e1 ... enrolled. */
  static async run(schedule: Schedule, state: FullState): Promise<Invariants> {
    const world = new VirtualFleet(schedule)
    await world.#open(state)
    world.#begin()
    const endMs = world.#startMs + schedule.calmFromMs + CALM_MS
    while (world.#clock.monotonicMs() < endMs) world.#next()
    world.invariants.end(world.#states, schedule.calmFromMs + CALM_MS)
    await world.#health?.close()
    return world.invariants
  }

  async #open(state: FullState): Promise<void> {
    const clock = this.#clock
    const fleetTime = new SlewedFleetTime(clock, 1_700_000_000_000)
    this.#fleet.load(await state.servers.list(), new Map(), new Map(), fleetTime.nowMs())
    const publish = (table: SteeringTable): void => this.#publish(table)
    this.#steering = await SteeringKeeper.open({
      fleet: this.#fleet,
      fleetTime,
      state,
      log: silentLog,
      publish,
    })
    const onChange = (): void => this.#onChange()
    this.#health = startHealthKeeper({
      fleet: this.#fleet,
      servers: state.servers,
      fleetTime,
      clock,
      log: silentLog,
      onChange,
    })
  }

  #begin(): void {
    for (const edge of this.#edges) {
      const record = this.#fleet.get(edge.id)
      if (record !== null) Object.assign(record, { url: edge.url, isLinked: true })
      edge.isLinked = true
      this.#each(LOOK_MS, () => this.#lookAround(edge))
      this.#each(REPORT_MS, () => this.#report(edge))
      this.#each(HEARTBEAT_MS, () => this.#heartbeat(edge))
      this.#each(HEAR_MS, () => edge.hear())
    }
    this.#each(LOOK_MS, () => this.#lookFromControl())
    this.#each(EVALUATE_MS, () => this.#health?.evaluate())
    this.#each(1000, () => this.#turn())
    this.#each(ASK_MS, () => this.#ask())
    for (const span of this.#schedule.spans) {
      const edge = this.#edges[span.edge]
      if (edge === undefined) continue
      this.#at(this.#startMs + span.fromMs, () => edge.begin(span.kind))
      this.#at(this.#startMs + span.toMs, () => this.#return(edge))
    }
  }

  /** Ms since the schedule began. */
  get #sinceMs(): number {
    return this.#clock.monotonicMs() - this.#startMs
  }

  #at(atMs: number, run: () => void): void {
    this.#order += 1
    const job = { atMs, order: this.#order, run }
    // Kept sorted: most jobs are for the near future, so that the place is near the end of a short list.
    let place = this.#jobs.length
    while (place > 0 && (this.#jobs[place - 1]?.atMs ?? 0) <= atMs) place -= 1
    this.#jobs.splice(place, 0, job)
  }

  #after(ms: number, run: () => void): void {
    this.#at(this.#clock.monotonicMs() + ms, run)
  }

  /** With a phase of its own, as processes that started at different moments have. */
  #each(periodMs: number, run: () => void): void {
    const turn = (): void => {
      this.#after(periodMs * (0.99 + 0.02 * this.#random()), turn)
      run()
    }
    this.#after(this.#random() * periodMs, turn)
  }

  /** The list is sorted latest first. */
  #next(): void {
    const job = this.#jobs.pop()
    if (job === undefined) throw new Error('nothing is left to do in virtual time')
    this.#clock.advance(Math.max(0, job.atMs - this.#clock.monotonicMs()))
    job.run()
  }

  #return(edge: VirtualEdge): void {
    const cutMs = edge.end()
    const nowMs = this.#clock.monotonicMs()
    // The worst order: who asked while it stood is answered before it reads what the control room said meanwhile.
    if (edge.wasFrozen) this.#askEdge(edge)
    if (cutMs !== null && cutMs > CHANNEL_SILENCE_MS) {
      edge.isLinked = false
      edge.inbox.length = 0
      this.#after(HOP_MS + this.#random() * RECONNECT_MS_MAX, () => this.#connect(edge))
    } else {
      // What was sent meanwhile comes at once after a freeze, with the next retransmission after a cut.
      const delayMs = cutMs === null ? HOP_MS : this.#random() * Math.max(200, cutMs)
      this.#at(nowMs + delayMs, () => edge.readInbox())
    }
  }

  #connect(edge: VirtualEdge): void {
    if (deadOf(edge)) return this.#after(RECONNECT_MS_MAX, () => this.#connect(edge))
    edge.isLinked = true
    edge.readInbox()
    const table = this.#steering?.table() ?? null
    if (table !== null) edge.deliver(table)
  }

  #publish(table: SteeringTable): void {
    for (const edge of this.#edges) {
      if (edge.isLinked) this.#after(HOP_MS, () => edge.deliver(table))
    }
    const open = table.pathways.filter(({ weight }) => weight > 0).map(({ id }) => Number(id.slice(1)))
    if (table.pathways.length > 0 && this.#sinceMs > 0) this.invariants.table(new Set(open), this.#sinceMs)
  }

  /** As the control room does in the moment of a change. */
  #onChange(): void {
    this.#steering?.refresh()
    for (const [at, edge] of this.#edges.entries()) {
      const record = this.#fleet.get(edge.id)
      const before = this.#states[at] ?? ''
      if (record === null || record.standing.state === before) continue
      this.#states[at] = record.standing.state
      if (this.#sinceMs <= 0) continue
      const { state } = record.standing
      this.invariants.change({
        atMs: this.#sinceMs,
        edge: at,
        from: before,
        to: state,
        reason: record.reason,
      })
    }
  }

  #turn(): void {
    this.#fleet.sweepSessions(this.#clock.monotonicMs())
    this.#steering?.refresh()
  }

  #lookFromControl(): void {
    for (const edge of this.#edges) {
      const startMs = this.#clock.monotonicMs()
      const { ms, report } = edge.answer(this.#random)
      this.#after(ms, () => {
        // As rounds do: the look that began later tells more of now.
        if ((this.#control.get(edge.id) ?? 0) > startMs) return
        this.#control.set(edge.id, startMs)
        const nowMs = this.#clock.monotonicMs()
        this.#fleet.probe('control', { ...report, agoMs: nowMs - startMs }, nowMs)
      })
    }
  }

  #lookAround(edge: VirtualEdge): void {
    if (edge.fault === 'freeze') return
    for (const target of this.#edges) {
      if (target === edge) continue
      const startMs = this.#clock.monotonicMs()
      const seen = edge.fault === 'cut' ? target.silence() : target.answer(this.#random)
      // An observer that is slow itself sees answers late, and some too late.
      const late = edge.fault === 'slow' && this.#random() < 0.03
      const { ms, report } = late ? target.silence() : seen
      const slowMs = edge.fault === 'slow' ? this.#random() * 500 : 0
      this.#after(ms + slowMs, () => edge.saw(target, { startMs, report }))
    }
  }

  /** A report that cannot leave waits in the connection; a frozen process makes none. */
  #report(edge: VirtualEdge): void {
    if (edge.fault === 'freeze' || !edge.isLinked) return
    const probes = edge.report()
    const sentMs = this.#clock.monotonicMs()
    const arrive = (): void => {
      if (edge.fault === 'cut') {
        // Retransmitted until it comes through or the connection is given up.
        if (this.#clock.monotonicMs() - sentMs < CHANNEL_SILENCE_MS) this.#after(1000, arrive)
        return
      }
      const nowMs = this.#clock.monotonicMs()
      for (const probe of probes) this.#fleet.probe(edge.id, probe, nowMs)
    }
    this.#after(HOP_MS, arrive)
    if (edge.fault !== 'cut') this.#tellSessions(edge)
  }

  #tellSessions(edge: VirtualEdge): void {
    const count = Math.floor(this.#random() * 4)
    const sessions = Array.from({ length: count }, () => {
      const sid = `s${Math.floor(this.#random() * 200)}`
      return { sid, title: 'sample', agoMs: 100, estimated: false, bytes: 1000, requests: 1 }
    })
    this.#fleet.sessions.report(edge.id, sessions, this.#clock.monotonicMs())
  }

  /** Agents live on when their server stands; a cut silences both. */
  #heartbeat(edge: VirtualEdge): void {
    const record = this.#fleet.get(edge.id)
    if (edge.fault === 'cut' || record === null) return
    const watched = edge.watched(this.#random)
    const now = { monotonicMs: this.#clock.monotonicMs(), fleetMs: 1_700_000_000_000 }
    this.#fleet.heartbeat(record, { type: 'heartbeat', sequence: 1, bootMs: 0, watched }, now)
  }

  #ask(): void {
    if (this.#sinceMs <= 0) return
    const { pathways = [] } = this.#steering?.table() ?? {}
    const chosen = choosePathway(pathways, null, this.#random())
    if (chosen !== null) this.#sent('/play of the control room', chosen.id, null)
    for (const edge of this.#edges) this.#askEdge(edge)
  }

  #askEdge(edge: VirtualEdge): void {
    if (deadOf(edge) || this.#sinceMs <= 0) return
    for (let n = 0; n < SESSIONS; n += 1) {
      const feeding = this.#edges[Math.floor(this.#random() * this.#edges.length)]?.id ?? null
      const session = `s${Math.floor(this.#random() * 200)}`
      const to = edge.steer(feeding, session)
      if (to !== null) this.#sent(`/steer of ${edge.id}, fed by ${feeding ?? 'nobody'},`, to, edge)
      this.#sent(`/play of ${edge.id}`, edge.play(session), edge)
    }
  }

  #sent(by: string, id: string, edge: VirtualEdge | null): void {
    const asked = edge === null ? null : Number(edge.id.slice(1))
    this.invariants.sent(by, Number(id.slice(1)), this.#sinceMs, asked)
  }
}

/** What the fleet of a schedule has to be enrolled as. */
export function enrolmentsOf(
  edges: number,
): { id: string; role: 'edge'; region: string; tokenSha256: string }[] {
  return Array.from({ length: edges }, (_, at) => ({
    id: `e${at}`,
    role: 'edge' as const,
    region: at % 2 === 0 ? 'eu' : 'us',
    tokenSha256: String(at).padStart(64, '0'),
  }))
}
