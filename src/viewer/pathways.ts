// Owns which edge a viewer uses: the order that steering gave, and what this viewer itself went through.
// An edge that failed it is left alone for a while, whatever steering says.

/** Long enough for the control room to notice, short enough to come back within one title. */
const PENALTY_MS = 30_000
/** More than any playlist lists. */
const PRIORITY_MAX = 1000

export class Pathways {
  readonly #known: readonly string[]
  readonly #failedUntilMs = new Map<string, number>()
  #priority: readonly string[]
  #current: string

  /** `known`: ids of the playlist, the entry first; at least one. */
  constructor(known: readonly string[]) {
    const [entry] = known
    if (entry === undefined) throw new TypeError('a playlist has at least one pathway')
    this.#known = known
    this.#priority = known
    this.#current = entry
  }

  get current(): string {
    return this.#current
  }

  /** What steering wants; unknown ids are ignored (section 7.2). True when that changes the edge. */
  steer(priority: readonly string[], nowMs: number): boolean {
    const known = priority.slice(0, PRIORITY_MAX).filter(id => this.#known.includes(id))
    if (known.length === 0) return false
    this.#priority = [...known, ...this.#known.filter(id => !known.includes(id))]
    return this.#choose(nowMs)
  }

  /** The current edge failed. False: no other is left to try. */
  failed(id: string, nowMs: number): boolean {
    this.#failedUntilMs.set(id, nowMs + PENALTY_MS)
    return this.#current !== id || this.#choose(nowMs)
  }

  #choose(nowMs: number): boolean {
    const next = this.#priority.find(id => nowMs >= (this.#failedUntilMs.get(id) ?? 0))
    if (next === undefined || next === this.#current) return false
    this.#current = next
    return true
  }
}
