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

/** First and last sample of a window that is open on the left, and what a counter has lost by resets inside of it. */
export interface WindowEnds {
  firstMs: number
  first: number
  lastMs: number
  last: number
  count: number
  lost: number
}

/** The same range of the same series at one moment after the other: what is known of a window is kept for the next. */
export interface FollowedWindows {
  /** What `look` has found. */
  readonly ends: WindowEnds
  /** The windows that end at `endMs`; gives how many series there are. */
  begin(endMs: number, meter: Meter): number
  labels(at: number): Labels
  unnamed(at: number): Labels
  /** `none`: not two samples. `unsure`: it has to be found out from the samples. */
  look(at: number): 'found' | 'none' | 'unsure'
  /** Valid until any series is read again. */
  samples(at: number): LoadedSamples
  /** Series that have samples there: known once all have been looked at. */
  readonly alive: number
}

export interface SampleSource {
  /** Null: this range is not worth it, or too many are followed. Closed when nobody asks for it any more. */
  follow?(matchers: readonly Matcher[], rangeMs: number): (FollowedWindows & { close(): void }) | null
  /** Samples with `fromMs <= time <= toMs` of every series that matches. */
  select(matchers: readonly Matcher[], fromMs: number, toMs: number, meter: Meter): SelectedSeries[]
}
