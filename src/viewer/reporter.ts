// Owns the event reports of one viewer (CTA-5004-B, event mode): queued, sent to the edge that feeds, or to the next
// one when that fails. A record keeps its number, so that one that arrives twice is one.
import { Fault } from '#base'
import type { Fetcher } from './fetcher.ts'
import type { GroupCounts } from './stats.ts'

const CONTENT_TYPE = 'application/cmcd'
/** Records that wait for an edge; the oldest go, and are counted. */
const WAITING_MAX = 200
const BATCH_MAX = 50
/** State changes that follow each other travel together. */
const SOON_MS = 500
const DEADLINE_MS = 4000
/** Edges that are tried for one report. */
const TARGETS_MAX = 3

export interface ReporterOptions {
  readonly fetcher: Fetcher
  readonly userAgent: string
  readonly counts: GroupCounts
  /** Base URLs of edges, the one that feeds first. */
  readonly targets: () => readonly string[]
}

export class Reporter {
  readonly #options: ReporterOptions
  readonly #waiting: string[] = []
  /** 410: nothing more there, as the specification says; the same for a server that takes no reports. */
  readonly #silent = new Set<string>()
  #soon: NodeJS.Timeout | null = null
  #sending: Promise<void> | null = null
  #number = 0

  constructor(options: ReporterOptions) {
    this.#options = options
  }

  /** `write` gets the record's number. */
  add(write: (number: number) => string, urgency: 'soon' | 'later'): void {
    this.#number += 1
    this.#waiting.push(write(this.#number))
    if (this.#waiting.length > WAITING_MAX) {
      this.#waiting.shift()
      this.#options.counts.recordsLost += 1
    }
    if ((urgency === 'soon' || this.#waiting.length >= BATCH_MAX) && this.#soon === null) {
      this.#soon = setTimeout(() => void this.send(), SOON_MS)
    }
  }

  /** Never rejects; what no edge takes waits for the next time. */
  async send(): Promise<void> {
    if (this.#soon !== null) clearTimeout(this.#soon)
    this.#soon = null
    this.#sending ??= this.#sendOnce().finally(() => {
      this.#sending = null
    })
    await this.#sending
  }

  /** The last word; what cannot be sent now is lost. */
  async close(): Promise<void> {
    await this.#sending
    await this.send()
    this.#options.counts.recordsLost += this.#waiting.length
  }

  async #sendOnce(): Promise<void> {
    const batch = this.#waiting.splice(0, BATCH_MAX)
    if (batch.length === 0) return
    const { counts, targets } = this.#options
    const open = targets().filter(target => !this.#silent.has(target))
    for (const target of open.slice(0, TARGETS_MAX)) {
      if (await this.#deliver(target, batch)) {
        counts.records += batch.length
        return
      }
      counts.reportsRetried += 1
    }
    const lost = batch.length + this.#waiting.length - WAITING_MAX
    this.#waiting.unshift(...batch.slice(Math.max(0, lost)))
    counts.recordsLost += Math.max(0, Math.min(lost, batch.length))
  }

  async #deliver(target: string, batch: readonly string[]): Promise<boolean> {
    const { fetcher, userAgent } = this.#options
    const body = { type: CONTENT_TYPE, text: `${batch.join('\n')}\n` }
    try {
      const status = await fetcher.post(`${target}/cmcd`, userAgent, body, AbortSignal.timeout(DEADLINE_MS))
      if (status === 410 || status === 404 || status === 405) this.#silent.add(target)
      return status >= 200 && status < 300
    } catch (error) {
      if (error instanceof Fault) return false
      throw error
    }
  }
}
