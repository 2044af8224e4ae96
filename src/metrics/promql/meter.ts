// Owns what one query may use: series, samples, wall time. It refuses to go on when one of them is used up.
import type { Clock } from '#base'
import { metricsFaults } from '../faults.ts'
import type { Meter } from './source.ts'

const SAMPLES_MAX = 50_000_000 // Prometheus' query.max-samples; cells of 9 to 16 bytes
/** Prometheus allows 2 min. Here a query shares its thread with everything else, so it must be short. */
const TIMEOUT_MS = 3000
/** A query that is evaluated in slices hands the thread back after this long. */
const SLICE_MS = 20
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
  #sliceEndsMs: number

  constructor(options: MeterOptions) {
    this.#clock = options.clock
    this.#samplesMax = options.querySamplesMax ?? SAMPLES_MAX
    this.#timeoutMs = options.queryTimeoutMs ?? TIMEOUT_MS
    const nowMs = options.clock.monotonicMs()
    this.#deadlineMs = nowMs + this.#timeoutMs
    this.#sliceEndsMs = nowMs + SLICE_MS
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

  get seriesTouched(): number {
    return this.#series
  }

  get samplesTouched(): number {
    return this.#samples
  }

  /** True once the slice has been used up; looked at where an evaluation can be interrupted. */
  get isSliceOver(): boolean {
    return this.#clock.monotonicMs() >= this.#sliceEndsMs
  }

  beginSlice(): void {
    this.#sliceEndsMs = this.#clock.monotonicMs() + SLICE_MS
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
