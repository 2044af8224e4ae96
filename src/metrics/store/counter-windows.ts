// Owns windows over counters that move on with each round of rules: of each series what stands at both ends, how many
// samples lie between, and where it fell. A round reads the newest sample of a series instead of three hundred.
// It refuses what is not plain (late samples, NaN, what is on the disk alone): `unsure`, and the samples are read.
import type { Clock, Labels } from '#base'
import type { Matcher } from '../matchers.ts'
import type { FollowedWindows, LoadedSamples, Meter, WindowEnds } from '../promql/source.ts'
import { FoundSeries, type SelectedWindow } from './found-series.ts'
import type { Head } from './head.ts'
import type { Samples } from './sample-column.ts'
import type { Series } from './series.ts'

/** Longer ranges reach beyond what is sure to be in memory. */
const FOLLOWED_RANGE_MS_MAX = 15 * 60_000
/** Some 330 bytes each: 100 MB. Above it, samples are read anew each round. */
const FOLLOWED_MAX = 300_000
/** Samples that come after the first one, read ahead: each is the first one of a round. */
const AHEAD = 16
/** They are looked for in this stretch of time: as many as that at one a second. */
const AHEAD_MS = AHEAD * 1000
/** The place has no window that could move on. */
const NONE = -1

interface FollowOptions {
  /** The very same array as long as no series comes or goes. */
  readonly find: () => readonly Series[]
  readonly read: SelectedWindow['read']
  readonly clock: Clock
  /** Earlier samples are past the retention. */
  readonly oldestMs: () => number
  /** So many more, or fewer, are followed. */
  readonly onSize: (more: number) => void
}

/** Of each series the place in these columns. */
class Columns {
  readonly firstMs: Float64Array
  readonly first: Float64Array
  readonly lastMs: Float64Array
  readonly last: Float64Array
  readonly counts: Int32Array
  readonly epochs: Int32Array
  readonly aheadMs: Float64Array
  readonly ahead: Float64Array
  readonly aheadFrom: Uint8Array
  readonly aheadTo: Uint8Array
  /** Stamps of the samples that are below the one before, each followed by the value of that one. */
  readonly falls: (number[] | null)[]

  constructor(size: number) {
    this.firstMs = new Float64Array(size)
    this.first = new Float64Array(size)
    this.lastMs = new Float64Array(size)
    this.last = new Float64Array(size)
    this.counts = new Int32Array(size).fill(NONE)
    this.epochs = new Int32Array(size)
    this.aheadMs = new Float64Array(size * AHEAD)
    this.ahead = new Float64Array(size * AHEAD)
    this.aheadFrom = new Uint8Array(size)
    this.aheadTo = new Uint8Array(size)
    this.falls = Array.from({ length: size }, () => null)
  }

  take(to: number, other: Columns, from: number): void {
    this.firstMs[to] = other.firstMs[from] ?? 0
    this.first[to] = other.first[from] ?? 0
    this.lastMs[to] = other.lastMs[from] ?? 0
    this.last[to] = other.last[from] ?? 0
    this.counts[to] = other.counts[from] ?? NONE
    this.epochs[to] = other.epochs[from] ?? 0
    const [low, high] = [from * AHEAD, (from + 1) * AHEAD]
    this.aheadMs.set(other.aheadMs.subarray(low, high), to * AHEAD)
    this.ahead.set(other.ahead.subarray(low, high), to * AHEAD)
    this.aheadFrom[to] = other.aheadFrom[from] ?? 0
    this.aheadTo[to] = other.aheadTo[from] ?? 0
    this.falls[to] = other.falls[from] ?? null
  }
}

/** All windows of one store. */
export class Followed {
  readonly #options: Omit<FollowOptions, 'find' | 'onSize'> & { readonly head: Head }
  #size = 0

  constructor(options: Omit<FollowOptions, 'find' | 'onSize'> & { readonly head: Head }) {
    this.#options = options
  }

