// Owns telling the control room what the host is: the whole set, when it changed, and now and again in case the control
// room has forgotten. What is not taken is told with the next look that finds it untold.
import { createHash } from 'node:crypto'
import type { FleetTime, Log } from '#base'
import type { HttpCalls } from '../http-call.ts'
import { type Facts, factsToTell } from './facts.ts'

const FACTS_PATH = '/api/v1/facts'
const DEADLINE_MS = 10_000
const ANSWER_BYTES_MAX = 64 * 1024
/** A control room that was put back to a backup knows the host again after this. */
const AGAIN_MS = 6 * 3_600_000
/** One that does not take it (an older version, a limit) is not asked each time. */
const REFUSED_MS = 600_000

export interface FactTellerOptions {
  readonly controlUrl: string
  readonly authorization: string
  readonly calls: HttpCalls
  readonly fleetTime: FleetTime
  readonly log: Log
}

export class FactTeller {
  readonly #options: FactTellerOptions
  #told = ''
  #dueMs = 0

  constructor(options: FactTellerOptions) {
    this.#options = options
  }

  /** Never rejects. */
  async tell(now: Facts): Promise<void> {
    const { calls, controlUrl, authorization, fleetTime, log } = this.#options
    const facts = factsToTell(now)
    const hash = createHash('sha256').update(JSON.stringify(facts)).digest('hex')
    const at = Math.round(fleetTime.nowMs())
    if (hash === this.#told && at < this.#dueMs) return
    const answer = await calls.send({
      method: 'POST',
      url: `${controlUrl.replace(/\/+$/, '')}${FACTS_PATH}`,
      headers: { authorization, 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify({ at, facts })),
      deadlineMs: DEADLINE_MS,
      answerBytesMax: ANSWER_BYTES_MAX,
    })
    if (answer.kind === 'failed' || answer.status >= 500) {
      log.debug('facts-not-told', { problem: answer.kind === 'failed' ? answer.problem : answer.status })
      return
    }
    this.#told = hash
    this.#dueMs = at + (answer.status === 200 ? AGAIN_MS : REFUSED_MS)
    if (answer.status !== 200) log.warn('facts-refused', { status: answer.status, facts: facts.length })
  }
}
