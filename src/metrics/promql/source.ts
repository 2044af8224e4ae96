// Owns what the query engine needs from a store. It refuses to know where samples come from.
import type { Labels } from '#base'
import type { Matcher } from '../matchers.ts'

/** One series with the samples that were asked for, ascending; valid until the store is next written to. */
export interface SelectedSeries {
  readonly labels: Labels
  readonly times: Float64Array
  readonly values: Float64Array
}

/** Throws when a query has used up what it may use. */
export interface Meter {
  series(count: number): void
  samples(count: number): void
  /** Looks at the clock; to be called in every loop that can be long. */
  tick(): void
}

export interface SampleSource {
  /** Samples with `fromMs <= time <= toMs` of every series that matches. */
  select(matchers: readonly Matcher[], fromMs: number, toMs: number, meter: Meter): SelectedSeries[]
}
