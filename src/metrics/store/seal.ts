// Owns turning what is in the log alone into chunks, in slices that do not hold up writers.
// It refuses to forget: what could not be committed stays pending for the next seal.
import { setImmediate } from 'node:timers/promises'
import type { Clock } from '#base'
import type { PendingChunk, Series } from './series.ts'

/** Work hands the thread back after this long, so that no request waits for a seal. */
const SLICE_MS = 5

export interface SealPiece {
  readonly series: Series
  readonly pending: PendingChunk
}

/** Hands the thread back whenever a slice has been used up. */
export class Slices {
  readonly #clock: Clock
  #endsMs: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#endsMs = clock.monotonicMs() + SLICE_MS
  }

  async pause(): Promise<void> {
    await setImmediate()
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
