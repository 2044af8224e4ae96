// Owns a distribution of waiting times in bounded memory: an exact count below a second, coarser above. Pure.

/** Tenths of a ms up to a second, then tenths of a second up to a minute; longer ones are a minute. */
const FINE_MS = 1000
const FINE_STEP_MS = 0.1
const COARSE_STEP_MS = 100
const LONGEST_MS = 60_000

export interface LatencySummary {
  readonly count: number
  readonly medianMs: number
  readonly p99Ms: number
  readonly p999Ms: number
  readonly maxMs: number
}

export class Latencies {
  readonly #fine = new Uint32Array(FINE_MS / FINE_STEP_MS)
  readonly #coarse = new Uint32Array((LONGEST_MS - FINE_MS) / COARSE_STEP_MS + 1)
  #count = 0
  #maxMs = 0

  add(ms: number): void {
    const at = Math.max(0, ms)
    this.#count += 1
    this.#maxMs = Math.max(this.#maxMs, at)
    if (at < FINE_MS) {
      const cell = Math.min(this.#fine.length - 1, Math.floor(at / FINE_STEP_MS))
      this.#fine[cell] = (this.#fine[cell] ?? 0) + 1
      return
    }
    const cell = Math.min(this.#coarse.length - 1, Math.floor((at - FINE_MS) / COARSE_STEP_MS))
    this.#coarse[cell] = (this.#coarse[cell] ?? 0) + 1
  }

  /** Share of waits that took at most so long, to the step; 1 when there were none. */
  shareWithin(ms: number): number {
    let within = 0
    for (const [cell, count] of this.#fine.entries())
      if ((cell + 1) * FINE_STEP_MS <= ms + 1e-9) within += count
    for (const [cell, count] of this.#coarse.entries()) {
      if (FINE_MS + (cell + 1) * COARSE_STEP_MS <= ms) within += count
    }
    return this.#count === 0 ? 1 : within / this.#count
  }

  /** Upper edge of the step in which it lies, never above the longest; 0 when there were none. */
  quantileMs(share: number): number {
    const wanted = Math.ceil(share * this.#count)
    let seen = 0
    for (const [cell, count] of this.#fine.entries()) {
      seen += count
      if (count > 0 && seen >= wanted) return Math.min(this.#maxMs, (cell + 1) * FINE_STEP_MS)
    }
    for (const [cell, count] of this.#coarse.entries()) {
      seen += count
      if (count > 0 && seen >= wanted) return Math.min(this.#maxMs, FINE_MS + (cell + 1) * COARSE_STEP_MS)
    }
    return this.#maxMs
  }

  summary(): LatencySummary {
    return {
      count: this.#count,
      medianMs: this.quantileMs(0.5),
      p99Ms: this.quantileMs(0.99),
      p999Ms: this.quantileMs(0.999),
      maxMs: this.#maxMs,
    }
  }
}
