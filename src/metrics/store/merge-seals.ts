// Owns which seals are merged: those that follow each other and have short chunks, so that heads and rows are paid for once.
// It refuses runs that are too long in time for retention, or that would not fit into memory series by series.

export interface SealRow {
  readonly id: number
  /** Its order among the others; a merged seal takes the place of the first of those that it was made of. */
  readonly place: number
  readonly fromMs: number
  readonly toMs: number
  readonly samples: number
  readonly bytes: number
  readonly chunks: number
  /** Samples of its longest chunk, at most. */
  readonly longest: number
}

/** Six seals of five minutes at a sample a second make chunks of 1,800; more samples pack hardly better. */
export const MERGE_SEALS = 6
const RUN_SEALS_MAX = 32
const CHUNK_SAMPLES_ENOUGH = 1000
/** Retention drops whole seals. */
const SPAN_MS_MAX = 6 * 3_600_000
/** One series is merged at a time: 16 MB. */
const LONGEST_MAX = 1_000_000

/** The oldest run that is worth merging; null when there is none. `seals` in their order. */
export function chooseRun(seals: readonly SealRow[]): readonly SealRow[] | null {
  for (let from = 0; from + MERGE_SEALS <= seals.length; from += 1) {
    const run = runFrom(seals, from)
    if (run !== null) return run
  }
  return null
}

function runFrom(seals: readonly SealRow[], from: number): readonly SealRow[] | null {
  let fromMs = Number.POSITIVE_INFINITY
  let toMs = Number.NEGATIVE_INFINITY
  let longest = 0
  let samples = 0
  let largest = 0
  const end = Math.min(seals.length, from + RUN_SEALS_MAX)
  for (let at = from; at < end; at += 1) {
    const seal = seals[at]
    if (seal === undefined || seal.samples >= seal.chunks * CHUNK_SAMPLES_ENOUGH) return null
    fromMs = Math.min(fromMs, seal.fromMs)
    toMs = Math.max(toMs, seal.toMs)
    longest += seal.longest
    if (toMs - fromMs > SPAN_MS_MAX || longest > LONGEST_MAX) return null
    samples += seal.samples
    largest = Math.max(largest, seal.samples)
    // Not a large one with a few small ones time and again: what is merged doubles, so that a sample moves a few times.
    if (at - from + 1 >= MERGE_SEALS && largest * 2 <= samples) return seals.slice(from, at + 1)
  }
  return null
}
