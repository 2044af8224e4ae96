// Owns which other edges this one looks at: those of the control room's plan; before there is one, its first peers.
// One failed look condemns nobody.
import type { Clock, Log } from '#base'
import { ProbeRounds, type ProbeTarget } from '#probe'
import type { ProbePlan, ProbeReport } from '#wire'

/** Without a plan: as many as a full mesh has. */
const PEERS_MAX = 20
/** Failures in a row before a peer counts as unreachable: two looks, two seconds. */
const FAILURES_MIN = 2

function pathOf(stream: string | null): string | undefined {
  if (stream === null || !URL.canParse(stream)) return undefined
  const { pathname, search } = new URL(stream)
  return `${pathname}${search}`
}

/** Five looks. Who has reached nobody for so long is cut off, or stood still and has just gone on. */
const BLIND_MS = 5000

export class Probes {
  readonly #rounds: ProbeRounds
  #plan: ProbePlan | null = null

  constructor(clock: Clock, log: Log) {
    this.#rounds = new ProbeRounds({ clock, log })
  }

  unreachable = (): ReadonlySet<string> => this.#rounds.silent(FAILURES_MIN, BLIND_MS)

  /** Its own looks say nothing about others. */
  blind = (): boolean => this.#rounds.unansweredMs() > BLIND_MS

  setPlan(plan: ProbePlan): void {
    this.#plan = plan
  }

  /** Starts one look at each; `peers` stand in while there is no plan. */
  look(peers: readonly ProbeTarget[]): void {
    const planned = this.#plan?.targets.map(({ id, url, stream }) => ({ id, url, path: pathOf(stream) }))
    this.#rounds.look(planned ?? peers.slice(0, PEERS_MAX))
  }

  report(): ProbeReport[] {
    return this.#rounds.report()
  }

  close(): Promise<void> {
    return this.#rounds.close()
  }
}