  /** Null: the range is too long, or there are too many already. */
  follow(matchers: readonly Matcher[], rangeMs: number): CounterWindows | null {
    if (rangeMs > FOLLOWED_RANGE_MS_MAX || this.#size >= FOLLOWED_MAX) return null
    const { head, read, clock, oldestMs } = this.#options
    const onSize = (more: number): void => {
      this.#size += more
    }
    return new CounterWindows({ find: () => head.select(matchers), read, clock, oldestMs, onSize }, rangeMs)
  }
}

class CounterWindows implements FollowedWindows {
  readonly ends: WindowEnds = { firstMs: 0, first: 0, lastMs: 0, last: 0, count: 0, lost: 0 }
  alive = 0
  readonly #options: FollowOptions
  readonly #rangeMs: number
  #found: readonly Series[] = []
  #columns = new Columns(0)
  #window: SelectedWindow | null = null
  #startMs = 0
  #endMs = 0

  constructor(options: FollowOptions, rangeMs: number) {
    this.#options = options
    this.#rangeMs = rangeMs
  }

  begin(endMs: number, meter: Meter): number {
    const found = this.#options.find()
    if (found !== this.#found) this.#move(found)
    this.#endMs = endMs
    this.#startMs = endMs - this.#rangeMs
    this.alive = 0
    this.#window = {
      fromMs: Math.max(this.#startMs + 1, this.#options.oldestMs()),
      toMs: endMs,
      meter,
      clock: this.#options.clock,
      read: this.#options.read,
    }
    return found.length
  }

  labels(at: number): Labels {
    return this.#series(at).labels
  }

  unnamed(at: number): Labels {
    return this.#series(at).unnamed
  }

  samples(at: number): LoadedSamples {
    if (this.#window === null) throw new TypeError('samples before a moment was given')
    return new FoundSeries(this.#series(at), this.#window).glance()
  }

  look(at: number): 'found' | 'none' | 'unsure' {
    const series = this.#series(at)
    if (series.newestMs <= this.#startMs || series.oldestMs > this.#endMs) return 'none'
    this.alive += 1
    const columns = this.#columns
    const isKept = (columns.counts[at] ?? NONE) > 0 && columns.epochs[at] === series.epoch
    if (!isKept || !this.#advance(at, series)) {
      columns.counts[at] = NONE
      if (!this.#rebuild(at, series)) return 'unsure'
    }
    return this.#show(at)
  }

  close(): void {
    this.#move([])
  }

  #series(at: number): Series {
    const series = this.#found[at]
    if (series === undefined) throw new RangeError(`no series at ${at}`)
    return series
  }

  /** Series have come or gone; both lists are in the order of ids. */
  #move(found: readonly Series[]): void {
    const [old, oldColumns] = [this.#found, this.#columns]
    this.#options.onSize(found.length - old.length)
    this.#columns = new Columns(found.length)
    this.#found = found
    let from = 0
    for (const [to, series] of found.entries()) {
      while (from < old.length && (old[from]?.id ?? 0) < series.id) from += 1
      if (old[from] === series) this.#columns.take(to, oldColumns, from)
    }
  }

  /** False: it cannot be told from what is kept. */
  #advance(at: number, series: Series): boolean {
    return this.#takeNewer(at, series) && this.#dropOlder(at, series)
  }

  #takeNewer(at: number, series: Series): boolean {
    const columns = this.#columns
    const lastMs = columns.lastMs[at] ?? 0
    if (this.#endMs < lastMs) return false
    if (series.newestMs <= lastMs) return true
    const { times, values } = series.after(lastMs, this.#endMs)
    for (let next = 0; next < times.length; next += 1) {
      const value = values[next] ?? 0
      const before = columns.last[at] ?? 0
      if (value !== value) return false
      if (value < before) (columns.falls[at] ??= []).push(times[next] ?? 0, before)
      columns.last[at] = value
      columns.lastMs[at] = times[next] ?? 0
      columns.counts[at] = (columns.counts[at] ?? 0) + 1
    }
    return true
  }

  #dropOlder(at: number, series: Series): boolean {
    const columns = this.#columns
    while ((columns.firstMs[at] ?? 0) <= this.#startMs) {
      const left = (columns.counts[at] ?? 0) - 1
      if (left <= 0) return false
      let next = columns.aheadFrom[at] ?? 0
      if (next === columns.aheadTo[at]) {
        if (!this.#readAhead(at, series)) return false
        next = 0
      }
      columns.counts[at] = left
      columns.firstMs[at] = columns.aheadMs[at * AHEAD + next] ?? 0
      columns.first[at] = columns.ahead[at * AHEAD + next] ?? 0
      columns.aheadFrom[at] = next + 1
    }
    return true
  }

  #readAhead(at: number, series: Series): boolean {
    const columns = this.#columns
    const fromMs = (columns.firstMs[at] ?? 0) + 1
    const lastMs = columns.lastMs[at] ?? 0
    if (fromMs < series.memoryFromMs) return false
    let samples = series.glance(fromMs, Math.min(lastMs, fromMs + AHEAD_MS))
    if (samples.times.length === 0) samples = series.glance(fromMs, lastMs)
    this.#keepAhead(at, samples, 0, AHEAD)
    return samples.times.length > 0
  }

  #keepAhead(at: number, { times, values }: Samples, from: number, most: number): void {
    const { aheadMs, ahead, aheadFrom, aheadTo } = this.#columns
    const count = Math.min(most, times.length - from)
    for (let next = 0; next < count; next += 1) {
      aheadMs[at * AHEAD + next] = times[from + next] ?? 0
      ahead[at * AHEAD + next] = values[from + next] ?? 0
    }
    aheadFrom[at] = 0
    aheadTo[at] = Math.max(0, count)
  }

  /** From all samples of the window. False: they are not plain ones. */
  #rebuild(at: number, series: Series): boolean {
    const fromMs = this.#window?.fromMs ?? 0
    if (series.hasLate || fromMs < series.memoryFromMs) return false
    const samples = series.glance(fromMs, this.#endMs)
    const { times, values } = samples
    const falls: number[] = []
    for (let next = 0; next < values.length; next += 1) {
      const value = values[next] ?? 0
      if (value !== value) return false
      const before = values[next - 1] ?? value
      if (next > 0 && value < before) falls.push(times[next] ?? 0, before)
    }
    const columns = this.#columns
    const count = times.length
    columns.counts[at] = count
    columns.epochs[at] = series.epoch
    columns.firstMs[at] = times[0] ?? 0
    columns.first[at] = values[0] ?? 0
    columns.lastMs[at] = times[count - 1] ?? 0
    columns.last[at] = values[count - 1] ?? 0
    columns.falls[at] = falls.length > 0 ? falls : null
    // Not all at once: they would read ahead in the same round for ever.
    this.#keepAhead(at, samples, 1, 1 + (series.id % AHEAD))
    return true
  }

  #show(at: number): 'found' | 'none' {
    const columns = this.#columns
    const count = columns.counts[at] ?? 0
    if (count < 2) return 'none'
    const { ends } = this
    ends.count = count
    ends.firstMs = columns.firstMs[at] ?? 0
    ends.first = columns.first[at] ?? 0
    ends.lastMs = columns.lastMs[at] ?? 0
    ends.last = columns.last[at] ?? 0
    ends.lost = this.#lost(at, ends.firstMs)
    return 'found'
  }

  #lost(at: number, firstMs: number): number {
    const falls = this.#columns.falls[at] ?? null
    if (falls === null) return 0
    let gone = 0
    while (gone < falls.length && (falls[gone] ?? 0) <= firstMs) gone += 2
    if (gone > 0) falls.splice(0, gone)
    if (falls.length === 0) this.#columns.falls[at] = null
    let lost = 0
    for (let fall = 1; fall < falls.length; fall += 2) lost += falls[fall] ?? 0
    return lost
  }
}
