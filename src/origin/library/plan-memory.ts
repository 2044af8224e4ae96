// Owns the plans that are kept in memory: the ones used last, up to a limit in bytes. Concurrent requests for one
// share its making, and few are made at a time.
import type { TitlePlan } from '../packager/plan.ts'

/** A film of 2 h costs about 3 MB, one of 24 h about 40 MB. */
export const PLANS_BYTES_MAX: number = 256 * 1024 * 1024
/** Plans made at a time: each reads an index of up to 160 MB. */
const MAKING_MAX = 2

export class PlanMemory {
  /** In order of use, the oldest first. */
  readonly #plans = new Map<string, TitlePlan>()
  readonly #making = new Map<string, Promise<TitlePlan>>()
  readonly #waiting: (() => void)[] = []
  readonly #bytesMax: number
  #bytes = 0
  #running = 0

  constructor(bytesMax: number = PLANS_BYTES_MAX) {
    this.#bytesMax = bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  put(key: string, plan: TitlePlan): void {
    this.#remove(key)
    this.#plans.set(key, plan)
    this.#bytes += plan.memoryBytes
    for (const oldest of this.#plans.keys()) {
      // The one that was just used stays, however large it is.
      if (this.#bytes <= this.#bytesMax || oldest === key) break
      this.#remove(oldest)
    }
  }

  /** The plan from memory, or made by `make`. */
  get(key: string, make: () => Promise<TitlePlan>): Promise<TitlePlan> {
    const plan = this.#plans.get(key)
    if (plan !== undefined) {
      this.#plans.delete(key)
      this.#plans.set(key, plan)
      return Promise.resolve(plan)
    }
    const making = this.#making.get(key) ?? this.#make(key, make)
    this.#making.set(key, making)
    return making
  }

  async #make(key: string, make: () => Promise<TitlePlan>): Promise<TitlePlan> {
    if (this.#running >= MAKING_MAX) await new Promise<void>(resolve => this.#waiting.push(resolve))
    else this.#running += 1
    try {
      const plan = await make()
      this.put(key, plan)
      return plan
    } finally {
      this.#making.delete(key)
      const next = this.#waiting.shift()
      // A waiting one takes the place over, so the number of those running stays.
      if (next === undefined) this.#running -= 1
      else next()
    }
  }

  #remove(key: string): void {
    const plan = this.#plans.get(key)
    if (plan === undefined) return
    this.#plans.delete(key)
    this.#bytes -= plan.memoryBytes
  }
}
