// Owns one edge in virtual time: what it answers under a fault, what it saw of others, and whom it sends viewers to.
// The choice is made by the edge's own code; only what it would see is imagined.
import type { FakeClock } from '#base'
import type { Heartbeat, ProbeReport, SteeringTable } from '#wire'
import { steeringAnswer } from '../../src/edge/steering/answer.ts'
import { chooseEntry } from '../../src/edge/steering/choose-entry.ts'
import { FleetView } from '../../src/edge/steering/fleet-view.ts'
import type { FaultKind } from './schedule.ts'

const TIMEOUT_MS = 1000
/** Failures in a row before an edge takes a peer for unreachable (edge/steering/probes). */
const FAILURES_MIN = 2
/** Nothing from the control room for so long (link), no answer from anybody (edge/steering/probes). */
const HEARD_MS_MAX = 6000
const BLIND_MS = 5000

export interface Look {
  readonly startMs: number
  readonly report: Omit<ProbeReport, 'agoMs'>
}
interface Seen {
  readonly ms: number
  readonly report: Omit<ProbeReport, 'agoMs'>
}

export class VirtualEdge {
  readonly id: string
  readonly url: string
  readonly inbox: SteeringTable[] = []
  readonly #clock: FakeClock
  readonly #view: FleetView
  readonly #seen = new Map<string, Look & { readonly failures: number; readonly answeredMs: number }>()
  /** Looks that ended while the process stood; their time-outs fire when it goes on. */
  #held: [VirtualEdge, Look][] = []
  fault: FaultKind | null = null
  wasFrozen = false
  isLinked = false
  #faultFromMs = 0
  #heardMs = 0
  /** From the end of a fault to the moment in which the channel goes on. */
  #isWaiting = false
  #answeredMs = 0

  constructor(at: number, clock: FakeClock) {
    this.id = `e${at}`
    this.url = `http://e${at}.example`
    this.#clock = clock
    this.#view = new FleetView({
      self: { id: this.id, region: at % 2 === 0 ? 'eu' : 'us', url: this.url, weight: 1 },
      clock,
      connected: () => this.isLinked && clock.monotonicMs() - this.#heardMs <= HEARD_MS_MAX,
      unreachable: () => this.#unreachable(),
      blind: () => clock.monotonicMs() - this.#answeredMs > BLIND_MS,
    })
  }

  begin(kind: FaultKind): void {
    this.fault = kind
    this.#isWaiting ||= deadOf(this)
    this.#faultFromMs = this.#clock.monotonicMs()
  }

  /** How long it was cut; null: it was not. */
  end(): number | null {
    const { fault } = this
    this.fault = null
    this.wasFrozen = fault === 'freeze'
    for (const [target, look] of this.#held) this.saw(target, { ...look, report: target.silence().report })
    this.#held = []
    return fault === 'cut' ? this.#clock.monotonicMs() - this.#faultFromMs : null
  }

  /** As `GET /healthz` from elsewhere would go now. */
  answer(random: () => number): Seen {
    if (this.fault === 'cut') return this.silence()
    if (this.fault === 'freeze') return this.#late(1)
    if (this.fault === 'slow' && random() < 0.03) return this.#late(1)
    const httpMs = this.fault === 'slow' ? 80 + random() * 800 : 1 + random() * 8
    const report = { target: this.id, connectMs: 1, httpMs, httpStatus: 200, error: null }
    return { ms: httpMs, report }
  }

  silence(): Seen {
    return this.#late(null)
  }

  #late(connectMs: number | null): Seen {
    const report = { target: this.id, connectMs, httpMs: null, httpStatus: null, error: 'no answer in 1 s' }
    return { ms: TIMEOUT_MS, report }
  }

  saw(target: VirtualEdge, look: Look): void {
    if (this.fault === 'freeze') {
      this.#held.push([target, look])
      return
    }
    const known = this.#seen.get(target.id)
    if (known !== undefined && known.startMs > look.startMs) return
    if (look.report.error === null) this.#answeredMs = Math.max(this.#answeredMs, look.startMs)
    const failures = look.report.error === null ? 0 : (known?.failures ?? 0) + 1
    const answeredMs = failures === 0 ? look.startMs : (known?.answeredMs ?? look.startMs)
    this.#seen.set(target.id, { ...look, failures, answeredMs })
  }

  report(): ProbeReport[] {
    const nowMs = this.#clock.monotonicMs()
    return [...this.#seen.values()].map(({ report, startMs }) => ({ ...report, agoMs: nowMs - startMs }))
  }

  watched(random: () => number): NonNullable<Heartbeat['watched']> {
    if (this.fault === 'freeze') return { pid: 7, state: 'T', httpOk: false, httpMs: null }
    if (this.fault !== 'slow') return { pid: 7, state: 'S', httpOk: true, httpMs: 1 }
    return { pid: 7, state: random() < 0.88 ? 'T' : 'R', httpOk: true, httpMs: 80 + random() * 800 }
  }

  deliver(table: SteeringTable): void {
    if (deadOf(this) || this.#isWaiting) this.inbox.push(table)
    else this.#take(table)
  }

  /** The exchange of times, each two seconds. */
  hear(): void {
    if (!deadOf(this) && this.isLinked && !this.#isWaiting) this.#heardMs = this.#clock.monotonicMs()
  }

  #take(table: SteeringTable): void {
    this.#heardMs = this.#clock.monotonicMs()
    this.#view.setTable(table, false)
  }

  readInbox(): void {
    if (deadOf(this)) return
    this.#isWaiting = false
    for (const table of this.inbox.splice(0)) this.#take(table)
  }

  /** Who comes first for a viewer; null: it does not say. */
  steer(feeding: string | null, session: string): string | null {
    const edges = this.#view.forSteering()
    if (edges === null) return null
    return (
      steeringAnswer(edges, { pathway: feeding, session, region: null }, this.#view.ttlS)[
        'PATHWAY-PRIORITY'
      ][0] ?? null
    )
  }

  play(session: string): string {
    return chooseEntry(this.#view.forEntry(), null, { session, region: null }, this.#view.self()).id
  }

  #unreachable(): ReadonlySet<string> {
    const nowMs = this.#clock.monotonicMs()
    const silent = [...this.#seen].filter(
      ([, { failures, answeredMs }]) => failures >= FAILURES_MIN || nowMs - answeredMs > BLIND_MS,
    )
    return new Set(silent.map(([id]) => id))
  }
}

export function deadOf({ fault }: VirtualEdge): boolean {
  return fault === 'freeze' || fault === 'cut'
}
