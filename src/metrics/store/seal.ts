// Owns turning what is in the log alone into chunks, in slices that do not hold up writers.
// It refuses to forget: what could not be committed stays pending for the next seal.
import { setImmediate, setTimeout } from 'node:timers/promises'
import type { Clock } from '#base'
import type { PendingChunk, Series } from './series.ts'

/** Work hands the thread back after this long, so that no request waits for a seal. */
const SLICE_MS = 5
/**
 * And then stays away for this long, unless somebody waits for it: a seal of 120,000 series works for 2.5 s, and rules,
 * which are due each second, are to have most of that time. See `npm run bench -- incidents speed`.
 */
const AWAY_MS = 15

export interface SealPiece {
  readonly series: Series
  readonly pending: PendingChunk
}

/** Hands the thread back whenever a slice has been used up. */
export class Slices {
  readonly #clock: Clock
  readonly #isUrgent: () => boolean
  #endsMs: number

  /** `isUrgent`: somebody waits for the end of it. */
  constructor(clock: Clock, isUrgent: () => boolean = () => true) {
    this.#clock = clock
    this.#isUrgent = isUrgent
    this.#endsMs = clock.monotonicMs() + SLICE_MS
  }

  async pause(): Promise<void> {
    if (this.#isUrgent()) await setImmediate()
    else await setTimeout(AWAY_MS)
    this.#endsMs = this.#clock.monotonicMs() + SLICE_MS
  }

  get isOver(): boolean {
    return this.#clock.monotonicMs() >= this.#endsMs
  }
}

/** Samples that are written meanwhile may be in it or not: the next seal has what this one has not. */
export async function takePieces(all: readonly Series[], slices: Slices): Promise<SealPiece[]> {
  const pieces: SealPiece[] = []
  for (const series of all) {
    const pending = series.takePending()
    if (pending !== null) pieces.push({ series, pending })
    if (slices.isOver) await slices.pause()
  }
  return pieces
}
