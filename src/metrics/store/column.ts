// Owns the decoded samples of one series over one stretch of time, in two arrays that grow at their end.
// It refuses to answer for times that it does not cover; the cache of columns fills it.
import type { LoadedSamples } from '../promql/source.ts'
import { type Samples, searchTime } from './sample-column.ts'

const ROOM_MIN = 64
/** Of the samples there are: a column that is asked for every few seconds is copied once in a while, not each time. */
const ROOM_SHARE = 8
/** A series that falls more often than every eighth sample is no counter: its falls are not worth keeping. */
const FALLS_SHARE = 8

export class Column {
  /** It has every sample of the series with `fromMs <= time <= toMs`, and no other. */
  fromMs: number
  toMs: number
  #times: Float64Array
  #values: Float64Array
  #start = 0
  #end: number
  /** True once a value was NaN, of which stale markers are one. */
  #hasNan: boolean
  /** Absolute indexes of values below the one before, found up to `#fallsEnd`; null when they are too many. */
  #falls: number[] | null = []
  #fallsEnd = 1
  /** The earliest time asked for since the arrays were last copied: what lies before is left behind then. */
  #wantedMs: number

  /** Takes the arrays over. */
  constructor(samples: Samples, fromMs: number, toMs: number) {
    this.fromMs = fromMs
    this.toMs = toMs
    this.#times = samples.times
    this.#values = samples.values
    this.#end = samples.times.length
    this.#hasNan = hasNan(samples.values)
    this.#wantedMs = fromMs
  }

  /** Samples for which it has room: what it costs. */
  get capacity(): number {
    return this.#times.length
  }

  covers(fromMs: number, toMs: number): boolean {
    return fromMs >= this.fromMs && toMs <= this.toMs
  }

  /** Adds the samples after `toMs` and up to `untilMs`, for one who wants those from `wantedMs` on. */
  append({ times, values }: Samples, untilMs: number, wantedMs: number): void {
    this.toMs = untilMs
    if (wantedMs < this.#wantedMs) this.#wantedMs = wantedMs
    const more = times.length
    if (more === 0) return
    if (this.#end + more > this.#times.length) this.#copy(more)
    this.#times.set(times, this.#end)
    this.#values.set(values, this.#end)
    this.#end += more
    this.#hasNan ||= hasNan(values)
  }

  /**
   * Forgets everything at or after `timeMs`. Views that were given out stay as they are: what comes next goes into
   * new arrays.
   */
  cut(timeMs: number): void {
    if (timeMs > this.toMs) return
    this.toMs = timeMs - 1
    const end = this.#start + searchTime(this.#times.subarray(this.#start, this.#end), timeMs)
    this.#end = end
    this.#times = this.#times.subarray(0, end)
    this.#values = this.#values.subarray(0, end)
    while ((this.#falls?.at(-1) ?? -1) >= end) this.#falls?.pop()
    this.#fallsEnd = Math.min(this.#fallsEnd, Math.max(1, end))
  }

  /** Views of what is covered; valid until the caller gives the thread back. */
  between(fromMs: number, toMs: number): LoadedSamples {
    if (fromMs < this.#wantedMs) this.#wantedMs = fromMs
    const all = this.#times.subarray(this.#start, this.#end)
    const from = this.#start + (fromMs <= this.fromMs ? 0 : searchTime(all, fromMs))
    const to = toMs >= this.toMs ? this.#end : this.#start + searchTime(all, toMs + 1)
    return {
      times: this.#times.subarray(from, to),
      values: this.#values.subarray(from, to),
      known: { hasNan: this.#hasNan, falls: () => this.#fallsBetween(from, to) },
    }
  }

  /** Each sample is looked at once, however often `rate` asks. */
  #fallsBetween(from: number, to: number): readonly number[] | null {
    const values = this.#values
    for (let at = this.#fallsEnd; at < this.#end && this.#falls !== null; at += 1) {
      if ((values[at] ?? 0) < (values[at - 1] ?? 0)) this.#falls.push(at)
      if (this.#falls.length > ROOM_MIN + at / FALLS_SHARE) this.#falls = null
    }
    if (this.#falls === null) return null
    this.#fallsEnd = Math.max(1, this.#end)
    if (this.#falls.length === 0) return this.#falls
    return this.#falls.filter(at => at > from && at < to).map(at => at - from)
  }

  #copy(more: number): void {
    const kept = this.#times.subarray(this.#start, this.#end)
    const start = this.#start + (this.#wantedMs <= this.fromMs ? 0 : searchTime(kept, this.#wantedMs))
    const count = this.#end - start
    const room = count + more + ROOM_MIN + Math.floor(count / ROOM_SHARE)
    const times = new Float64Array(room)
    const values = new Float64Array(room)
    times.set(this.#times.subarray(start, this.#end))
    values.set(this.#values.subarray(start, this.#end))
    this.#times = times
    this.#values = values
    this.fromMs = Math.max(this.fromMs, this.#wantedMs)
    this.#wantedMs = Number.POSITIVE_INFINITY
    this.#start = 0
    this.#end = count
    this.#falls = []
    this.#fallsEnd = 1
  }
}

function hasNan(values: Float64Array): boolean {
  for (let at = 0; at < values.length; at += 1) {
    const value = values[at] ?? 0
    if (value !== value) return true
  }
  return false
}
