// Owns putting the samples of a snapshot back into a store that goes on working. What the store has stays as it is; all
// that it lacks comes back, or nothing. It refuses to begin before the whole snapshot has been read once.

import type { Samples } from './sample-column.ts'
import type { Series } from './series.ts'

/** How far a restore is; `checking` has changed nothing yet. */
export interface RestoreProgress {
  readonly snapshot: string
  readonly phase: 'checking' | 'writing' | 'done' | 'failed'
  readonly series: number
  readonly seriesDone: number
  /** Samples that were put back. */
  readonly samples: number
  /** Series that the store had no place for. */
  readonly seriesRefused: number
  readonly problem: string | null
}

/** What of a series comes back. */
export interface RestoredPiece {
  readonly series: Series
  readonly samples: Samples
}

/** Those of `old` at times that `present` does not have, from `cutMs` on. */
export function lacking(old: Samples, present: Samples, cutMs: number): Samples {
  const known = new Set(present.times)
  const keep: number[] = []
  for (let at = 0; at < old.times.length; at += 1) {
    const timeMs = old.times[at] ?? 0
    if (timeMs >= cutMs && !known.has(timeMs)) keep.push(at)
  }
  const times = new Float64Array(keep.length)
  const values = new Float64Array(keep.length)
  keep.forEach((from, at) => {
    times[at] = old.times[from] ?? 0
    values[at] = old.values[from] ?? 0
  })
  return { times, values }
}

/** What one step of a restore adds. */
export interface RestoreSteps {
  readonly phase?: RestoreProgress['phase']
  readonly seriesDone?: number
  readonly samples?: number
  readonly seriesRefused?: number
}

export function advanced(progress: RestoreProgress, more: RestoreSteps): RestoreProgress {
  return {
    ...progress,
    phase: more.phase ?? progress.phase,
    seriesDone: progress.seriesDone + (more.seriesDone ?? 0),
    samples: progress.samples + (more.samples ?? 0),
    seriesRefused: progress.seriesRefused + (more.seriesRefused ?? 0),
  }
}
