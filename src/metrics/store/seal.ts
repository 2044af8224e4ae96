// Owns turning what is in the log alone into chunks, in slices that do not hold up writers.
// It refuses to forget: pieces that could not be committed are put back for the next seal.
import { setImmediate } from 'node:timers/promises'
import type { Clock } from '#base'
import { encodeChunk } from './chunk.ts'
import { sortSamples } from './merge-samples.ts'
import { SampleColumn, type Samples } from './sample-column.ts'
import type { NewSeal, SeriesRow } from './sealed.ts'
import type { Series } from './series.ts'

const SLICE_MS = 5 // encoding hands the thread back after this long; 1,500 series take some ten slices

/** The samples of one series that are being sealed, ascending. */
export interface SealPiece {
  readonly series: Series
  readonly samples: Samples
  readonly oldestMs: number
}

/** Takes all pending samples; from now on new ones belong to the next seal. */
export function takePending(all: Iterable<Series>): SealPiece[] {
  const pieces: SealPiece[] = []
  for (const series of all) {
    if (series.pending.length === 0) continue
    const arrived = series.pending.all()
    series.pending = new SampleColumn()
    pieces.push({
      series,
      samples: isAscending(arrived.times) ? arrived : sortSamples(arrived),
      oldestMs: series.oldestMs,
    })
  }
  return pieces
}

export function putBack(pieces: readonly SealPiece[]): void {
  for (const { series, samples } of pieces) {
    const since = series.pending.all()
    series.pending = new SampleColumn()
    for (const { times, values } of [samples, since]) {
      for (const [index, time] of times.entries()) series.pending.append(time, values[index] ?? 0)
    }
  }
}

export async function encodeSeal(
  pieces: readonly SealPiece[],
  checkpoint: number,
  clock: Clock,
): Promise<NewSeal> {
  const chunks: { seriesId: number; data: Buffer }[] = []
  const series: SeriesRow[] = []
  let fromMs = Number.POSITIVE_INFINITY
  let toMs = Number.NEGATIVE_INFINITY
  let count = 0
  let sliceEndsMs = clock.monotonicMs() + SLICE_MS
  for (const { series: one, samples, oldestMs } of pieces) {
    const newestMs = samples.times.at(-1) ?? 0
    chunks.push({ seriesId: one.id, data: encodeChunk(samples) })
    series.push({
      id: one.id,
      labels: one.labels,
      oldestMs,
      newestMs: Math.max(newestMs, one.sealedNewestMs),
    })
    fromMs = Math.min(fromMs, samples.times[0] ?? 0)
    toMs = Math.max(toMs, newestMs)
    count += samples.times.length
    if (clock.monotonicMs() < sliceEndsMs) continue
    await setImmediate()
    sliceEndsMs = clock.monotonicMs() + SLICE_MS
  }
  return { fromMs, toMs, samples: count, checkpoint, series, chunks }
}

export function markSealed(pieces: readonly SealPiece[]): void {
  for (const { series, samples } of pieces) {
    series.sealedNewestMs = Math.max(series.sealedNewestMs, samples.times.at(-1) ?? 0)
  }
}

function isAscending(times: Float64Array): boolean {
  for (let at = 1; at < times.length; at += 1) if ((times[at] ?? 0) <= (times[at - 1] ?? 0)) return false
  return true
}
