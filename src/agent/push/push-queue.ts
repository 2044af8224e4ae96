// Owns the passes that wait for the control room: bounded by time and by bytes, the oldest dropped and counted.
import type { Pass } from './pass.ts'

export interface PushQueueLimits {
  readonly passesMax: number
  readonly bytesMax: number
}

/** Ten minutes at one pass a second; 64 MB is far above what they need, and far below what a server can spare. */
export const PUSH_QUEUE_LIMITS: PushQueueLimits = { passesMax: 600, bytesMax: 64 * 1024 * 1024 }

const BYTES_PER_VALUE = 16 // a float64, and the pointer to its labels

export class PushQueue {
  readonly #limits: PushQueueLimits
  #passes: Pass[] = []
  #bytes = 0
  #dropped = 0

  constructor(limits: PushQueueLimits = PUSH_QUEUE_LIMITS) {
    this.#limits = limits
  }

  add(pass: Pass): void {
    this.#passes.push(pass)
    this.#bytes += bytesOf(pass)
    const { passesMax, bytesMax } = this.#limits
    while (this.#passes.length > passesMax || (this.#bytes > bytesMax && this.#passes.length > 1)) {
      this.#dropped += this.#take(1)
    }
  }

  /** The oldest passes, in order, at most `valuesMax` values of them but at least one pass; they stay in the queue. */
  oldest(valuesMax: number): readonly Pass[] {
    let values = 0
    let count = 0
    for (const pass of this.#passes) {
      values += pass.values.length
      if (count > 0 && values > valuesMax) break
      count += 1
    }
    return this.#passes.slice(0, count)
  }

  /** Takes out passes that `oldest` gave, when they were delivered or refused for good. */
  remove(passes: readonly Pass[]): void {
    const gone = new Set(passes)
    this.#passes = this.#passes.filter(pass => !gone.has(pass))
    this.#bytes = this.#passes.reduce((sum, pass) => sum + bytesOf(pass), 0)
  }

  get length(): number {
    return this.#passes.length
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Values that were dropped because the queue was full. */
  get dropped(): number {
    return this.#dropped
  }

  #take(count: number): number {
    const taken = this.#passes.splice(0, count)
    const values = taken.reduce((sum, pass) => sum + pass.values.length, 0)
    this.#bytes -= taken.reduce((sum, pass) => sum + bytesOf(pass), 0)
    return values
  }
}

function bytesOf(pass: Pass): number {
  return pass.values.length * BYTES_PER_VALUE
}
