// Owns fleet time in the browser: what the control room said it is, carried on by the monotonic clock.
// The browser's own opinion of the time is never asked.

/** Answers travel: of the last few, the one that travelled least is believed. */
const SAMPLES_MAX = 20
/** A difference beyond this is a change of the fleet's time, not a slow answer. */
const JUMP_MS = 5_000

export class FleetClock {
  #offsets: number[] = []

  /** `fleetMs` as an answer told it; `monotonicMs` when the answer had come. */
  told(fleetMs: number, monotonicMs: number): void {
    const offset = fleetMs - monotonicMs
    const present = this.#offset()
    if (present !== null && Math.abs(offset - present) > JUMP_MS) this.#offsets = []
    this.#offsets.push(offset)
    if (this.#offsets.length > SAMPLES_MAX) this.#offsets.shift()
  }

  /** Fleet time in ms, null before the first answer. */
  at(monotonicMs: number): number | null {
    const offset = this.#offset()
    return offset === null ? null : offset + monotonicMs
  }

  /** An answer that was delayed makes the fleet look younger, never older: the largest offset is the nearest. */
  #offset(): number | null {
    return this.#offsets.length === 0 ? null : Math.max(...this.#offsets)
  }
}
