// Owns what the query engine needs from a store. It refuses to know where samples come from.
import type { Labels } from '#base'
import type { Matcher } from '../matchers.ts'

export interface LoadedSamples {
  readonly times: Float64Array
  readonly values: Float64Array
}

/** One series that matches; its samples are read when they are needed, and are the caller's own. */
export interface SelectedSeries {
  readonly labels: Labels
  /** Ascending; none when the series has no samples there. */
  readonly load: () => LoadedSamples
}

/** Throws when a query has used up what it may use. */
export interface Meter {
  series(count: number): void
  samples(count: number): void
  work(units: number): void
  /** Looks at the clock; to be called in every loop that can be long. */
  tick(): void
}

export interface SampleSource {
  /** Samples with `fromMs <= time <= toMs` of every series that matches. */
  select(matchers: readonly Matcher[], fromMs: number, toMs: number, meter: Meter): SelectedSeries[]
}
