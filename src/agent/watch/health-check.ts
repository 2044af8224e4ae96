// Owns asking the watched server for /healthz once a second, and the last answer.
import type { Clock } from '#base'
import type { HttpCalls } from '../http-call.ts'

const HEALTH_MS_MAX = 400 // the heartbeat is due each second; an answer slower than this is no answer
const ANSWER_BYTES_MAX = 4096

export interface HealthView {
  readonly httpOk: boolean
  readonly httpMs: number | null
}

export class HealthCheck {
  readonly #serverUrl: string
  readonly #calls: HttpCalls
  readonly #clock: Clock
  #view: HealthView | null = null

  constructor(serverUrl: string, calls: HttpCalls, clock: Clock) {
    this.#serverUrl = serverUrl
    this.#calls = calls
    this.#clock = clock
  }

  async look(): Promise<void> {
    const startedMs = this.#clock.monotonicMs()
    const answer = await this.#calls.send({
      method: 'GET',
      url: `${this.#serverUrl}/healthz`,
      headers: {},
      body: null,
      deadlineMs: HEALTH_MS_MAX,
      answerBytesMax: ANSWER_BYTES_MAX,
    })
    const httpMs = this.#clock.monotonicMs() - startedMs
    this.#view =
      answer.kind === 'failed' ? { httpOk: false, httpMs: null } : { httpOk: answer.status === 200, httpMs }
  }

  /** Null before the first look has ended. */
  view(): HealthView | null {
    return this.#view
  }
}
