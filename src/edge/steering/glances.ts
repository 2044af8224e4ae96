// Owns looking at the streams of other edges from here: one peer at each turn, those under suspicion at every turn.
// It fetches little: playlists and the beginning of one segment.
import type { Clock, Log } from '#base'
import { glanceAt } from '#look'
import { type PlayReport, PROBE_HEADER, type ProbePlan } from '#wire'

const RANGE_BYTES = 16 * 1024
/** With one under suspicion that does not answer, a turn takes longer than the next one waits. */
/** What a foreign server plays is no title of ours. */
const FOREIGN_TITLE = 'stream'
const UNDER_WAY_MAX = 4
/** Reports that wait for the control room; the oldest goes. */
const WAITING_MAX = 100

type Target = ProbePlan['targets'][number]

export class Glances {
  readonly #clock: Clock
  readonly #log: Log
  readonly #underWay = new Map<string, Promise<void>>()
  #plan: ProbePlan | null = null
  #turn = 0
  #waiting: { report: Omit<PlayReport, 'agoMs'>; atMs: number }[] = []
  #closed = false

  constructor(clock: Clock, log: Log) {
    this.#clock = clock
    this.#log = log
  }

  setPlan(plan: ProbePlan): void {
    this.#plan = plan
  }

  turn(): void {
    const { targets = [], titles = [] } = this.#plan ?? {}
    if (this.#closed || titles.length === 0) return
    const suspects = targets.filter(({ play }) => play === 'suspect')
    const others = targets.filter(({ play }) => play === 'turn')
    const next = others[this.#turn % Math.max(1, others.length)]
    const title = titles[this.#turn % titles.length]
    this.#turn += 1
    if (title === undefined) return
    for (const target of next === undefined ? suspects : [...suspects, next]) {
      if (this.#underWay.size >= UNDER_WAY_MAX || this.#underWay.has(target.id)) continue
      const one = this.#look(target, target.stream === null ? title : FOREIGN_TITLE)
        .catch((error: unknown) => this.#log.error('glance-broken', { server: target.id, error }))
        .then(() => void this.#underWay.delete(target.id))
      this.#underWay.set(target.id, one)
    }
  }

  /** Each look once. */
  report(): PlayReport[] {
    const nowMs = this.#clock.monotonicMs()
    return this.#waiting.splice(0).map(({ report, atMs }) => ({ ...report, agoMs: nowMs - atMs }))
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all(this.#underWay.values())
  }

  async #look({ id, url, stream, credential }: Target, title: string): Promise<void> {
    const atMs = this.#clock.monotonicMs()
    const glance = await glanceAt(stream ?? `${url}/vod/${title}/master.m3u8`, {
      clock: this.#clock,
      // A foreign server has no business with it.
      headers: stream === null ? { [PROBE_HEADER]: credential } : {},
      rangeBytes: RANGE_BYTES,
      position: (this.#turn % 10) / 10,
    })
    const { ok, startMs, speedRatio, bytes } = glance
    const problem = glance.problems.find(({ severity }) => severity === 'fault')?.text ?? null
    if (this.#waiting.length >= WAITING_MAX) this.#waiting.shift()
    this.#waiting.push({ report: { target: id, title, ok, problem, startMs, speedRatio, bytes }, atMs })
  }
}
