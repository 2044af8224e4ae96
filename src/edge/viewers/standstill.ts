// Owns knowing when this process stood still: stopped, starved, or busy with one thing. What it says of its own first
// bytes is blind to that, because a request that lies in the kernel has not come yet.

/** A turn that comes this late was held up. */
const LATE_MS = 100
/** Requests that are read so soon after it had waited for it. */
const AFTER_MS = 100
const KEPT_MAX = 8

interface Stand {
  readonly endMs: number
  readonly ms: number
}

export class Standstill {
  readonly #periodMs: number
  #turnMs: number
  #stands: readonly Stand[] = []

  constructor(periodMs: number, nowMs: number) {
    this.#periodMs = periodMs
    this.#turnMs = nowMs
  }

  /** Its timer ran. */
  turn(nowMs: number): void {
    const ms = nowMs - this.#turnMs - this.#periodMs
    this.#turnMs = nowMs
    if (ms >= LATE_MS) this.#stands = [...this.#stands, { endMs: nowMs, ms }].slice(-KEPT_MAX)
  }

  /** Whether it stood still for at least `ms` within the last `withinMs`. */
  isLately(nowMs: number, withinMs: number, ms: number): boolean {
    return this.#stands.some(stand => stand.ms >= ms && nowMs - stand.endMs <= withinMs)
  }

  /** For how long it stood still while this request waited or was answered; at most, since nobody saw it come. */
  heldMs(startMs: number, endMs: number): number {
    let held = 0
    for (const stand of this.#stands) {
      if (startMs <= stand.endMs + AFTER_MS && endMs >= stand.endMs - AFTER_MS)
        held = Math.max(held, stand.ms)
    }
    return held
  }
}
