// Owns an edge's own part of its admission: one order at a time, step by step, told to the control room as it goes.
// It refuses a second order while one runs, and to measure the disk while viewers are served.
import { type Clock, type FleetTime, type Log, messageOf } from '#base'
import {
  type CheckOrder,
  type CheckReport,
  isCheckOver,
  type SelfStep,
  type SelfStepName,
  selfSteps,
} from '#wire'
import type { ObjectCache } from '../cache/object-cache.ts'
import type { OriginClient } from '../upstream/origin-client.ts'
import { measureDisk, removeLeftover } from './disk-speed.ts'
import { measureOrigin } from './origin-speed.ts'
import { warmCache } from './warm-cache.ts'

const PROBLEM_CHARACTERS_MAX = 256

export interface SelfCheckOptions {
  readonly cache: ObjectCache
  readonly origin: OriginClient
  /** On the disk of the cache. */
  readonly folder: string
  readonly watching: () => number
  /** Null: no link yet. */
  readonly fleetTime: () => FleetTime | null
  readonly send: (report: CheckReport) => void
  readonly clock: Clock
  readonly log: Log
}

type Outcome = Omit<SelfStep, 'step'>

export class SelfCheck {
  readonly #options: SelfCheckOptions
  #run: string | null = null
  #steps: SelfStep[] = []
  #running: Promise<void> | null = null
  #changed = false
  #closed = false

  constructor(options: SelfCheckOptions) {
    this.#options = options
    void removeLeftover(options.folder).catch(() => undefined) // the next measurement says what is wrong there
  }

  order(order: CheckOrder): void {
    if (this.#closed) return
    if (this.#running !== null || order.run === this.#run) {
      this.#options.send(this.#report(order.run !== this.#run))
      return
    }
    this.#run = order.run
    this.#steps = selfSteps.map(step => ({ step, state: 'pending', problem: null }))
    this.#running = this.#walk(order)
      .catch((error: unknown) => this.#options.log.error('self-check-broken', { error }))
      .then(() => {
        this.#running = null
        this.tell()
      })
    this.tell()
  }

  /** After each welcome: a control room that was away, or is another one by now, learns where it stands. */
  tell(): void {
    this.#changed = false
    this.#options.send(this.#report(false))
  }

  /** Each second: progress, if there was any. */
  turn(): void {
    if (this.#changed) this.tell()
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#running
  }

  #report(isBusy: boolean): CheckReport {
    const isOver = this.#running === null && this.#steps.every(({ state }) => isCheckOver(state))
    const state = this.#run === null ? 'idle' : isOver ? 'ended' : isBusy ? 'busy' : 'running'
    return { type: 'check-report', run: this.#run, state, steps: this.#steps }
  }

  async #walk(order: CheckOrder): Promise<void> {
    await this.#step('clock', () => Promise.resolve(this.#clock()))
    await this.#step('disk', () => this.#disk(order.disk))
    await this.#step('origin', () => this.#origin(order.origin))
    await this.#step('warm', () => this.#warm(order.warm))
  }

  async #step(step: SelfStepName, measure: () => Promise<Outcome>): Promise<void> {
    this.#set(step, { state: 'running', problem: null })
    this.tell()
    try {
      this.#set(step, this.#closed ? skipped('the edge is stopping') : await measure())
    } catch (error) {
      const before = this.#steps.find(one => one.step === step)
      const problem = messageOf(error).slice(0, PROBLEM_CHARACTERS_MAX)
      this.#set(step, { ...before, state: 'failed', problem })
    }
    this.tell()
  }

  #set(step: SelfStepName, outcome: Outcome): void {
    this.#steps = this.#steps.map(one => (one.step === step ? { ...outcome, step } : one))
    this.#changed = true
  }

  #clock(): Outcome {
    const fleetTime = this.#options.fleetTime()
    if (fleetTime?.known() !== true) return skipped('fleet time is not known to the edge yet')
    const offsetMs = this.#options.clock.wallMs() - fleetTime.nowMs()
    return { state: 'passed', problem: null, offsetMs }
  }

  async #disk(limits: CheckOrder['disk']): Promise<Outcome> {
    const { folder, clock, watching } = this.#options
    const viewers = watching()
    if (viewers > 0) return skipped(`${viewers} watch through it now, and shall not wait for its disk`)
    const speed = await measureDisk(folder, limits, clock, () => watching() === 0 && !this.#closed)
    if (speed.bytes === 0) return skipped('viewers came')
    return { state: 'passed', problem: null, ...speed }
  }

  async #origin({ title, bytesMax, msMax }: CheckOrder['origin']): Promise<Outcome> {
    if (title === null) return skipped('the library has no title that is ready')
    const { cache, origin, clock } = this.#options
    const speed = await measureOrigin({ cache, origin, title, bytesMax, msMax, clock })
    return { state: 'passed', problem: null, ...speed }
  }

  async #warm(order: CheckOrder['warm']): Promise<Outcome> {
    if (order.titles.length === 0) return skipped('the library has no title that is ready')
    const { cache, clock } = this.#options
    const startMs = clock.monotonicMs()
    const warmth = await warmCache({
      cache,
      order,
      clock,
      mayGoOn: () => !this.#closed,
      onProgress: so => this.#set('warm', { state: 'running', problem: null, ...so }),
    })
    return { state: 'passed', problem: null, ...warmth, ms: clock.monotonicMs() - startMs }
  }
}

function skipped(problem: string): Outcome {
  return { state: 'skipped', problem }
}
