// Owns histogram_quantile on classic buckets. It refuses native histograms, which the store does not hold.
// See https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile
import type { Labels } from '#base'
import { parseNumber } from '../format-number.ts'
import { keyWithout, METRIC_NAME, valueOf, withoutLabels } from '../labels.ts'
import { newRow, type Row } from './frame.ts'
import { InstantFrame } from './instant-frame.ts'
import type { HistogramPlan, InstantState } from './instant-operators.ts'
import type { QueryMeter } from './meter.ts'
import type { PlaceMemo } from './place-memo.ts'
import { forEach, type Steps } from './steps.ts'

const DROPPED: ReadonlySet<string> = new Set([METRIC_NAME, 'le'])

/** Which bucket of which histogram a label set names. */
export interface Bucket {
  readonly upper: number
  readonly key: string
  readonly labels: Labels
}

interface Group {
  readonly row: Row
  readonly members: { readonly upper: number; readonly row: Row }[]
}

export function* histogramQuantile(
  quantiles: Float64Array,
  [rows, buckets]: readonly [readonly Row[], PlaceMemo<Bucket | null>],
  count: number,
  meter: QueryMeter,
): Steps<Row[]> {
  const groups = yield* groupRows(rows, buckets, count, meter)
  for (const { row, members } of groups) {
    members.sort((a, b) => a.upper - b.upper)
    const sorted = new Buckets(members.length)
    for (let step = 0; step < count; step += 1) {
      sorted.length = 0
      for (const { upper, row: own } of members) {
        if (own.present[step] === 1) sorted.add(upper, own.values[step] ?? 0)
      }
      if (sorted.length === 0) continue
      row.present[step] = 1
      row.values[step] = sorted.quantile(quantiles[step] ?? Number.NaN)
    }
    meter.work(count * members.length)
    if (meter.isSliceOver) yield
  }
  return groups.map(group => group.row)
}

/** The same at one instant, in columns. */
export function histogramInstant(
  quantile: number,
  frame: InstantFrame,
  { histograms }: InstantState,
  meter: QueryMeter,
): InstantFrame {
  const plan = histograms.of(frame.labels, null, () => planHistograms(frame.labels))
  const { labels, starts, members, uppers, results } = plan
  const sorted = new Buckets(members.length)
  for (let at = 0; at < labels.length; at += 1) {
    sorted.length = 0
    const end = starts[at + 1] ?? 0
    for (let next = starts[at] ?? 0; next < end; next += 1)
      sorted.add(uppers[next] ?? 0, frame.values[members[next] ?? 0] ?? 0)
    results[at] = sorted.quantile(quantile)
  }
  meter.work(members.length)
  return new InstantFrame(labels, results)
}

function planHistograms(rows: readonly Labels[]): HistogramPlan {
  const groups = new Map<string, { labels: Labels; members: { upper: number; at: number }[] }>()
  for (const [at, own] of rows.entries()) {
    const bucket = bucketOf(own)
    if (bucket === null) continue
    const { key, upper, labels } = bucket
    let group = groups.get(key)
    if (group === undefined) groups.set(key, (group = { labels, members: [] }))
    group.members.push({ upper, at })
  }
  const all = [...groups.values()]
  const sorted = all.flatMap(({ members }) => members.sort((a, b) => a.upper - b.upper))
  const starts = new Int32Array(all.length + 1)
  for (const [at, { members }] of all.entries()) starts[at + 1] = (starts[at] ?? 0) + members.length
  return {
    labels: all.map(({ labels }) => labels),
    starts,
    members: Int32Array.from(sorted, ({ at }) => at),
    uppers: Float64Array.from(sorted, ({ upper }) => upper),
    results: new Float64Array(all.length),
  }
}

/** Label sets and bounds are read once a query, not once a step. */
function* groupRows(
  rows: readonly Row[],
  buckets: PlaceMemo<Bucket | null>,
  count: number,
  meter: QueryMeter,
): Steps<Group[]> {
  const groups = new Map<string, Group>()
  let at = 0
  yield* forEach(rows, meter, row => {
    const bucket = buckets.of(at++, row.labels, bucketOf)
    if (bucket === null) return
    const { key, upper } = bucket
    let group = groups.get(key)
    if (group === undefined) {
      meter.samples(count)
      groups.set(key, (group = { row: newRow(bucket.labels, count), members: [] }))
    }
    group.members.push({ upper, row })
  })
  buckets.end(at)
  return [...groups.values()]
}

function bucketOf(labels: Labels): Bucket | null {
  const upper = parseNumber(valueOf(labels, 'le'))
  if (upper === null) return null
  return { upper, key: keyWithout(labels, DROPPED), labels: withoutLabels(labels, DROPPED) }
}

/** The buckets of one group at one step, ascending by their upper bound and counting cumulatively; reused. */
class Buckets {
  length = 0
  readonly #uppers: Float64Array
  readonly #counts: Float64Array

  constructor(max: number) {
    this.#uppers = new Float64Array(max)
    this.#counts = new Float64Array(max)
  }

  add(upper: number, count: number): void {
    const last = this.length - 1
    // "1" and "1.0" are one bucket.
    if (last >= 0 && this.#uppers[last] === upper) this.#counts[last] = (this.#counts[last] ?? 0) + count
    else {
      this.#uppers[this.length] = upper
      this.#counts[this.length++] = count
    }
  }

  quantile(quantile: number): number {
    if (Number.isNaN(quantile)) return Number.NaN
    if (quantile < 0) return -Infinity
    if (quantile > 1) return Infinity
    const uppers = this.#uppers
    const counts = this.#counts
    const last = this.length - 1
    if (last < 1 || uppers[last] !== Infinity) return Number.NaN
    this.#makeMonotonic()
    const total = counts[last] ?? 0
    if (total === 0 || Number.isNaN(total)) return Number.NaN
    const rank = quantile * total
    let index = 0
    while (index < last && !((counts[index] ?? 0) >= rank)) index += 1
    // In the last bucket there is no upper bound to interpolate to.
    if (index === last) return uppers[last - 1] ?? Number.NaN
    const upper = uppers[index] ?? Number.NaN
    if (index === 0 && upper <= 0) return upper
    const lower = index === 0 ? 0 : (uppers[index - 1] ?? 0)
    const before = index === 0 ? 0 : (counts[index - 1] ?? 0)
    return lower + (upper - lower) * ((rank - before) / ((counts[index] ?? 0) - before))
  }

  /** Counts read at different moments may fall; tiny differences are the rounding of rates (Prometheus 3: 1e-12). */
  #makeMonotonic(): void {
    const counts = this.#counts
    let most = counts[0] ?? 0
    for (let at = 0; at < this.length; at += 1) {
      const count = counts[at] ?? 0
      const isClose = Math.abs(count - most) <= 1e-12 * Math.min(Math.abs(count), Math.abs(most))
      if (count < most || isClose) counts[at] = most
      else most = count
    }
  }
}
