// Owns the buffer of a player without a picture: when it runs empty, that is a stall. Pure; times are monotonic ms.

/** Shorter gaps are not seen by anybody: three frames at 25 fps. */
const STALL_MS_MIN = 120

export class PlayClock {
  stalls = 0
  stalledMs = 0
  /** When the buffer runs empty; null: nothing has arrived yet. */
  #emptyAtMs: number | null = null

  /** `seconds` of media have arrived. Gives the length of the stall that this ended, in ms; 0: none. */
  add(nowMs: number, seconds: number): number {
    const emptyAtMs = this.#emptyAtMs ?? nowMs
    const lateMs = nowMs - emptyAtMs
    this.#emptyAtMs = Math.max(nowMs, emptyAtMs) + seconds * 1000
    if (lateMs < STALL_MS_MIN) return 0
    this.stalls += 1
    this.stalledMs += lateMs
    return lateMs
  }

  bufferedS(nowMs: number): number {
    return Math.max(0, ((this.#emptyAtMs ?? nowMs) - nowMs) / 1000)
  }

  started(): boolean {
    return this.#emptyAtMs !== null
  }

  /** How long the present stall lasts, ms; 0: it plays, or has not begun. */
  stallMs(nowMs: number): number {
    const lateMs = nowMs - (this.#emptyAtMs ?? nowMs)
    return lateMs < STALL_MS_MIN ? 0 : lateMs
  }
}

/**
 * With how many seconds left the next segment is asked for: when it fits. A buffer that is hardly longer than a segment
 * would have room only when it is empty, and each segment would be a stall of the player's own making: then it asks when
 * half of it, or of a segment, is left.
 */
export function roomFor(segmentS: number, bufferS: number): number {
  return Math.max(bufferS - segmentS, Math.min(bufferS, segmentS) / 2)
}
