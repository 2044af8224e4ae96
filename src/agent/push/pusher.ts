// Owns delivering passes to the control room by remote write, oldest first, one request at a time.
// It refuses to send before fleet time is known: a sample in the wrong place cannot be taken back.
import {
  type Clock,
  type Counter,
  type Counters,
  createThrottle,
  type FleetTime,
  type Labels,
  type Log,
} from '#base'
import { encodeRemoteWrite, REMOTE_WRITE_HEADERS, type WriteSeries } from '#metrics'
import { PROTOCOL, PROTOCOL_HEADER } from '#wire'
import type { HttpAnswer, HttpCalls } from '../http-call.ts'
import type { Pass } from './pass.ts'
import type { PushQueue } from './push-queue.ts'

const WRITE_PATH = '/prometheus/api/v1/write'
/** Values of one request: a minute of a usual server, about 100 KB on the wire. */
const BATCH_VALUES_MAX = 20_000
/** Requests that follow each other while a backlog is drained; then the next pass is measured first. */
const BATCHES_A_TURN_MAX = 20
const PUSH_MS_MAX = 5000
const RETRY_MS_MIN = 500
const RETRY_MS_MAX = 5000
const ANSWER_BYTES_MAX = 64 * 1024
const LOG_EVERY_MS = 60_000
/** Without a channel, the wall clock is believed after this long. */
const UNKNOWN_TIME_MS_MAX = 15_000

export interface PusherOptions {
  readonly controlUrl: string
  readonly authorization: string
  readonly queue: PushQueue
  readonly fleet: FleetTime
  readonly calls: HttpCalls
  readonly counters: Counters
  readonly clock: Clock
  readonly log: Log
  /** Everything up to this BOOTTIME was taken or refused for good. */
  readonly onSettled?: (bootMs: number) => void
  /** The control room will never take what was sent. */
  readonly onRefused?: () => void
}

type Outcome = 'delivered' | 'refused' | 'failed'

export class Pusher {
  readonly #options: PusherOptions
  readonly #url: string
  readonly #samples: Counter
  readonly #requests: Counter
  readonly #throttle = createThrottle(LOG_EVERY_MS)
  readonly #startedMs: number
  /** Fleet time of passes that were sent once: a second try must carry the same stamps. */
  readonly #stamps = new WeakMap<Pass, number>()
  #failures = 0
  #retryMs = 0
  #turning = false

  constructor(options: PusherOptions) {
    this.#options = options
    this.#url = `${options.controlUrl}${WRITE_PATH}`
    this.#startedMs = options.clock.monotonicMs()
    const { counters, queue } = options
    this.#samples = counters.counter(
      'vitrine_agent_pushed_samples_total',
      'Samples by what became of them. refused or dropped growing: see the log of this agent.',
    )
    this.#requests = counters.counter(
      'vitrine_agent_push_requests_total',
      'Remote write requests by result. failed growing: the control room is away, samples wait.',
    )
    const waiting = counters.gauge(
      'vitrine_agent_push_queue_passes',
      'Passes that wait for the control room, one a second. 600 is the most; then the oldest are dropped.',
    )
    let dropped = 0
    counters.beforeCollect(() => {
      waiting.set(queue.length)
      this.#samples.add(queue.dropped - dropped, { result: 'dropped' })
      dropped = queue.dropped
    })
  }

  /** Sends what waits, unless it does already or a failure was a moment ago. */
  async turn(): Promise<void> {
    const { clock, fleet, queue } = this.#options
    const nowMs = clock.monotonicMs()
    const trusted = fleet.known() || nowMs - this.#startedMs > UNKNOWN_TIME_MS_MAX
    if (this.#turning || nowMs < this.#retryMs || !trusted) return
    this.#turning = true
    try {
      for (let batch = 0; batch < BATCHES_A_TURN_MAX && queue.length > 0; batch += 1) {
        if (!(await this.#sendOldest())) return
      }
    } finally {
      this.#turning = false
    }
  }

  /** False when sending makes no sense for a while. */
  async #sendOldest(): Promise<boolean> {
    const { queue, calls, authorization } = this.#options
    const passes = queue.oldest(BATCH_VALUES_MAX)
    const answer = await calls.send({
      method: 'POST',
      url: this.#url,
      headers: {
        ...REMOTE_WRITE_HEADERS,
        authorization,
        [PROTOCOL_HEADER]: `${PROTOCOL.major}.${PROTOCOL.minor}`,
      },
      body: encodeRemoteWrite(toSeries(passes, pass => this.#stampOf(pass))),
      deadlineMs: PUSH_MS_MAX,
      answerBytesMax: ANSWER_BYTES_MAX,
    })
    const outcome = judge(answer)
    this.#requests.add(1, { result: outcome })
    if (outcome === 'failed') {
      this.#onFailed(answer)
      return false
    }
    this.#failures = 0
    queue.remove(passes)
    const last = passes.at(-1)
    if (last !== undefined && last.stampMs === undefined) this.#options.onSettled?.(last.bootMs)
    const values = passes.reduce((sum, pass) => sum + pass.values.length, 0)
    this.#samples.add(values, { result: outcome })
    if (outcome === 'refused') {
      this.#options.onRefused?.()
      this.#say('agent-push-refused', answer)
    }
    return true
  }

  #stampOf(pass: Pass): number {
    if (pass.stampMs !== undefined) return pass.stampMs
    const known = this.#stamps.get(pass)
    if (known !== undefined) return known
    const stampMs = Math.round(this.#options.fleet.fromBootMs(pass.bootMs))
    this.#stamps.set(pass, stampMs)
    return stampMs
  }

  #onFailed(answer: HttpAnswer): void {
    const ceilingMs = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** this.#failures)
    this.#failures += 1
    // Jitter, so that the agents of a fleet do not come back in one instant.
    this.#retryMs = this.#options.clock.monotonicMs() + ceilingMs * (0.5 + Math.random() / 2)
    this.#say('agent-push-failed', answer)
  }

  #say(event: string, answer: HttpAnswer): void {
    const { pass, dropped } = this.#throttle(event, this.#options.clock.monotonicMs())
    if (!pass) return
    const facts =
      answer.kind === 'failed'
        ? { problem: answer.problem }
        : { status: answer.status, words: answer.body.toString('utf8').slice(0, 200) }
    this.#options.log.warn(event, { ...facts, dropped })
  }
}

function judge(answer: HttpAnswer): Outcome {
  if (answer.kind === 'failed') return 'failed'
  if (answer.status < 300) return 'delivered'
  // Remote write 1.0: a receiver's 4xx means that the same request will never succeed, but for 429.
  return answer.status >= 400 && answer.status < 500 && answer.status !== 429 ? 'refused' : 'failed'
}

/** Groups passes by series, so that labels are sent once; samples stay in the order of time. */
export function toSeries(passes: readonly Pass[], stampOf: (pass: Pass) => number): WriteSeries[] {
  const bySeries = new Map<Labels, { timestampMs: number; value: number }[]>()
  for (const pass of passes) {
    const timestampMs = stampOf(pass)
    pass.labels.forEach((labels, index) => {
      const sample = { timestampMs, value: pass.values[index] ?? 0 }
      const samples = bySeries.get(labels)
      if (samples === undefined) bySeries.set(labels, [sample])
      else samples.push(sample)
    })
  }
  return [...bySeries].map(([labels, samples]) => ({ labels, samples }))
}
