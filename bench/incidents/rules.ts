// Owns the rules of the incidents bench: two hundred such as fleets have, and one for each probe of latency.
// It refuses rules that nobody would write: each looks at all edges, as rules do, and most come as a warning and a
// critical one with the same expression.

interface BenchRule {
  readonly record?: string
  readonly alert?: string
  readonly expr: string
  readonly for?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

export const RULES = 200
export const PROBES = 20
export const MIXTURE =
  '24 recording rules by instance, 16 by region, 6 of the fleet; alerts: 36 on recorded series, 24 on gauges, ' +
  '24 on rates, 16 on ratios, 14 joins on(instance), 12 comparisons of regions, 10 absent, 14 over time, 4 counts'

const REGIONS = ['eu-west', 'eu-north', 'us-east', 'us-west', 'ap-south', 'sa-east']
const BY = 'by (instance, region)'

/** Name of the recorded series, expression, and what nobody of the workload reaches (warning, critical). */
const RECORDED: readonly (readonly [string, string, string])[] = [
  ['cpu_busy:ratio', `1 - avg ${BY} (rate(node_cpu_seconds_total{mode="idle"}[1m]))`, '> 0.7 > 0.9'],
  ['cpu_iowait:ratio', `avg ${BY} (rate(node_cpu_seconds_total{mode="iowait"}[1m]))`, '> 0.2 > 0.4'],
  ['cpu_steal:ratio', `avg ${BY} (rate(node_cpu_seconds_total{mode="steal"}[1m]))`, '> 0.1 > 0.2'],
  [
    'cpu_utilisation:rate5m',
    `1 - avg ${BY} (sum without (mode) (rate(node_cpu_seconds_total{mode=~"idle|iowait|steal"}[5m])))`,
    '> 0.8 > 0.95',
  ],
  ['net_tx:rate1m', `sum ${BY} (rate(node_network_transmit_bytes_total[1m]))`, '> 5e7 > 8e7'],
  ['net_rx:rate1m', `sum ${BY} (rate(node_network_receive_bytes_total[1m]))`, '> 5e7 > 8e7'],
  [
    'net_drop:ratio',
    `sum ${BY} (rate(node_network_receive_drop_total[5m])) / sum ${BY} (rate(node_network_receive_packets_total[5m]))`,
    '> 0.01 > 0.05',
  ],
  ['disk_busy:ratio', `max ${BY} (rate(node_disk_io_time_seconds_total[1m]))`, '> 0.7 > 0.9'],
  [
    'disk_write_latency:mean',
    'rate(node_disk_write_time_seconds_total[1m]) / rate(node_disk_writes_completed_total[1m])',
    '> 0.1 > 0.5',
  ],
  ['memory_used:ratio', '1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes', '> 0.9 > 0.95'],
  ['filesystem_free:ratio', 'node_filesystem_avail_bytes / node_filesystem_size_bytes', '< 0.1 < 0.05'],
  [
    'load:per_core',
    'node_load1 / on (instance) group_left count by (instance) (node_cpu_seconds_total{mode="idle"})',
    '> 0.644 > 2',
  ],
  ['requests:rate1m', `sum ${BY} (rate(edge_requests_total[1m]))`, '> 2000 > 4000'],
  [
    'errors:ratio5m',
    `sum ${BY} (rate(edge_requests_total{code!="200"}[5m])) / sum ${BY} (rate(edge_requests_total[5m]))`,
    '> 0.01 > 0.05',
  ],
  ['viewers:sum', `sum ${BY} (edge_viewers)`, '> 3000 > 4000'],
  ['viewer_bytes:rate1m', `sum ${BY} (rate(edge_viewer_bytes_total[1m]))`, '> 4e8 > 8e8'],
  [
    'segment_seconds:p90',
    `histogram_quantile(0.9, sum by (instance, region, le) (rate(edge_segment_seconds_bucket[1m])))`,
    '> 2 > 4',
  ],
  [
    'segment_seconds:p99',
    `histogram_quantile(0.99, sum by (instance, region, le) (rate(edge_segment_seconds_bucket[5m])))`,
    '> 3 > 5',
  ],
]
const RECORDED_ONLY: readonly (readonly [string, string])[] = [
  ['cpu_system:ratio', `avg ${BY} (rate(node_cpu_seconds_total{mode="system"}[1m]))`],
  ['segment_seconds:mean', 'rate(edge_segment_seconds_sum[1m]) / rate(edge_segment_seconds_count[1m])'],
  ['tcp_retrans:ratio', 'rate(node_netstat_Tcp_RetransSegs[1m]) / rate(node_netstat_Tcp_OutSegs[1m])'],
  ['process_cpu:rate1m', 'rate(process_cpu_seconds_total[1m])'],
  ['hit_ratio:avg5m', 'avg_over_time(edge_cache_hit_ratio[5m])'],
  ['bytes_per_viewer:rate1m', 'instance:viewer_bytes:rate1m / instance:viewers:sum'],
]
const GAUGES = [
  'node_load1 > 2.58 > 40',
  'node_load5 > 2.59 > 30',
  'node_load15 > 8 > 20',
  'node_procs_running > 60 > 100',
  'node_memory_MemFree_bytes < 1e9 < 5e8',
  'node_memory_Dirty_bytes > 2e9 > 4e9',
  'node_memory_SwapFree_bytes < 1e9 < 1e8',
  'node_netstat_Tcp_CurrEstab > 9000 > 20000',
  'process_open_fds > 4000 > 8000',
  'process_resident_memory_bytes > 2e9 > 4e9',
  'edge_viewers > 648 > 5000',
  'node_filesystem_avail_bytes{mountpoint!="/boot"} < 5e9 < 1e9',
]
const RATES = [
  'rate(node_network_receive_errs_total[5m]) > 1 > 10',
  'rate(node_network_receive_drop_total[5m]) > 1 > 10',
  'rate(node_network_transmit_bytes_total{device="eth0"}[1m]) > 1e8 > 1.2e8',
  'rate(node_context_switches_total[1m]) > 1e5 > 1e6',
  'rate(node_intr_total[1m]) > 1e5 > 1e6',
  'rate(node_forks_total[5m]) > 50 > 500',
  'rate(node_disk_read_bytes_total[1m]) > 1e9 > 2e9',
  'rate(node_disk_written_bytes_total[1m]) > 1e9 > 2e9',
  'increase(edge_requests_total{code="404"}[5m]) > 1000 > 10000',
  'irate(process_cpu_seconds_total[1m]) > 4 > 8',
  'sum by (instance) (rate(edge_viewer_bytes_total[1m])) > 1e9 > 2e9',
  'rate(node_netstat_Tcp_ActiveOpens[1m]) > 1e5 > 1e6',
]
const RATIOS = [
  '1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[5m])) > 0.8 > 0.95',
  'sum by (instance) (rate(edge_requests_total{code="404"}[1m])) / sum by (instance) (rate(edge_requests_total[1m])) > 0.05 > 0.2',
  'rate(node_netstat_Tcp_RetransSegs[5m]) / rate(node_netstat_Tcp_OutSegs[5m]) > 3 > 5',
  'node_memory_Dirty_bytes / node_memory_MemTotal_bytes > 0.2 > 0.4',
  'rate(node_disk_read_time_seconds_total[5m]) / rate(node_disk_reads_completed_total[5m]) > 0.5 > 1',
  'rate(edge_segment_seconds_sum[5m]) / rate(edge_segment_seconds_count[5m]) > 1 > 4',
  'node_load5 / node_load15 > 4 > 8',
  'sum by (instance) (rate(node_network_receive_drop_total[1m])) / sum by (instance) (rate(node_network_receive_packets_total[1m])) > 0.02 > 0.1',
]
const JOINED = [
  ['cpu_busy:ratio', '> 0.8'],
  ['cpu_iowait:ratio', '> 0.3'],
  ['net_tx:rate1m', '> 6e7'],
  ['disk_busy:ratio', '> 0.8'],
  ['errors:ratio5m', '> 0.02'],
  ['segment_seconds:p90', '> 1'],
  ['requests:rate1m', '< 1'],
] as const
const REGIONAL = [
  'net_tx:rate1m',
  'requests:rate1m',
  'viewers:sum',
  'viewer_bytes:rate1m',
  'cpu_busy:ratio',
  'disk_busy:ratio',
] as const
const FLEET = [
  'net_tx:rate1m',
  'net_rx:rate1m',
  'requests:rate1m',
  'viewers:sum',
  'viewer_bytes:rate1m',
] as const
const OVER_TIME = [
  'predict_linear(node_filesystem_avail_bytes{mountpoint="/"}[5m], 4 * 3600) < 0',
  'predict_linear(node_memory_MemAvailable_bytes[5m], 3600) < 0',
  'deriv(process_resident_memory_bytes[5m]) > 1e7',
  'changes(node_boot_time_seconds[5m]) > 0',
  'changes(up[5m]) > 4',
  'resets(edge_segment_seconds_count[5m]) > 1',
  'resets(process_cpu_seconds_total[5m]) > 1',
  'max_over_time(node_load1[5m]) > 30',
  'min_over_time(up[1m]) < 1',
  'avg_over_time(node_procs_running[5m]) > 50',
  'quantile_over_time(0.9, node_load1[5m]) > 20',
  'stddev_over_time(edge_viewers[5m]) > 400',
  'last_over_time(instance:hit_ratio:avg5m[1m]) < -5',
  'histogram_quantile(0.99, sum by (region, le) (rate(edge_segment_seconds_bucket[5m]))) > 3',
]
const COUNTS = [
  'up == 0',
  'count by (region) (up == 0) / count by (region) (up) > 0.2',
  'topk(3, instance:errors:ratio5m) > 0.05',
  'time() - node_boot_time_seconds < 600',
]

function recording(): readonly BenchRule[] {
  const own = [...RECORDED, ...RECORDED_ONLY].map(([name, expr]) => ({ record: `instance:${name}`, expr }))
  const sums = [...REGIONAL, 'net_rx:rate1m', 'memory_used:ratio'].map(name => ({
    record: `region:${name}`,
    expr: `${name.endsWith('ratio') ? 'avg' : 'sum'} by (region) (instance:${name})`,
  }))
  const most = [...REGIONAL, 'load:per_core'].map(name => ({
    record: `region:${name}:max`,
    expr: `max by (region) (instance:${name})`,
  }))
  const up = { record: 'region:up:ratio', expr: 'avg by (region) (up)' }
  const fleet = FLEET.map(name => ({ record: `fleet:${name}`, expr: `sum (region:${name})` }))
  const slow = {
    record: 'fleet:segment_seconds:p99',
    expr: 'histogram_quantile(0.99, sum by (le) (rate(edge_segment_seconds_bucket[5m])))',
  }
  return [...own, ...sums, ...most, up, ...fleet, slow]
}

/** `EXPR > 1 > 2` becomes a warning above 1 and a critical one above 2. */
function twice(name: string, written: string): readonly BenchRule[] {
  const [, expr = '', warning = '', critical = ''] = /^(.*?) ([<>] \S+) ([<>] \S+)$/.exec(written) ?? []
  return [
    alert(`${name}High`, `${expr} ${warning}`, 'warning', '1m'),
    alert(`${name}Critical`, `${expr} ${critical}`, 'critical', '30s'),
  ]
}

function alert(name: string, expr: string, severity: string, waits: string): BenchRule {
  const annotations = { summary: '{{ $labels.instance }} in {{ $labels.region }}: {{ $value | humanize }}' }
  return { alert: name, expr, for: waits, labels: { severity }, annotations }
}

function groups(): readonly (readonly [string, readonly BenchRule[]])[] {
  const each = (sort: string, list: readonly string[]): readonly BenchRule[] =>
    list.map((expr, at) => alert(`${sort}${at}`, expr, 'warning', '1m'))
  return [
    ['recording', recording()],
    [
      'recorded',
      RECORDED.flatMap(([name, , bounds], at) => twice(`Recorded${at}`, `instance:${name} ${bounds}`)),
    ],
    ['gauges', GAUGES.flatMap((written, at) => twice(`Gauge${at}`, written))],
    ['rates', RATES.flatMap((written, at) => twice(`Rate${at}`, written))],
    ['ratios', RATIOS.flatMap((written, at) => twice(`Ratio${at}`, written))],
    [
      'joins',
      each(
        'Join',
        JOINED.flatMap(([name, bound]) => [
          `instance:${name} ${bound} and on (instance) instance:viewers:sum > 100`,
          `instance:${name} > on (region) group_left 8 * avg by (region) (instance:${name})`,
        ]),
      ),
    ],
    [
      'regions',
      each(
        'Region',
        REGIONAL.flatMap(name => [
          `region:${name} < 0.5 * (region:${name} offset 1m)`,
          `sum by (region) (instance:${name}) / count by (region) (instance:${name}) > 2 * scalar(avg(instance:${name}))`,
        ]),
      ),
    ],
    [
      'absent',
      each('Absent', [
        ...REGIONS.map(region => `absent(up{region="${region}"})`),
        ...['edge_viewers', 'edge_requests_total', 'node_load1'].map(name => `absent(${name})`),
        'absent_over_time(edge_cache_hit_ratio[1m])',
      ]),
    ],
    ['over-time', each('OverTime', OVER_TIME)],
    ['counts', each('Count', COUNTS)],
  ]
}

/** Both rule files as text: JSON is YAML. */
export function ruleFile(): string {
  const made = groups()
  const count = made.reduce((sum, [, rules]) => sum + rules.length, 0)
  if (count !== RULES)
    throw new Error(`${count} rules: ${made.map(([name, rules]) => `${name} ${rules.length}`).join(', ')}`)
  return JSON.stringify({ groups: made.map(([name, rules]) => ({ name, rules })) }, null, 1)
}

export function probeFile(): string {
  const rules = Array.from({ length: PROBES }, (_, at) => ({
    alert: probeAlert(at),
    expr: `bench_probe{instance="probe-${at}"} > 10`,
    labels: { severity: 'critical' },
  }))
  return JSON.stringify({ groups: [{ name: 'probes', rules }] }, null, 1)
}

export function probeAlert(at: number): string {
  return `BenchProbe${String(at).padStart(2, '0')}`
}
