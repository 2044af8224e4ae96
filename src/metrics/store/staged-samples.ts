// Owns the samples of one request while they are judged: what is accepted goes to the log first, then into memory.
// It refuses duplicates, conflicts and stamps outside of what is allowed; an undone request leaves no trace.
import { isStale } from '../stale.ts'
import { OUT_OF_ORDER_WINDOW_MS, type Series } from './series.ts'
import type { RefusalReason } from './store.ts'

const AHEAD_MAX_MS = 10 * 60_000 // DESIGN, clock rule 2
/** 2^47 ms is the year 6429: stamps above it are in another unit. */
const TIME_MAX_MS = 2 ** 47
const FIRST_SAMPLES = 4096

export type Refusals = Record<RefusalReason, number>

const REASONS: readonly RefusalReason[] = [
  'duplicate',
  'conflict',
  'out-of-order',
  'too-old',
  'too-far-ahead',
  'series-limit',
  'sender-series-limit',
  'label-limit',
  'negative-counter',
  'invalid',
]

export function noRefusals(): Refusals {
  return Object.fromEntries(REASONS.map(reason => [reason, 0])) as Refusals
}

export function addRefusals(into: Refusals, more: Refusals): void {
  for (const reason of REASONS) into[reason] += more[reason]
}

/** Buffers are kept between requests. */
export class StagedSamples {
  #series: Series[] = []
  #ids = new Uint32Array(FIRST_SAMPLES)
  #times = new Float64Array(FIRST_SAMPLES)
  #values = new Float64Array(FIRST_SAMPLES)
  /** The newest stamp of the series before this sample; NaN for a late one, which does not change it. */
  #before = new Float64Array(FIRST_SAMPLES)
  #count = 0
  #oldestMs = 0
  #aheadMs = 0
  #seen: Map<Series, Map<number, number>> | null = null
  refused: Refusals = noRefusals()

  get count(): number {
    return this.#count
  }

  /** `nowMs` of the writer; samples before `oldestMs` are past the retention. */
  begin(nowMs: number, oldestMs: number): void {
    this.#count = 0
    this.#seen = null
    this.#oldestMs = oldestMs
    this.#aheadMs = Math.min(nowMs + AHEAD_MAX_MS, TIME_MAX_MS)
    this.refused = noRefusals()
  }

  /** `older` looks a stamp up that is not after the newest one of its series. */
  add(series: Series, timeMs: number, value: number, older: OlderValue): void {
    if (timeMs > series.newestMs && timeMs <= this.#aheadMs && timeMs >= this.#oldestMs) {
      // A whole number below 2^47 is exact; the check is for what is none.
      if (Math.floor(timeMs) === timeMs) {
        this.#push(series, timeMs, value, series.newestMs)
        series.newestMs = timeMs
        return
      }
    }
    const refusal = this.#judge(series, timeMs, value, older)
    if (refusal === null) this.#push(series, timeMs, value, Number.NaN)
    else this.refused[refusal] += 1
  }

  columns(): { ids: Uint32Array; times: Float64Array; values: Float64Array } {
    const count = this.#count
    for (let at = 0; at < count; at += 1) this.#ids[at] = this.#series[at]?.id ?? 0
    return {
      ids: this.#ids.subarray(0, count),
      times: this.#times.subarray(0, count),
      values: this.#values.subarray(0, count),
    }
  }

  /** Puts everything into memory; gives the newest stamp. */
  apply(): number {
    let newestMs = Number.NEGATIVE_INFINITY
    for (let at = 0; at < this.#count; at += 1) {
      const series = this.#series[at]
      const timeMs = this.#times[at] ?? 0
      const before = this.#before[at] ?? 0
      if (before !== before) series?.appendLate(timeMs, this.#values[at] ?? 0)
      else series?.append(timeMs, this.#values[at] ?? 0)
      if (timeMs > newestMs) newestMs = timeMs
    }
    return newestMs
  }

  undo(): void {
    for (let at = this.#count - 1; at >= 0; at -= 1) {
      const series = this.#series[at]
      const before = this.#before[at] ?? 0
      if (series !== undefined && before === before) series.newestMs = before
    }
    this.#count = 0
    this.#seen = null
  }

  #push(series: Series, timeMs: number, value: number, before: number): void {
    const at = this.#count
    if (at === this.#times.length) this.#grow()
    this.#series[at] = series
    this.#times[at] = timeMs
    this.#values[at] = value
    this.#before[at] = before
    this.#count = at + 1
    if (this.#seen !== null) remember(this.#seen, series, timeMs, value)
  }

  #judge(series: Series, timeMs: number, value: number, older: OlderValue): RefusalReason | null {
    if (!Number.isSafeInteger(timeMs) || timeMs < 0 || timeMs > TIME_MAX_MS) return 'invalid'
    if (timeMs > this.#aheadMs) return 'too-far-ahead'
    if (timeMs < this.#oldestMs) return 'too-old'
    if (timeMs < series.newestMs - OUT_OF_ORDER_WINDOW_MS) return 'out-of-order'
    const known = this.#staged().get(series)?.get(timeMs) ?? older(series, timeMs)
    if (known === undefined) return null
    return Object.is(known, value) && isStale(known) === isStale(value) ? 'duplicate' : 'conflict'
  }

  /** Made when the first late sample of a request asks for it. */
  #staged(): Map<Series, Map<number, number>> {
    if (this.#seen !== null) return this.#seen
    const seen = new Map<Series, Map<number, number>>()
    for (let at = 0; at < this.#count; at += 1) {
      const series = this.#series[at]
      if (series !== undefined) remember(seen, series, this.#times[at] ?? 0, this.#values[at] ?? 0)
    }
    this.#seen = seen
    return seen
  }

  #grow(): void {
    const capacity = this.#times.length * 2
    const larger = (old: Float64Array): Float64Array<ArrayBuffer> => {
      const next = new Float64Array(capacity)
      next.set(old)
      return next
    }
    this.#ids = new Uint32Array(capacity)
    this.#times = larger(this.#times)
    this.#values = larger(this.#values)
    this.#before = larger(this.#before)
  }
}

export type OlderValue = (series: Series, timeMs: number) => number | undefined

function remember(
  seen: Map<Series, Map<number, number>>,
  series: Series,
  timeMs: number,
  value: number,
): void {
  const times = seen.get(series)
  if (times === undefined) seen.set(series, new Map([[timeMs, value]]))
  else times.set(timeMs, value)
}
