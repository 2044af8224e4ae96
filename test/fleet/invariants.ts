// Owns what must hold while edges fall ill and come back, in virtual time and with real processes alike.
// A break carries the seed and the few events around it, so that it can be read without a log.
import { type FaultSpan, inWords, type Schedule } from './schedule.ts'

/** Nobody is sent to an edge that has been dead for longer. */
export const DEAD_MS_MAX = 10_000
/** The shorter of the two holds of hysteresis (control/health/settle). */
export const WINDOW_MS = 5000
/** What happened to an edge so long before a change may be its cause: ten looks, one a second. */
const CAUSE_MS = 12_000
/** An edge that came back is trusted after its hold and the looks before it; until then it need not get anybody. */
/** The promise: unreachable within 5 s. */
const NOTICED_MS = 5000
const BACK_MS = 15_000
const TIMELINE_MAX = 14

export interface SeenChange {
  readonly atMs: number
  readonly edge: number
  readonly from: string
  readonly to: string
  readonly reason: string
}

const badness: Readonly<Record<string, number>> = { healthy: 0, degraded: 1, unreachable: 2 }

function isBetter({ from, to }: SeenChange): boolean {
  return (badness[to] ?? 0) < (badness[from] ?? 0)
}

export class Invariants {
  readonly #schedule: Schedule
  readonly #changes: SeenChange[] = []
  readonly breaks: string[] = []
  /** Answers that were checked, for the report. */
  answers = 0

  constructor(schedule: Schedule) {
    this.#schedule = schedule
  }

  get changes(): readonly SeenChange[] {
    return this.#changes
  }

  /** Null while it lives; slow is not dead. */
  deadForMs(edge: number, atMs: number): number | null {
    const span = this.#spans(edge).find(
      ({ kind, fromMs, toMs }) => kind !== 'slow' && fromMs <= atMs && atMs < toMs,
    )
    return span === undefined ? null : atMs - span.fromMs
  }

  /** An answer that sends somebody to `edge`. */
  sent(by: string, edge: number, atMs: number, asked: number | null): void {
    this.answers += 1
    const deadMs = this.deadForMs(edge, atMs)
    if (deadMs === null || deadMs <= DEAD_MS_MAX) return
    // Where all are dead there is nowhere else.
    if (!this.#settled(atMs)) return
    const about = asked === null ? [edge] : [edge, asked]
    this.#break(`${by} sends to e${edge}, dead for ${(deadMs / 1000).toFixed(1)} s`, atMs, about)
  }

  /** A table: who takes new viewers. */
  table(open: ReadonlySet<number>, atMs: number): void {
    if (open.size === 0) this.#break('the table takes no viewers at all', atMs, null)
    const working = this.#working(atMs)
    // An edge that has just died takes them until it is noticed.
    const noticed = [...open].every(edge => (this.deadForMs(edge, atMs) ?? 0) > NOTICED_MS)
    if (!this.#settled(atMs) || !noticed) return
    this.#break(
      `none of those that work takes viewers (${working.map(edge => `e${edge}`).join(', ')})`,
      atMs,
      null,
    )
  }

  change(change: SeenChange): void {
    const before = this.#changes.findLast(({ edge }) => edge === change.edge)
    this.#changes.push(change)
    if (before === undefined || change.atMs - before.atMs >= WINDOW_MS) return
    // Two things that happened to it may change its state twice.
    const causes = this.#spans(change.edge)
      .flatMap(({ fromMs, toMs }) => [fromMs, toMs])
      .filter(ms => ms >= before.atMs - CAUSE_MS && ms <= change.atMs)
    if (causes.length >= 2) return
    // Nor can anybody know, in the moment in which its hold ends, that it has just fallen ill again.
    const began = this.#spans(change.edge).some(
      ({ fromMs }) => fromMs > before.atMs - NOTICED_MS && fromMs <= change.atMs,
    )
    if (began && isBetter(before)) return
    const apartS = ((change.atMs - before.atMs) / 1000).toFixed(1)
    this.#break(`e${change.edge} changed twice within ${apartS} s`, change.atMs, [change.edge])
  }

  /** After the calm: everybody serves again. */
  end(states: readonly string[], atMs: number): void {
    for (const [edge, state] of states.entries()) {
      if (state !== 'healthy') this.#break(`e${edge} is ${state} long after the last fault`, atMs, [edge])
    }
  }

  #spans(edge: number): FaultSpan[] {
    return this.#schedule.spans.filter(span => span.edge === edge)
  }

  #working(atMs: number): number[] {
    const all = Array.from({ length: this.#schedule.edges }, (_, edge) => edge)
    return all.filter(edge => this.deadForMs(edge, atMs) === null)
  }

  /** At least one has worked for so long that the fleet must know it. */
  #settled(atMs: number): boolean {
    return this.#working(atMs).some(
      edge =>
        !this.#spans(edge).some(({ kind, toMs }) => kind !== 'slow' && toMs <= atMs && toMs > atMs - BACK_MS),
    )
  }

  /** `about`: whose story is told; null: everybody's. */
  #break(what: string, atMs: number, about: readonly number[] | null): void {
    const isAbout = ({ edge }: { readonly edge: number }): boolean => about === null || about.includes(edge)
    const { seed } = this.#schedule
    const near = this.#schedule.spans
      .filter(span => isAbout(span) && span.fromMs <= atMs && span.toMs > atMs - 30_000)
      .map(span => ({ ms: span.fromMs, text: inWords(span) }))
    const changes = this.#changes
      .filter(change => isAbout(change) && change.atMs > atMs - 30_000)
      .map(({ atMs: ms, edge: at, from, to, reason }) => ({
        ms,
        text: `${(ms / 1000).toFixed(2)} s: e${at} ${from} -> ${to} (${reason})`,
      }))
    const lines = [...near, ...changes].toSorted((a, b) => a.ms - b.ms).slice(-TIMELINE_MAX)
    const head = `seed ${seed}, ${(atMs / 1000).toFixed(2)} s: ${what}`
    this.breaks.push([head, ...lines.map(({ text }) => `    ${text}`)].join('\n'))
  }
}
