// Owns what the query engine needs from a store. It refuses to know where samples come from.
import type { Labels } from '#base'
import type { Matcher } from '../matchers.ts'

/** What a source has found out about samples before, so that a query need not look at each of them again. */
export interface KnownOfSamples {
  /** False when no value is NaN, and so no stale marker either. */
  readonly hasNan: boolean
  /** Indexes of values below the one before; null when it has not kept them. */
  readonly falls: () => readonly number[] | null
}

export interface LoadedSamples {
  readonly times: Float64Array
  readonly values: Float64Array
  readonly known?: KnownOfSamples
}

/** One series that matches; its samples are read when they are needed, and valid until the thread is given back. */
export interface SelectedSeries {
  readonly labels: Labels
  /** Without its name: always the same object. */
  readonly unnamed?: Labels
  /** Ascending; none when the series has no samples there. */
  load(): LoadedSamples
  /** The same, valid only until any series is read again, for one who looks once and does not come back to it. */
  glance?(): LoadedSamples
  /** The newest of these samples alone, likewise. */
  newest?(): LoadedSamples
}

/** Throws when a query has used up what it may use. */
export interface Meter {
  series(count: number): void
  samples(count: number): void
  work(units: number): void
  /** Time that went into reading samples. */
  readFor(ms: number): void
  /** Looks at the clock; to be called in every loop that can be long. */
  tick(): void
}

export interface SampleSource {
  /** Samples with `fromMs <= time <= toMs` of every series that matches. */
  select(matchers: readonly Matcher[], fromMs: number, toMs: number, meter: Meter): SelectedSeries[]
}
