// Owns what agents have said of steps: what each would carry out, and what became of orders. It sends an order again
// until there is an answer: the agent knows it by its id.
import type { AllowedStep, StepList, StepOrder, StepReport } from '#wire'

const RESEND_MS = 2000
const REPORTS_MAX = 2000

export interface StepBookOptions {
  readonly send: (server: string, order: StepOrder) => void
  monotonicMs(this: void): number
}

export class StepBook {
  readonly #options: StepBookOptions
  readonly #lists = new Map<string, StepList>()
  readonly #reports = new Map<string, StepReport>()
  readonly #sent = new Map<string, number>()

  constructor(options: StepBookOptions) {
    this.#options = options
  }

  take(server: string, message: StepList | StepReport): void {
    if (message.type === 'step-list') {
      this.#lists.set(server, message)
      return
    }
    // An agent speaks of orders that were given to it, and of no other's.
    const key = `${server} ${message.id}`
    if (!this.#sent.has(key)) return
    this.#reports.set(key, message)
  }

  /** Null: its agent has not said since this start. */
  listOf(server: string): StepList | null {
    return this.#lists.get(server) ?? null
  }

  stepOf(server: string, name: string): AllowedStep | null {
    return this.#lists.get(server)?.steps.find(step => step.name === name) ?? null
  }

  /** What is known of it; null: nobody has answered yet. */
  ask(server: string, order: StepOrder): StepReport | null {
    const key = `${server} ${order.id}`
    const report = this.#reports.get(key) ?? null
    if (report !== null && report.state !== 'running') return report
    const nowMs = this.#options.monotonicMs()
    if (nowMs - (this.#sent.get(key) ?? Number.NEGATIVE_INFINITY) >= RESEND_MS) {
      if (this.#sent.size >= REPORTS_MAX) this.#forget()
      this.#sent.set(key, nowMs)
      this.#options.send(server, order)
    }
    return report
  }

  #forget(): void {
    for (const key of this.#sent.keys()) {
      this.#sent.delete(key)
      this.#reports.delete(key)
      if (this.#sent.size < REPORTS_MAX / 2) return
    }
  }
}
