// Owns the rules by which a player leaves an edge and finds another: pure decisions, no network, no timers.
// It refuses to move in circles: when every pathway failed a moment ago, it waits instead.

/** An edge that failed is avoided for this long: the fleet's own table needs 5 s and one TTL to know it too. */
const AVOID_FIRST_MS = 15_000
/** Repeated failures double the time up to this. */
const AVOID_MAX_MS = 60_000
/** An edge that behaved for this long after its last failure starts at AVOID_FIRST_MS again. */
const FORGET_AFTER_MS = 180_000
/** DESIGN, Steering: on a fatal network error the player reloads up to 5 times. */
export const RELOADS_MAX = 5
const RELOAD_DELAY_FIRST_MS = 250
const RELOAD_DELAY_MAX_MS = 4_000
/** With this much picture left, loading is restarted in place: a reload would throw the buffer away. */
const BUFFER_WORTH_KEEPING_S = 4

interface Failure {
  readonly atMs: number
  readonly avoidMs: number
}

/** What this player has seen of each edge. Times are monotonic ms. */
export class EdgeMemory {
  readonly #failures = new Map<string, Failure>()

  /** Notes that a fragment or playlist of `edge` timed out, answered 5xx, or did not connect. */
  failed(edge: string, nowMs: number): void {
    const before = this.#failures.get(edge)
    const again = before !== undefined && nowMs - before.atMs < FORGET_AFTER_MS
    const avoidMs =
      again && !this.avoided(edge, nowMs) ? Math.min(before.avoidMs * 2, AVOID_MAX_MS) : undefined
    this.#failures.set(edge, { atMs: nowMs, avoidMs: avoidMs ?? (again ? before.avoidMs : AVOID_FIRST_MS) })
  }

  avoided(edge: string, nowMs: number): boolean {
    const failure = this.#failures.get(edge)
    return failure !== undefined && nowMs - failure.atMs < failure.avoidMs
  }

  /** The same edges: those that did not fail lately keep their order, then the others, longest ago first. */
  order(edges: readonly string[], nowMs: number): string[] {
    const good = edges.filter(edge => !this.avoided(edge, nowMs))
    const bad = edges.filter(edge => this.avoided(edge, nowMs))
    bad.sort((a, b) => (this.#failures.get(a)?.atMs ?? 0) - (this.#failures.get(b)?.atMs ?? 0))
    return [...good, ...bad]
  }

  /** Where to go from `current`; null when every other pathway failed a moment ago. */
  next(current: string, edges: readonly string[], nowMs: number): string | null {
    return this.order(edges, nowMs).find(edge => edge !== current && !this.avoided(edge, nowMs)) ?? null
  }
}

export interface LoadFailure {
  /** HTTP status, 0 or undefined without an answer. */
  readonly status: number | undefined
  readonly timedOut: boolean
}

/** True when the edge is to blame: no answer in time, no connection, or 5xx. A 404 is the same everywhere. */
export function blamesEdge(failure: LoadFailure): boolean {
  if (failure.timedOut) return true
  const status = failure.status ?? 0
  return status === 0 || status >= 500
}

export type Recovery =
  | { readonly kind: 'restart'; readonly delayMs: number }
  | { readonly kind: 'reload'; readonly delayMs: number; readonly edge: string | null }
  | { readonly kind: 'give-up' }

/** Restarts in place; the buffer is gone long before, unless the viewer paused. */
const RESTARTS_MAX = 10
const RESTART_DELAY_MS = 1_000

export interface RecoveryFacts {
  /** Reloads since the last fragment that arrived. */
  readonly attempt: number
  /** Restarts in place since then. */
  readonly restarts: number
  readonly bufferedAheadS: number
  /** A multivariant playlist was read, so its pathways can be used again. */
  readonly hasPathways: boolean
  /** The edge that was asked last, where known. */
  readonly lastEdge: string | null
  /** All edges of the table, best first. */
  readonly edges: readonly string[]
}

/** What to do after a fatal network error. */
export function recover(facts: RecoveryFacts, memory: EdgeMemory, nowMs: number): Recovery {
  if (facts.hasPathways && facts.bufferedAheadS > BUFFER_WORTH_KEEPING_S && facts.restarts < RESTARTS_MAX) {
    return { kind: 'restart', delayMs: RESTART_DELAY_MS }
  }
  if (facts.attempt >= RELOADS_MAX) return { kind: 'give-up' }
  const delayMs =
    facts.attempt === 0 ? 0 : Math.min(RELOAD_DELAY_FIRST_MS * 2 ** facts.attempt, RELOAD_DELAY_MAX_MS)
  const others = facts.edges.filter(edge => edge !== facts.lastEdge)
  // Each failure puts its edge to the end, so that the attempts go round the table.
  return { kind: 'reload', delayMs, edge: memory.order(others, nowMs)[0] ?? null }
}
