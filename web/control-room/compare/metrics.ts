// Owns what can be compared: a short list of questions that have one line a server, each with its unit and the size
// of a difference that matters; and any PromQL besides.
import { cpu, gauge, throughput, watching, window } from '../charts/expressions.ts'
import type { Unit } from '../units.ts'

export interface CompareMetric {
  readonly id: string
  readonly title: string
  readonly note: string
  readonly unit: Unit
  /** The axis reaches at least this high. */
  readonly floorMax: number
  /** A smaller difference is of no interest, in the metric's own unit. */
  readonly matters: number
  readonly stepped?: boolean
  /** `matching` is empty, or a matcher of instances. */
  readonly expr: (matching: string, stepS: number) => string
}

function join(matching: string, own: string): string {
  return matching === '' ? own : `${matching},${own}`
}

function ratio(part: string, whole: string, stepS: number): string {
  const over = `[${Math.max(10, stepS + 2)}s]`
  return `sum by (instance) (rate(${part}${over})) / sum by (instance) (rate(${whole}${over}))`
}

export const COMPARE_METRICS: readonly [CompareMetric, ...CompareMetric[]] = [
  {
    id: 'cpu',
    title: 'CPU',
    note: 'cores in use, whole process group',
    unit: 'cores',
    floorMax: 0.1,
    matters: 0.01,
    expr: (matching, stepS) => cpu(matching).expr(stepS),
  },
  {
    id: 'host-cpu',
    title: 'Host CPU',
    note: 'cores in use by all processes of its host',
    unit: 'cores',
    floorMax: 0.1,
    matters: 0.05,
    expr: (matching, stepS) =>
      `sum by (instance) (rate(node_cpu_seconds_total{${join(matching, 'mode!~"idle|iowait"')}}${window(stepS)}))`,
  },
  {
    id: 'clock',
    title: 'Clock offset',
    note: 'host’s clock minus fleet time',
    unit: 'seconds',
    floorMax: 0.01,
    matters: 0.01,
    expr: (matching, stepS) =>
      `max by (instance) (${gauge(`vitrine_clock_fleet_offset_seconds{${matching}}`, stepS)})`,
  },
  {
    id: 'loop',
    title: 'Event loop',
    note: 'how late timers fire, 99 of 100',
    unit: 'seconds',
    floorMax: 0.005,
    matters: 0.002,
    expr: (matching, stepS) =>
      `max by (instance) (${gauge(`vitrine_process_event_loop_delay_seconds{${join(matching, 'quantile="0.99",job!="vitrine-agent"')}}`, stepS)})`,
  },
  {
    id: 'first-byte',
    title: 'First byte',
    note: 'of answers to viewers, 95 of 100 are faster',
    unit: 'seconds',
    floorMax: 0.01,
    matters: 0.005,
    expr: (matching, stepS) =>
      `histogram_quantile(0.95, sum by (instance, le) (rate(vitrine_edge_first_byte_seconds_bucket{${matching}}[${Math.max(10, stepS + 2)}s])))`,
  },
  {
    id: 'throughput',
    title: 'Throughput',
    note: 'bit/s sent to viewers',
    unit: 'bits',
    floorMax: 1_000_000,
    matters: 100_000,
    expr: (matching, stepS) => throughput(matching).expr(stepS),
  },
  {
    id: 'requests',
    title: 'Requests',
    note: 'a second',
    unit: 'perSecond',
    floorMax: 1,
    matters: 0.5,
    expr: (matching, stepS) =>
      `sum by (instance) (rate(vitrine_edge_requests_total{${matching}}${window(stepS)}))`,
  },
  {
    id: 'errors',
    title: 'Error ratio',
    note: '5xx of all answers',
    unit: 'percent',
    floorMax: 0.01,
    matters: 0.01,
    expr: (matching, stepS) =>
      ratio(
        `vitrine_edge_requests_total{${join(matching, 'status="5xx"')}}`,
        `vitrine_edge_requests_total{${matching}}`,
        stepS,
      ),
  },
  {
    id: 'hits',
    title: 'Hit ratio',
    note: 'answered without the origin',
    unit: 'percent',
    floorMax: 1,
    matters: 0.05,
    expr: (matching, stepS) =>
      ratio(
        `vitrine_edge_cache_requests_total{${join(matching, 'result=~"memory|disk|shared|stale"')}}`,
        `vitrine_edge_cache_requests_total{${matching}}`,
        stepS,
      ),
  },
  {
    id: 'memory',
    title: 'Memory',
    note: 'resident, whole process group',
    unit: 'bytes',
    floorMax: 1,
    matters: 5_000_000,
    expr: (matching, stepS) =>
      `max by (instance) (${gauge(`vitrine_server_resident_memory_bytes{${matching}}`, stepS)})`,
  },
  {
    id: 'viewers',
    title: 'Viewers',
    note: 'watching now',
    unit: 'count',
    floorMax: 4,
    matters: 1,
    stepped: true,
    expr: (matching, stepS) => watching(matching).expr(stepS),
  },
]

/** Typed by a person; its unit is not known. */
export const PROMQL = 'promql'

export function readMetric(search: URLSearchParams): CompareMetric | null {
  const asked = search.get('metric')
  if (asked === PROMQL) return null
  return COMPARE_METRICS.find(({ id }) => id === asked) ?? COMPARE_METRICS[0]
}
