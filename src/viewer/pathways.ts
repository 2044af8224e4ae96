// Owns which edge a viewer uses: the order that steering gave, and what this viewer itself went through.
// An edge that failed it is left alone for a while, whatever steering says.

/** More than any playlist lists. */
const PRIORITY_MAX = 1000

export class Pathways {
  readonly #penaltyMs: number
  #known: readonly string[]
  readonly #failedUntilMs = new Map<string, number>()
  #priority: readonly string[]
  #current: string

  /** `known`: ids of the playlist, the entry first; at least one. hls.js leaves an edge that failed alone for 300 s. */
  constructor(known: readonly string[], penaltyMs: number) {
    const [entry] = known
    if (entry === undefined) throw new TypeError('a playlist has at least one pathway')
    this.#known = known
    this.#penaltyMs = penaltyMs
    this.#priority = known
    this.#current = entry
  }

  get current(): string {
    return this.#current
  }

  /** The current one first, then as steering ranks them, then those that it did not name. */
  order(): readonly string[] {
    return [...new Set([this.#current, ...this.#priority, ...this.#known])]
  }

  /** Clones of pathways came with a steering answer. */
  learn(ids: readonly string[]): void {
    this.#known = [...new Set([...this.#known, ...ids])].slice(0, PRIORITY_MAX)
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
    this.#failedUntilMs.set(id, nowMs + this.#penaltyMs)
    return this.#current !== id || this.#choose(nowMs)
  }

  #choose(nowMs: number): boolean {
    const next = this.#priority.find(id => nowMs >= (this.#failedUntilMs.get(id) ?? 0))
    if (next === undefined || next === this.#current) return false
    this.#current = next
    return true
  }
}
