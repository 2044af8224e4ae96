// Owns leading pictures: those of an open GOP that follow a key frame in the file and are presented before it.
// They need the GOP before, so a player that seeks to their key frame cannot decode them: Chromium ends with an error.
import {
  expandRange,
  type FragmentSamples,
  presentationTicksOf,
  type SampleRange,
  type SampleTable,
  type Track,
} from '#media'

/** Leading pictures come within so many samples of their key frame. */
const LEADING_MAX = 32
/** An index that makes more than one picture in four a leading one lies about its key frames. */
const LEADING_SHARE_MAX = 0.25
/** Samples that are expanded at a time: about 3 MB. */
const SLICE_SAMPLES = 65_536

/** Samples as they are written, with their places in the file. */
export type PlacedSamples = FragmentSamples & { readonly offsetBytes: Float64Array }

/**
 * How many pictures of a track are to be left out. Of H.264 alone: Chromium takes every picture with a recovery point
 * for a key frame, whatever the segment's flags say. HEVC names such pictures (RASL), and decoders skip them.
 */
export function leadingToLeaveOut(track: Track, first: number, end: number): number {
  const { table, entry } = track
  if (!entry.format.startsWith('avc') || table.composition === null || table.sync === null) return 0
  const key = new LastKey()
  let leading = 0
  for (let from = first; from < end; from += SLICE_SAMPLES) {
    const range = expandRange(table, from, Math.min(from + SLICE_SAMPLES, end))
    for (let index = 0; index < range.count; index += 1) if (key.leads(range, index)) leading += 1
  }
  return leading > (end - first) * LEADING_SHARE_MAX ? 0 : leading
}

/** False when pictures that follow this key frame are presented before it. */
export function isClosed(table: SampleTable, sample: number, end: number): boolean {
  if (table.composition === null) return true
  const keyTicks = presentationTicksOf(table, sample)
  const last = Math.min(sample + LEADING_MAX, end)
  for (let next = sample + 1; next < last; next += 1) {
    if (presentationTicksOf(table, next) < keyTicks) return false
  }
  return true
}

/** The samples but for leading pictures, whose time goes to the sample before them; `range` begins at a key frame. */
export function withoutLeading(range: SampleRange): PlacedSamples {
  const key = new LastKey()
  const kept: number[] = []
  const durations: number[] = []
  for (let index = 0; index < range.count; index += 1) {
    const durationTicks = range.durationTicks[index] as number
    if (key.leads(range, index)) {
      durations.push((durations.pop() ?? 0) + durationTicks)
      continue
    }
    kept.push(index)
    durations.push(durationTicks)
  }
  if (kept.length === range.count) return range
  const of = (array: ArrayLike<number>) => (index: number) => array[index] as number
  return {
    durationTicks: Uint32Array.from(durations),
    sizes: Uint32Array.from(kept, of(range.sizes)),
    offsetBytes: Float64Array.from(kept, of(range.offsetBytes)),
    compositionTicks: Int32Array.from(kept, of(range.compositionTicks)),
    sync: Uint8Array.from(kept, of(range.sync)),
  }
}

/** The key frame that came last, while a walk goes through samples in decode order. */
class LastKey {
  #ticks = Number.NEGATIVE_INFINITY
  #since = 0

  /** True when the sample is a leading picture. */
  leads(range: SampleRange, index: number): boolean {
    const ticks = (range.decodeTicks[index] as number) + (range.compositionTicks[index] as number)
    this.#since += 1
    if (range.sync[index] === 1) {
      this.#ticks = ticks
      this.#since = 0
      return false
    }
    return this.#since < LEADING_MAX && ticks < this.#ticks
  }
}
