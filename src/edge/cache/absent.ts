// Owns the memory of what the origin does not have, so that a flood for nothing does not reach it.

/** A moment: a title that was just published must not stay hidden. */
const ABSENT_MS = 1000
const ABSENT_MAX = 10_000

/** Keys that the origin answered 404 for a moment ago. */
export class AbsentKeys {
  readonly #until = new Map<string, number>()

  add(key: string, nowMs: number): void {
    this.#until.delete(key)
    if (this.#until.size >= ABSENT_MAX) {
      const oldest = this.#until.keys().next()
      if (oldest.done !== true) this.#until.delete(oldest.value)
    }
    this.#until.set(key, nowMs + ABSENT_MS)
  }

  has(key: string, nowMs: number): boolean {
    const untilMs = this.#until.get(key)
    if (untilMs === undefined) return false
    if (nowMs < untilMs) return true
    this.#until.delete(key)
    return false
  }
}
