// Owns what one observer met when it played from a server: the last look, failures in a row, and the last that went well.

/** One look at a stream. `atMs` is the control room's monotonic clock. */
export interface PlayLook {
  readonly atMs: number
  readonly title: string
  readonly ok: boolean
  /** What was wrong, in words; null: nothing. */
  readonly problem: string | null
  readonly startMs: number | null
  readonly speedRatio: number | null
}

export class PlayLog {
  #last: PlayLook | null = null
  #failures = 0
  #okAtMs: number | null = null
  #speedRatio: number | null = null

  add(look: PlayLook): void {
    if (this.#last !== null && look.atMs < this.#last.atMs) return
    this.#last = look
    this.#failures = look.ok ? 0 : this.#failures + 1
    if (look.ok) this.#okAtMs = look.atMs
    this.#speedRatio = look.speedRatio ?? this.#speedRatio
  }

  last(): PlayLook | null {
    return this.#last
  }

  /** In a row. */
  failures(): number {
    return this.#failures
  }

  okAtMs(): number | null {
    return this.#okAtMs
  }

  /** Of the last whole segment. */
  speedRatio(): number | null {
    return this.#speedRatio
  }
}
