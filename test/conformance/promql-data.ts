// Owns the samples of the PromQL comparison: gauges, counters with resets, gaps, stale markers, NaN, infinities, buckets.
// It refuses chance: everything follows from a seed. Stamps lie 137 ms past the second, so that no window or look-back
// edge falls on a sample: Prometheus 2.42 closes windows on the left, Prometheus 3 and we do not.
import type { Labels } from '#base'
import { staleMarker, type WriteSeries } from '#metrics'
import { Random } from './random.ts'

const START_MS = 1_700_000_000_137
const STEP_MS = 15_000
const STEPS = 160 // 40 minutes

type Sample = WriteSeries['samples'][number]
type Signal = (step: number) => number | null

function series(labels: Labels, signal: Signal): WriteSeries {
  const samples: Sample[] = []
  for (let step = 0; step < STEPS; step += 1) {
    const value = signal(step)
    if (value !== null) samples.push({ timestampMs: START_MS + step * STEP_MS, value })
  }
  return { labels, samples }
}

/**
 * Begins high: where a series begins inside a window, 3 limits the extension to the left before it looks where the
 * counter would be zero, and 2.42 does it in the other order. range-functions.test.ts has the rule of 3.
 */
function counter(next: () => number, resetEvery: number): Signal {
  let total = 50_000 + Math.floor(next() * 100)
  return step => {
    total = step % resetEvery === resetEvery - 1 ? Math.floor(next() * 5) : total + Math.floor(next() * 50)
    return total
  }
}

const REGIONS = ['eu', 'eu', 'us', 'us', 'ap']

export function comparisonData(seed: number): WriteSeries[] {
  const random = new Random(seed)
  const next = (): number => random.next()
  const all: WriteSeries[] = []
  REGIONS.forEach((region, index) => {
    const base = { instance: `i${index}`, region, job: 'edge' }
    let level = 20 + index
    all.push(
      series({ __name__: 'load', ...base }, () => (level += next() - 0.5)),
      series({ __name__: 'load_gappy', ...base }, step => (step % 40 > 12 + index * 3 ? next() * 10 : null)),
      series({ __name__: 'temperature', ...base }, step => Math.sin(step / 7 + index) * 30),
      series(
        { __name__: 'capacity', instance: base.instance, zone: `z${index % 2}` },
        () => 100 * (index + 1),
      ),
      series({ __name__: 'region_info', region, number: String(index % 2), extra: `x${region}` }, () =>
        REGIONS.indexOf(region) === index ? 1 : null,
      ),
    )
    for (const code of ['200', '404', '500']) {
      const signal = counter(next, 37 + index * 5)
      all.push(series({ __name__: 'requests_total', ...base, code }, signal))
    }
    all.push(
      series({ __name__: 'requests_rare_total', ...base }, step =>
        step > 30 ? Math.floor(step / 20) : null,
      ),
      ...buckets(base, next),
    )
  })
  all.push(
    series({ __name__: 'ended' }, step => (step === 100 ? staleMarker() : step < 100 ? step : null)),
    series({ __name__: 'blinking' }, step => (step % 10 === 9 ? staleMarker() : step)),
    series({ __name__: 'odd', kind: 'nan' }, step => (step % 3 === 0 ? Number.NaN : step)),
    series({ __name__: 'odd', kind: 'inf' }, step => (step % 4 === 0 ? Infinity : step + 0.5)),
    series({ __name__: 'odd', kind: 'neginf' }, step => (step % 5 === 0 ? -Infinity : -step)),
    series({ __name__: 'odd', kind: 'tiny' }, step => step * 1e-9),
    series({ __name__: 'odd', kind: 'huge' }, step => step * 1e22),
    series({ __name__: 'constant' }, () => 7),
    series({ __name__: 'epoch' }, step => 951_782_400 + step * 86_400 * 11.3),
  )
  return all.filter(one => one.samples.length > 0)
}

function buckets(base: Labels, next: () => number): WriteSeries[] {
  const bounds = ['0.01', '0.1', '0.5', '1', '+Inf']
  const totals = bounds.map((_, at) => 100_000 * (at + 1))
  const history: number[][] = []
  for (let step = 0; step < STEPS; step += 1) {
    const where = Math.floor(next() * bounds.length)
    for (let at = 0; at < bounds.length; at += 1) {
      totals[at] = (totals[at] ?? 0) + (at >= where ? 10 + step : at)
      if (at > 0) totals[at] = Math.max(totals[at] ?? 0, totals[at - 1] ?? 0)
    }
    history.push([...totals])
  }
  return bounds.map((le, at) =>
    series({ __name__: 'latency_seconds_bucket', ...base, le }, step => history[step]?.[at] ?? 0),
  )
}
