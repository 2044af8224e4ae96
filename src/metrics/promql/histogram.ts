// Owns histogram_quantile on classic buckets. It refuses native histograms, which the store does not hold.
// See https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile
import { parseNumber } from '../format-number.ts'
import { labelsKey, METRIC_NAME, valueOf, withoutLabels } from '../labels.ts'
import { newRow, type Row } from './frame.ts'

interface Bucket {
  readonly upper: number
  count: number
}

const DROPPED: ReadonlySet<string> = new Set([METRIC_NAME, 'le'])

export function histogramQuantile(quantiles: Float64Array, rows: readonly Row[], count: number): Row[] {
  const groups = new Map<string, { row: Row; members: { upper: number; row: Row }[] }>()
  for (const row of rows) {
    const upper = parseNumber(valueOf(row.labels, 'le'))
    if (upper === null) continue
    const labels = withoutLabels(row.labels, DROPPED)
    const key = labelsKey(labels)
    let group = groups.get(key)
    if (group === undefined) groups.set(key, (group = { row: newRow(labels, count), members: [] }))
    group.members.push({ upper, row })
  }
  for (const { row, members } of groups.values()) {
    members.sort((a, b) => a.upper - b.upper)
    for (let step = 0; step < count; step += 1) {
      const buckets: Bucket[] = []
      for (const member of members) {
        if (member.row.present[step] === 0) continue
        const last = buckets.at(-1)
        const value = member.row.values[step] ?? 0
        // "1" and "1.0" are one bucket.
        if (last !== undefined && last.upper === member.upper) last.count += value
        else buckets.push({ upper: member.upper, count: value })
      }
      if (buckets.length === 0) continue
      row.present[step] = 1
      row.values[step] = bucketQuantile(quantiles[step] ?? Number.NaN, buckets)
    }
  }
  return [...groups.values()].map(group => group.row)
}

/** `buckets` ascend by their upper bound and count cumulatively. */
function bucketQuantile(quantile: number, buckets: Bucket[]): number {
  if (Number.isNaN(quantile)) return Number.NaN
  if (quantile < 0) return -Infinity
  if (quantile > 1) return Infinity
  const last = buckets.at(-1)
  if (last === undefined || last.upper !== Infinity || buckets.length < 2) return Number.NaN
  makeMonotonic(buckets)
  if (last.count === 0 || Number.isNaN(last.count)) return Number.NaN
  let rank = quantile * last.count
  const found = buckets.findIndex((bucket, index) => index < buckets.length - 1 && bucket.count >= rank)
  const index = found < 0 ? buckets.length - 1 : found
  const bucket = buckets[index] ?? last
  // In the last bucket there is no upper bound to interpolate to.
  if (index === buckets.length - 1) return buckets[index - 1]?.upper ?? Number.NaN
  if (index === 0 && bucket.upper <= 0) return bucket.upper
  const before = buckets[index - 1]
  const lower = before?.upper ?? 0
  const inBucket = bucket.count - (before?.count ?? 0)
  rank -= before?.count ?? 0
  return lower + (bucket.upper - lower) * (rank / inBucket)
}

/** Counts read at different moments may fall; tiny differences are the rounding of rates (Prometheus 3: 1e-12). */
function makeMonotonic(buckets: Bucket[]): void {
  let most = buckets[0]?.count ?? 0
  for (const bucket of buckets) {
    const isClose = Math.abs(bucket.count - most) <= 1e-12 * Math.min(Math.abs(bucket.count), Math.abs(most))
    if (bucket.count < most || isClose) bucket.count = most
    else most = bucket.count
  }
}
