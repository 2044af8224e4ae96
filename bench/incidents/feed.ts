// Owns the load of the incidents bench: a thousand edges that each write their 120 series every second, spread over it.
// It refuses to skip a second: what is late is written late, and is told.
import { setTimeout as pause } from 'node:timers/promises'
import { compressBlock } from '#metrics'
import { GroupWriter } from '../metrics/bodies.ts'
import { type Target, writeTo } from '../metrics/targets.ts'
import { makeRandom } from '../metrics/workload.ts'

export const EDGES = 1000
const EDGES_A_REQUEST = 10
const LANES = 2
const GROUPS = EDGES / EDGES_A_REQUEST

export class Feed {
  readonly #target: Target
  readonly #writers: readonly GroupWriter[]
  readonly #random = makeRandom(5)
  #stopped = false
  #running: Promise<void> = Promise.resolve()
  /** Of the request that was latest to be answered, against when it was due. */
  lateMsMax = 0

  constructor(target: Target) {
    this.#target = target
    this.#writers = Array.from({ length: GROUPS }, (_, group) => {
      const first = group * EDGES_A_REQUEST
      return new GroupWriter(first, first + EDGES_A_REQUEST, {
        edges: EDGES,
        seconds: 1,
        samplesASeries: 1,
        edgesARequest: EDGES_A_REQUEST,
        startMs: 0,
        shuffled: false,
        jitterMs: 0,
        only: null,
      })
    })
  }

  /** The seconds before now, as fast as they are taken. */
  async prefill(seconds: number): Promise<void> {
    const endMs = Date.now()
    for (let second = seconds; second > 0; second -= 1)
      await this.#lanes(group => this.#write(group, endMs - second * 1000))
  }

  start(): void {
    this.#running = this.#run()
    // Thrown where it is stopped.
    this.#running.catch(() => undefined)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
  }

  async #run(): Promise<void> {
    const startedMs = performance.now()
    for (let second = 0; !this.#stopped; second += 1) {
      await this.#lanes(async group => {
        const dueMs = startedMs + second * 1000 + (group * 1000) / GROUPS
        if (performance.now() < dueMs) await pause(dueMs - performance.now())
        await this.#write(group, Date.now())
        this.lateMsMax = Math.max(this.lateMsMax, performance.now() - dueMs)
      })
    }
  }

  async #lanes(each: (group: number) => Promise<void>): Promise<void> {
    const lane = async (nth: number): Promise<void> => {
      for (let group = nth; group < GROUPS; group += LANES) await each(group)
    }
    await Promise.all(Array.from({ length: LANES }, (_, nth) => lane(nth)))
  }

  async #write(group: number, stampMs: number): Promise<void> {
    const body = this.#writers[group]?.body(0, this.#random, stampMs)
    if (body !== undefined) await writeTo(this.#target, compressBlock(body))
  }
}
