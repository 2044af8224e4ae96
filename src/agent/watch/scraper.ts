// Owns reading the watched server's /metrics each second. When it stops answering, its series end with a marker and
// stay absent: nothing old is repeated.
import type { Labels, Log, Secret } from '#base'
import { messageOf } from '#base'
import { parseExposition } from '#metrics'
import type { HttpCalls } from '../http-call.ts'
import type { LabelTable } from '../push/label-table.ts'
import type { PassBuilder } from '../push/pass.ts'

const SCRAPE_MS_MAX = 500 // half the period: a slow answer must not delay the next pass
const METRICS_BYTES_MAX = 4 * 1024 * 1024

export interface ScraperOptions {
  readonly serverUrl: string
  readonly token: Secret
  /** job, instance, region. */
  readonly labels: Labels
  readonly table: LabelTable
  readonly calls: HttpCalls
  readonly log: Log
}

export class Scraper {
  readonly #options: ScraperOptions
  #last = new Set<Labels>()

  constructor(options: ScraperOptions) {
    this.#options = options
  }

  /** Adds what the server shows now, and the end of what it does not show any more. True: it answered. */
  async collect(pass: PassBuilder): Promise<boolean> {
    const samples = await this.#read()
    const seen = new Set<Labels>()
    for (const [labels, value] of samples ?? []) {
      if (seen.has(labels)) continue
      seen.add(labels)
      pass.add(labels, value)
    }
    for (const labels of this.#last) {
      if (!seen.has(labels)) pass.end(labels)
    }
    this.#last = seen
    return samples !== null
  }

  async #read(): Promise<[Labels, number][] | null> {
    const { serverUrl, token, calls, labels, table, log } = this.#options
    const answer = await calls.send({
      method: 'GET',
      url: `${serverUrl}/metrics`,
      headers: { authorization: `Bearer ${token.reveal()}` },
      body: null,
      deadlineMs: SCRAPE_MS_MAX,
      answerBytesMax: METRICS_BYTES_MAX,
    })
    if (answer.kind === 'failed' || answer.status !== 200) return null
    try {
      const samples: [Labels, number][] = []
      for (const sample of parseExposition(answer.body.toString('utf8'))) {
        // Ours win: a server says nothing about which server it is.
        const own = table.intern({ ...sample.labels, ...labels })
        if (own !== null) samples.push([own, sample.value])
      }
      return samples
    } catch (error) {
      log.warn('agent-scrape-failed', { problem: messageOf(error) })
      return null
    }
  }
}
