// Owns what one query may use: series, samples, wall time. It refuses to go on when one of them is used up.
import type { Clock } from '#base'
import { metricsFaults } from '../faults.ts'
import type { Meter } from './source.ts'

const SAMPLES_MAX = 50_000_000 // Prometheus' query.max-samples; cells of 9 to 16 bytes
/** Prometheus allows 2 min. Here a query holds up writes and everything else on its thread, so it must be short. */
const TIMEOUT_MS = 3000
const SERIES_MAX = 50_000
/** Units of work (about a sample touched) between two looks at the clock: some 0.5 ms. */
const WORK_PER_LOOK = 100_000

export interface MeterOptions {
  readonly clock: Clock
  readonly queryTimeoutMs?: number
  readonly querySamplesMax?: number
}

export class QueryMeter implements Meter {
  readonly #clock: Clock
  readonly #samplesMax: number
  readonly #timeoutMs: number
  readonly #deadlineMs: number
  #samples = 0
  #series = 0
  #work = 0

  constructor(options: MeterOptions) {
    this.#clock = options.clock
    this.#samplesMax = options.querySamplesMax ?? SAMPLES_MAX
    this.#timeoutMs = options.queryTimeoutMs ?? TIMEOUT_MS
    this.#deadlineMs = options.clock.monotonicMs() + this.#timeoutMs
  }

  series(count: number): void {
    this.#series += count
    if (this.#series > SERIES_MAX) throw limit(`touches more than ${SERIES_MAX} series`)
  }

  /** Samples read, and cells of intermediate results: both take memory. */
  samples(count: number): void {
    this.#samples += count
    if (this.#samples > this.#samplesMax) throw limit(`touches more than ${this.#samplesMax} samples`)
  }

  work(units: number): void {
    this.#work += units
    if (this.#work < WORK_PER_LOOK) return
    this.#work = 0
    this.tick()
  }

  tick(): void {
    if (this.#clock.monotonicMs() < this.#deadlineMs) return
    throw metricsFaults.fault('metrics-promql-timeout', `the query took longer than ${this.#timeoutMs} ms`)
  }
}

function limit(what: string): Error {
  return metricsFaults.fault('metrics-promql-limit', `the query ${what}`)
}
