// Owns the measure of how long the picture stood still after it had begun to move; seeks and pauses excluded.
// It takes samples of the playhead and never reads a clock or a video element itself.

/** Shorter stops are not visible, and the playhead is only sampled every 100 ms. */
export const STALL_MS_MIN = 250
/** Stalls that are remembered; older ones stay in the total. */
const STALLS_MAX = 200

export interface PlayheadSample {
  /** Monotonic ms. */
  readonly atMs: number
  readonly positionS: number
  /** Paused, seeking or ended: the picture is not asked to move. */
  readonly resting: boolean
}

export interface Stall {
  readonly startMs: number
  /** null while it lasts. */
  readonly endMs: number | null
}

export class StallClock {
  readonly #stalls: Stall[] = []
  #last: PlayheadSample | null = null
  #movedAtMs: number | null = null
  #begun = false
  #forgottenMs = 0
  #forgottenCount = 0

  /** Feeds one look at the playhead. */
  sample(sample: PlayheadSample): void {
    const last = this.#last
    this.#last = sample
    if (last === null || sample.resting || last.resting) {
      this.#end(sample.atMs)
      this.#movedAtMs = sample.atMs
      return
    }
    if (sample.positionS !== last.positionS) {
      this.#begun = true
      this.#end(sample.atMs)
      this.#movedAtMs = sample.atMs
      return
    }
    const stoodMs = sample.atMs - (this.#movedAtMs ?? sample.atMs)
    if (this.#begun && stoodMs >= STALL_MS_MIN && !this.stalled) {
      // The picture stood from the last move on, not from when we were sure of it.
      this.#stalls.push({ startMs: sample.atMs - stoodMs, endMs: null })
      this.#trim()
    }
  }

  get stalled(): boolean {
    const newest = this.#stalls.at(-1)
    return newest !== undefined && newest.endMs === null
  }

  /** How often it stopped since the start. */
  get count(): number {
    return this.#stalls.length + this.#forgottenCount
  }

  /** True once the first frame has moved. */
  get begun(): boolean {
    return this.#begun
  }

  /** Total time of stops, the present one included. */
  totalMs(nowMs: number): number {
    return this.#forgottenMs + this.stoppedBetweenMs(Number.NEGATIVE_INFINITY, nowMs)
  }

  /** The part of all stops that lies between two moments; a stop that lasts ends at the second. */
  stoppedBetweenMs(fromMs: number, toMs: number): number {
    let total = 0
    for (const stall of this.#stalls) {
      total += Math.max(0, Math.min(stall.endMs ?? toMs, toMs) - Math.max(stall.startMs, fromMs))
    }
    return total
  }

  #end(atMs: number): void {
    const newest = this.#stalls.at(-1)
    if (newest !== undefined && newest.endMs === null) {
      this.#stalls[this.#stalls.length - 1] = { startMs: newest.startMs, endMs: atMs }
    }
  }

  #trim(): void {
    while (this.#stalls.length > STALLS_MAX) {
      const oldest = this.#stalls.shift()
      if (oldest === undefined) return
      this.#forgottenMs += (oldest.endMs ?? oldest.startMs) - oldest.startMs
      this.#forgottenCount += 1
    }
  }
}
