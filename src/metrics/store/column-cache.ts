// Owns the decoded columns of the series that were asked for lately, the least lately asked dropped first.
// It refuses to hold more than COLUMN_SAMPLES_MAX samples, and single columns so long that they would push out all others.
import type { LoadedSamples } from '../promql/source.ts'
import { Column } from './column.ts'
import { NO_SAMPLES, type Samples } from './sample-column.ts'
import type { Series } from './series.ts'

/** 6M samples are 96 MB: 250 series over six hours at one sample a second, or 1,600 over one. */
export const COLUMN_SAMPLES_MAX = 6_000_000
const ONE_COLUMN_MAX = COLUMN_SAMPLES_MAX / 8

export type Read = (series: Series, fromMs: number, toMs: number) => Samples

export class ColumnCache {
  readonly #read: Read
  readonly #samplesMax: number
  /** In the order in which they were last asked for, with what each counts for. */
  readonly #columns = new Map<Series, number>()
  #oldest: IterableIterator<[Series, number]>
  #samples = 0

  /** `read` gives all samples of a series in a stretch of time, from wherever they lie. */
  constructor(read: Read, samplesMax: number = COLUMN_SAMPLES_MAX) {
    this.#read = read
    this.#samplesMax = samplesMax
    this.#oldest = this.#columns.entries()
  }

  get samples(): number {
    return this.#samples
  }

  get bytes(): number {
    return this.#samples * 16
  }

  /** Samples with `fromMs <= time <= toMs`; valid until the caller gives the thread back. */
  between(series: Series, fromMs: number, toMs: number): LoadedSamples {
    // Samples that come later are newer than this, or late ones, which cut the column.
    const untilMs = Math.min(toMs, series.newestMs)
    if (untilMs < fromMs) return NO_SAMPLES
    const { column } = series
    if (column !== null && column.covers(fromMs, untilMs)) {
      this.#keep(series, column)
      return column.between(fromMs, untilMs)
    }
    if (column === null || fromMs < column.fromMs || fromMs > column.toMs + 1) {
      return this.#fresh(series, fromMs, untilMs)
    }
    column.append(this.#read(series, column.toMs + 1, untilMs), untilMs, fromMs)
    this.#keep(series, column)
    return column.between(fromMs, untilMs)
  }

  clear(): void {
    for (const series of this.#columns.keys()) series.column = null
    this.#columns.clear()
    this.#samples = 0
  }

  /** What a column has of a later time is read again with the rest: columns have no gaps, and grow at their end alone. */
  #fresh(series: Series, fromMs: number, untilMs: number): LoadedSamples {
    const toMs = Math.max(untilMs, overlapEnd(series.column, fromMs, untilMs))
    const samples = this.#read(series, fromMs, toMs)
    if (samples.times.length > ONE_COLUMN_MAX) return this.#read(series, fromMs, untilMs)
    const column = new Column(samples, fromMs, toMs)
    series.column = column
    this.#keep(series, column)
    return column.between(fromMs, untilMs)
  }

  /** Entering it again makes it the newest: a Map keeps the order of entry. */
  #keep(series: Series, column: Column): void {
    const cost = column.capacity + COLUMN_COST
    this.#samples += cost - (this.#columns.get(series) ?? 0)
    this.#columns.delete(series)
    this.#columns.set(series, cost)
    while (this.#samples > this.#samplesMax && this.#dropOldest(series));
  }

  /**
   * An iterator that goes on where it stopped: one that begins at the front passes the places of all that was moved
   * to the end, which are as many as there are columns. False when there is none but `kept`.
   */
  #dropOldest(kept: Series): boolean {
    let next = this.#oldest.next()
    if (next.done === true) {
      this.#oldest = this.#columns.entries()
      next = this.#oldest.next()
    }
    if (next.done === true || next.value[0] === kept) {
      this.#oldest = this.#columns.entries()
      return false
    }
    const [series, its] = next.value
    this.#columns.delete(series)
    this.#samples -= its
    series.column = null
    return true
  }
}

/** Objects and entries of a column, counted as samples of 16 bytes. */
const COLUMN_COST = 40

/** Where the old column goes on after the new stretch, it is kept: a graph of a day beside one of an hour. */
function overlapEnd(column: Column | null, fromMs: number, untilMs: number): number {
  return column !== null && fromMs < column.fromMs && untilMs >= column.fromMs - 1 ? column.toMs : untilMs
}
