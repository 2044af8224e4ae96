// Owns how two servers behaved over an hour: the middle of the minutes of each metric side by side, and how far they are
// apart. A median of few minutes is none, and a difference that nobody would notice is none either.
import type { Log } from '#base'
import type { MetricsStore } from '#metrics'
import type { BehaviourDifference, BehaviourFigures } from '#wire'

const MINUTE_MS = 60_000
export const COMPARED_MS: number = 60 * MINUTE_MS
/** Fewer minutes than this say nothing about an hour. */
export const MINUTES_MIN = 5
/** Twice as much is far; a third more is worth a look. */
const FAR = 2
const SOME = 1.35

interface Metric extends Pick<BehaviourDifference, 'id' | 'title' | 'note' | 'unit'> {
  /** A difference smaller than this interests nobody; in the metric's unit. */
  readonly matters: number
  readonly expr: (servers: string) => string
}

const sent = (servers: string): string =>
  `sum by (instance) (rate(vitrine_edge_sent_bytes_total{${servers}}[1m])) * 8`
const ofRequests = (part: string, whole: string): string =>
  `sum by (instance) (rate(${part}[1m])) / sum by (instance) (rate(${whole}[1m]))`

const metrics: readonly Metric[] = [
  {
    id: 'cpu',
    title: 'CPU',
    note: 'cores in use, whole process group',
    unit: 'cores',
    matters: 0.02,
    expr: servers => `sum by (instance) (rate(vitrine_server_cpu_seconds_total{${servers}}[1m]))`,
  },
  {
    id: 'memory',
    title: 'Memory',
    note: 'resident, whole process group',
    unit: 'bytes',
    matters: 16e6,
    expr: servers =>
      `max by (instance) (avg_over_time(vitrine_server_resident_memory_bytes{${servers}}[1m]))`,
  },
  {
    id: 'first-byte',
    title: 'First byte',
    note: 'to viewers, 95 of 100 are faster',
    unit: 'seconds',
    matters: 0.005,
    expr: servers =>
      `histogram_quantile(0.95, sum by (instance, le) (rate(vitrine_edge_first_byte_seconds_bucket{${servers}}[1m])))`,
  },
  {
    id: 'misses',
    title: 'Asked of the origin',
    note: 'requests that the cache did not answer',
    unit: 'percent',
    matters: 0.02,
    expr: servers =>
      `1 - ${ofRequests(`vitrine_edge_cache_requests_total{${servers},result=~"memory|disk|shared|stale"}`, `vitrine_edge_cache_requests_total{${servers}}`)}`,
  },
  {
    id: 'errors',
    title: 'Errors',
    note: '5xx of all answers',
    unit: 'percent',
    matters: 0.002,
    expr: servers =>
      `(sum by (instance) (rate(vitrine_edge_requests_total{${servers},status="5xx"}[1m])) or 0 * sum by (instance) (rate(vitrine_edge_requests_total{${servers}}[1m]))) / sum by (instance) (rate(vitrine_edge_requests_total{${servers}}[1m]))`,
  },
  {
    id: 'clock',
    title: 'Clock offset',
    note: 'host’s clock minus fleet time',
    unit: 'seconds',
    matters: 0.005,
    expr: servers => `max by (instance) (avg_over_time(vitrine_clock_fleet_offset_seconds{${servers}}[1m]))`,
  },
  {
    id: 'per-viewer',
    title: 'Throughput a viewer',
    note: 'sent, by who is watching',
    unit: 'bits',
    matters: 100_000,
    expr: servers =>
      `${sent(servers)} / (sum by (instance) (avg_over_time(vitrine_fleet_watching{${servers}}[1m])) > 0.5)`,
  },
]

export interface Behaviour {
  readonly fromMs: number
  readonly toMs: number
  readonly metrics: BehaviourDifference[]
}

export interface BehaviourParts {
  readonly store: MetricsStore
  readonly log: Log
}

/** Over the hour that ends with the last whole minute. Metrics that neither has are left out. */
export async function compareBehaviour(
  parts: BehaviourParts,
  [a, b]: readonly [string, string],
  nowMs: number,
): Promise<Behaviour> {
  const toMs = Math.floor(nowMs / MINUTE_MS) * MINUTE_MS
  const fromMs = toMs - COMPARED_MS + MINUTE_MS
  const found: BehaviourDifference[] = []
  for (const { expr, ...metric } of metrics) {
    const minutes = await ask(parts, expr(`instance=~"${a}|${b}"`), fromMs, toMs)
    const [left, right] = [figuresOf(minutes.get(a) ?? []), figuresOf(minutes.get(b) ?? [])]
    if (left === null && right === null) continue
    const { matters, ...shown } = metric
    found.push({ ...shown, a: left, b: right, ...distance(left, right, matters) })
  }
  return { fromMs, toMs, metrics: ranked(found) }
}

/** The middle, and the quarters beside it; null without a minute. */
export function figuresOf(minutes: readonly number[]): BehaviourFigures | null {
  if (minutes.length === 0) return null
  const sorted = minutes.toSorted((x, y) => x - y)
  const at = (share: number): number => {
    const place = share * (sorted.length - 1)
    const [below, above] = [sorted[Math.floor(place)] ?? 0, sorted[Math.ceil(place)] ?? 0]
    return below + (above - below) * (place - Math.floor(place))
  }
  return { median: at(0.5), low: at(0.25), high: at(0.75), n: sorted.length }
}

/**
 * `matters` is added to the smaller one, so that nothing against almost nothing is not a thousandfold. For offsets with
 * a sign it is their difference that counts.
 */
export function distance(
  a: BehaviourFigures | null,
  b: BehaviourFigures | null,
  matters: number,
): Pick<BehaviourDifference, 'apart' | 'times'> {
  if (a === null || b === null || a.n < MINUTES_MIN || b.n < MINUTES_MIN)
    return { apart: 'unknown', times: null }
  const between = Math.abs(a.median - b.median)
  const times = 1 + between / (Math.min(Math.abs(a.median), Math.abs(b.median)) + matters)
  const overlap = a.low <= b.high && b.low <= a.high
  if (between < matters || overlap || times < SOME) return { apart: 'near', times }
  return { apart: times >= FAR ? 'far' : 'some', times }
}

const order = ['far', 'some', 'near', 'unknown'] as const

function ranked(found: readonly BehaviourDifference[]): BehaviourDifference[] {
  return found.toSorted(
    (x, y) => order.indexOf(x.apart) - order.indexOf(y.apart) || (y.times ?? 0) - (x.times ?? 0),
  )
}

/** A store that cannot answer costs the figures, never the facts. */
async function ask(
  { store, log }: BehaviourParts,
  text: string,
  fromMs: number,
  toMs: number,
): Promise<ReadonlyMap<string, readonly number[]>> {
  try {
    const { value } = await store.ask({ text, fromMs, toMs, stepMs: MINUTE_MS })
    if (value.kind !== 'matrix') return new Map()
    return new Map(
      value.items.map(({ labels, values }) => [
        labels['instance'] ?? '',
        [...values].filter(Number.isFinite),
      ]),
    )
  } catch (error) {
    log.warn('diff-figures-missing', { error })
    return new Map()
  }
}
