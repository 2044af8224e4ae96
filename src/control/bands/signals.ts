// Owns which signals of a server have a normal range, and how each is asked of the store. `$server` stands for its id.

export interface Signal {
  readonly name: string
  readonly unit: string
  readonly expr: string
  /** Differences smaller than this are nobody's business, whatever the history says: a sick clock costs whole cores and 40,000 switches a second. */
  readonly spreadMin: number
  /** Too low is no fault of it. */
  readonly highOnly: boolean
}

const server = 'instance="$server"'

export const signals: readonly Signal[] = [
  {
    name: 'cpu',
    unit: 'CPUs',
    expr: `sum(rate(vitrine_server_cpu_seconds_total{${server}}[15s]))`,
    spreadMin: 0.25,
    highOnly: true,
  },
  {
    // Not the load average: that falls for minutes after what is to be proven over.
    name: 'host-cpu',
    unit: 'CPUs',
    expr: `sum(rate(node_cpu_seconds_total{${server},mode!~"idle|iowait|steal"}[15s]))`,
    spreadMin: 0.5,
    highOnly: true,
  },
  {
    name: 'event-loop-delay',
    unit: 's',
    expr: `max(vitrine_process_event_loop_delay_seconds{${server},job=~"vitrine-(edge|origin)",quantile="0.99"})`,
    spreadMin: 0.1,
    highOnly: true,
  },
  {
    name: 'error-ratio',
    unit: '',
    expr: `sum(rate(vitrine_edge_requests_total{${server},status="5xx"}[30s])) / (sum(rate(vitrine_edge_requests_total{${server}}[30s])) > 0)`,
    spreadMin: 0.002,
    highOnly: true,
  },
  {
    name: 'first-byte',
    unit: 's',
    expr: `sum(rate(vitrine_edge_first_byte_seconds_sum{${server}}[30s])) / (sum(rate(vitrine_edge_first_byte_seconds_count{${server}}[30s])) > 0)`,
    spreadMin: 0.05,
    highOnly: true,
  },
  {
    name: 'clock-offset',
    unit: 's',
    expr: `max(abs(vitrine_clock_fleet_offset_seconds{${server}}))`,
    spreadMin: 0.01,
    highOnly: true,
  },
  {
    name: 'probe-time',
    unit: 's',
    expr: `max(vitrine_probe_http_seconds{${server},observer="control"})`,
    spreadMin: 0.1,
    highOnly: true,
  },
  {
    name: 'context-switches',
    unit: '/s',
    expr: `sum(rate(node_context_switches_total{${server}}[15s]))`,
    spreadMin: 5000,
    highOnly: true,
  },
]

export const signalNames: readonly [string, ...string[]] = [
  'cpu',
  'host-cpu',
  'event-loop-delay',
  'error-ratio',
  'first-byte',
  'clock-offset',
  'probe-time',
  'context-switches',
]

export function signalExpr({ expr }: Signal, id: string): string {
  return expr.replaceAll('$server', id)
}
