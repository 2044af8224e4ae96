// Owns how much one sender may say: a bucket that fills steadily, for each address and each session. It keeps a bounded
// number of buckets; whoever is forgotten begins with a full one.

const BUCKETS_MAX = 50_000

export interface Rate {
  readonly perSecond: number
  /** Taken at once after a silence: what collected while an edge was away. */
  readonly burst: number
}

interface Bucket {
  tokens: number
  atMs: number
}

export class Rates {
  readonly #rate: Rate
  readonly #buckets = new Map<string, Bucket>()

  constructor(rate: Rate) {
    this.#rate = rate
  }

  get size(): number {
    return this.#buckets.size
  }

  /** Takes one; false: too many. `nowMs` is monotonic. */
  take(key: string, nowMs: number): boolean {
    const { perSecond, burst } = this.#rate
    const bucket = this.#buckets.get(key)
    if (bucket === undefined) {
      if (this.#buckets.size >= BUCKETS_MAX) this.#forget()
      this.#buckets.set(key, { tokens: burst - 1, atMs: nowMs })
      return true
    }
    bucket.tokens = Math.min(burst, bucket.tokens + ((nowMs - bucket.atMs) / 1000) * perSecond)
    bucket.atMs = nowMs
    if (bucket.tokens < 1) return false
    bucket.tokens -= 1
    return true
  }

  /** The oldest half: one pass for many. */
  #forget(): void {
    let left = BUCKETS_MAX / 2
    for (const key of this.#buckets.keys()) {
      if (left === 0) return
      left -= 1
      this.#buckets.delete(key)
    }
  }
}
