// Owns the back-tests that are under way and those that are done: few at once, kept for some minutes, ended when nobody
// asks for them any more or when the control room ends.
import { randomBytes } from 'node:crypto'
import { type Closable, type FleetTime, type Log, messageOf } from '#base'
import type { MetricsStore } from '#metrics'
import type { BackTestAnswer, BackTestRequest, BackTestResult } from '#wire'
import { readRules } from '../alerts/read-rules.ts'
import { invalidRules } from '../alerts/read-yaml.ts'
import type { AlertingRule, RuleGroup } from '../alerts/rule.ts'
import { controlFaults } from '../faults.ts'
import { backTest } from './back-test.ts'
import { lineOf } from './rule-library.ts'

/** Of all people together: they share the thread with everything else. */
const RUNNING_MAX = 2
const KEPT_MAX = 20
const KEPT_MS = 10 * 60_000
/** Whoever waits asks each second; a page that was closed asks no more. */
const UNASKED_MS_MAX = 30_000

interface Job {
  readonly id: string
  readonly abort: AbortController
  done: Promise<void>
  state: BackTestAnswer['state']
  progress: number
  problem: string | null
  result: BackTestResult | null
  askedMs: number
}

export interface BackTestsOptions {
  readonly store: MetricsStore
  readonly fleetTime: FleetTime
  readonly log: Log
  /** Monotonic. */
  readonly monotonicMs: () => number
}

export class BackTests implements Closable {
  readonly #options: BackTestsOptions
  readonly #jobs = new Map<string, Job>()

  constructor(options: BackTestsOptions) {
    this.#options = options
  }

  /** Throws control-rules-invalid, control-back-test-busy. */
  start({ name, text, line, rangeMs }: BackTestRequest): BackTestAnswer {
    const groups = readRules(text, name)
    const { rule, group } = chosen(groups, name, line)
    this.#forget()
    if ([...this.#jobs.values()].filter(({ state }) => state === 'running').length >= RUNNING_MAX)
      throw controlFaults.fault(
        'control-back-test-busy',
        `${RUNNING_MAX} back-tests are under way; wait for one`,
      )
    const job: Job = {
      id: randomBytes(8).toString('hex'),
      abort: new AbortController(),
      done: Promise.resolve(),
      state: 'running',
      progress: 0,
      problem: null,
      result: null,
      askedMs: this.#options.monotonicMs(),
    }
    this.#jobs.set(job.id, job)
    const recorded = groups.flatMap(({ rules }) =>
      rules.filter(({ kind }) => kind === 'record').map(one => one.name),
    )
    job.done = this.#run(job, { rule, group, recorded, rangeMs })
    return answerOf(job)
  }

  /** Null: there is none, or none any more. */
  get(id: string): BackTestAnswer | null {
    this.#forget()
    const job = this.#jobs.get(id)
    if (job === undefined) return null
    job.askedMs = this.#options.monotonicMs()
    return answerOf(job)
  }

  cancel(id: string): void {
    const job = this.#jobs.get(id)
    this.#jobs.delete(id)
    job?.abort.abort()
  }

  async close(): Promise<void> {
    const jobs = [...this.#jobs.values()]
    for (const { abort } of jobs) abort.abort()
    await Promise.all(jobs.map(({ done }) => done))
  }

  async #run(
    job: Job,
    what: {
      readonly rule: AlertingRule
      readonly group: RuleGroup
      readonly recorded: readonly string[]
      readonly rangeMs: number
    },
  ): Promise<void> {
    const { store, fleetTime, log } = this.#options
    const { rule, recorded } = what
    const { intervalMs } = what.group
    // On the grid of the interval, so that two runs look at the same moments.
    const toMs = Math.floor(fleetTime.nowMs() / intervalMs) * intervalMs
    const oldestMs = store.stats().oldestMs ?? toMs
    const fromMs = Math.min(
      toMs,
      Math.ceil(Math.max(oldestMs, toMs - what.rangeMs) / intervalMs) * intervalMs,
    )
    const progress = (done: number): void => {
      job.progress = done
      if (this.#options.monotonicMs() - job.askedMs > UNASKED_MS_MAX) job.abort.abort()
    }
    try {
      const { signal } = job.abort
      const result = await backTest({ rule, intervalMs, recorded, store, fromMs, toMs, signal, progress })
      const isShort = oldestMs > toMs - what.rangeMs
      job.result = isShort ? { ...result, notes: ['No more than this is stored.', ...result.notes] } : result
      job.state = 'done'
      job.progress = 1
    } catch (error) {
      job.state = 'failed'
      job.problem = job.abort.signal.aborted ? 'it was ended' : messageOf(error)
      log.debug('back-test-failed', { rule: rule.name, problem: job.problem })
    }
  }

  /** What is old, and more than are kept. */
  #forget(): void {
    const now = this.#options.monotonicMs()
    const ended = [...this.#jobs.values()].filter(({ state }) => state !== 'running')
    const over = ended.length - KEPT_MAX
    for (const [place, { id, askedMs }] of ended.entries())
      if (place < over || now - askedMs > KEPT_MS) this.#jobs.delete(id)
  }
}

function answerOf({ id, state, progress, problem, result }: Job): BackTestAnswer {
  return { id, state, progress, problem, result }
}

function chosen(
  groups: readonly RuleGroup[],
  name: string,
  line: number | undefined,
): { rule: AlertingRule; group: RuleGroup } {
  for (const group of groups)
    for (const rule of group.rules)
      if (rule.kind === 'alert' && (line === undefined || lineOf(rule.at) === line)) return { rule, group }
  throw invalidRules(
    line === undefined ? `${name}: no alerting rule` : `${name}:${line}: no alerting rule there`,
  )
}
