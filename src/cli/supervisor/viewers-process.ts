// Owns the process of simulated viewers: started with the first one, stopped with the last.
import type { Clock, Log } from '#base'
import { ManagedProcess, type ProcessPlan } from './managed-process.ts'
import type { ViewersPort } from './try-it.ts'

export class ViewersProcess implements ViewersPort {
  readonly #plan: ProcessPlan
  readonly #clock: Clock
  readonly #log: Log
  #process: ManagedProcess | null = null
  #count = 0
  #live = 0

  constructor(plan: ProcessPlan, clock: Clock, log: Log) {
    this.#plan = plan
    this.#clock = clock
    this.#log = log
  }

  get pid(): number | null {
    return this.#process?.pid ?? null
  }

  async setCount(count: number): Promise<void> {
    this.#count = count
    await this.#run()
  }

  /** Beside the others: viewers with the small buffers of live players. */
  async setLive(count: number): Promise<void> {
    this.#live = count
    await this.#run()
  }

  async #run(): Promise<void> {
    if (this.#count + this.#live === 0) return await this.stop()
    if (this.#process !== null) return this.#tell()
    const started = new ManagedProcess(this.#plan, { onStarted: () => this.#tell() }, this.#clock, this.#log)
    this.#process = started
    started.start()
    this.#tell()
  }

  async stop(): Promise<void> {
    const running = this.#process
    this.#process = null
    await running?.stop()
  }

  kill(): void {
    this.#process?.kill()
  }

  #tell(): void {
    this.#process?.say({ type: 'viewers', count: this.#count, live: this.#live })
  }
}
