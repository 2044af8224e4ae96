// Owns the workload of the metrics bench: what an edge's host and server report, 120 series of them, each second.
// It refuses chance: everything follows from the number of the edge. The model is that of a node exporter beside a
// video server: counters in hundredths, byte counters, gauges in pages, constants, buckets, and one ratio.
import type { Labels } from '#base'

export const SERIES_AN_EDGE = 120
const REGIONS = ['eu-west', 'eu-north', 'us-east', 'us-west', 'ap-south', 'sa-east']
const BOUNDS = ['0.005', '0.01', '0.025', '0.05', '0.1', '0.25', '0.5', '1', '2.5', '+Inf']
const MODES = ['idle', 'iowait', 'irq', 'nice', 'softirq', 'steal', 'system', 'user']

type Random = () => number
/** The next value of a series. */
type Signal = () => number

interface Definition {
  readonly labels: Labels
  readonly make: (random: Random) => Signal
}

/** A small generator (xorshift), so that every engine gets the same numbers in every run. */
export function makeRandom(seed: number): Random {
  let state = seed | 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 4294967296
  }
}

/** Grows by up to `most` whole steps of `unit` in `share` of the seconds. */
function counter(unit: number, most: number, share = 1): (random: Random) => Signal {
  return random => {
    let steps = Math.floor(random() * 1e4 * most)
    return () => {
      if (random() < share) steps += Math.floor(random() * most)
      return unit < 1 ? steps / Math.round(1 / unit) : steps * unit
    }
  }
}

/** Walks by up to `most` steps of `unit` around a start, in `share` of the seconds. */
function gauge(start: number, unit: number, most: number, share = 1): (random: Random) => Signal {
  return random => {
    let steps = Math.floor((start * (0.7 + 0.6 * random())) / unit)
    return () => {
      if (random() < share) steps = Math.max(0, steps + Math.round((random() - 0.5) * most))
      return unit < 1 ? steps / Math.round(1 / unit) : steps * unit
    }
  }
}

function constant(value: number): (random: Random) => Signal {
  return () => () => value
}

const ratio =
  (random: Random): Signal =>
  () =>
    1 - (0.06 * Math.floor(random() * 300)) / (1 + Math.floor(random() * 300))

/** A small collector of definitions for one edge. */
class Definitions {
  readonly all: Definition[] = []
  readonly #base: Labels

  constructor(edge: number) {
    const instance = `edge-${String(edge).padStart(4, '0')}:9100`
    this.#base = { instance, job: 'node', region: REGIONS[edge % REGIONS.length] ?? '' }
  }

  add(name: string, make: (random: Random) => Signal, labels: Labels = {}): void {
    this.all.push({ labels: { ...this.#base, ...labels, __name__: name }, make })
  }
}

function hostSeries(into: Definitions): void {
  for (let cpu = 0; cpu < 4; cpu += 1) {
    for (const mode of MODES) {
      const share = { idle: 1, user: 1, system: 1, softirq: 0.7, iowait: 0.15, steal: 0.03 }[mode] ?? 0
      const signal = share === 0 ? constant(0) : counter(0.01, mode === 'idle' ? 90 : 30, share)
      into.add('node_cpu_seconds_total', signal, { cpu: String(cpu), mode })
    }
  }
  for (const [at, name] of ['node_load1', 'node_load5', 'node_load15'].entries())
    into.add(name, gauge(2, 0.01, 9 >> at, 0.2))
  for (const name of ['MemTotal', 'SwapFree']) into.add(`node_memory_${name}_bytes`, constant(17_179_869_184))
  for (const name of ['MemFree', 'MemAvailable', 'Cached', 'Active'])
    into.add(`node_memory_${name}_bytes`, gauge(6e9, 4096, 800, 0.8))
  for (const name of ['Buffers', 'Inactive', 'Dirty', 'Slab'])
    into.add(`node_memory_${name}_bytes`, gauge(4e8, 4096, 40, 0.3))
  for (const device of ['eth0', 'eth1']) {
    const busy = device === 'eth0' ? 1 : 0.01
    for (const name of ['receive_bytes', 'transmit_bytes', 'receive_packets'])
      into.add(`node_network_${name}_total`, counter(1, 6e7 * busy, 0.3 + busy), { device })
    for (const name of ['transmit_packets', 'receive_drop', 'receive_errs'])
      into.add(`node_network_${name}_total`, counter(1, 5, 0.01), { device })
  }
  for (const device of ['sda', 'sdb']) {
    const share = device === 'sda' ? 1 : 0.1
    for (const name of ['reads_completed', 'writes_completed'])
      into.add(`node_disk_${name}_total`, counter(1, 90, share), { device })
    for (const name of ['read_bytes', 'written_bytes'])
      into.add(`node_disk_${name}_total`, counter(4096, 700, share), { device })
    for (const name of ['io_time', 'read_time', 'write_time'])
      into.add(`node_disk_${name}_seconds_total`, counter(0.001, 150, share), { device })
  }
  for (const mountpoint of ['/', '/var/cache', '/boot']) {
    into.add('node_filesystem_size_bytes', constant(53_687_091_200), { mountpoint, fstype: 'ext4' })
    const share = mountpoint === '/' ? 0.3 : mountpoint === '/boot' ? 0 : 1
    into.add('node_filesystem_avail_bytes', gauge(4e10, 4096, 400, share), { mountpoint, fstype: 'ext4' })
  }
  for (const name of ['InSegs', 'OutSegs', 'RetransSegs', 'ActiveOpens'])
    into.add(`node_netstat_Tcp_${name}`, counter(1, 9000))
  into.add('node_netstat_Tcp_CurrEstab', gauge(1800, 1, 20))
  for (const name of ['node_context_switches_total', 'node_intr_total']) into.add(name, counter(1, 22_000))
  into.add('node_forks_total', counter(1, 6, 0.4))
  into.add('node_procs_running', gauge(4, 1, 3))
  into.add('node_boot_time_seconds', constant(1_690_000_000))
  into.add('up', constant(1))
}

function edgeSeries(into: Definitions): void {
  const job = { job: 'edge' }
  for (const channel of ['ch1', 'ch2', 'ch3', 'ch4']) {
    into.add('edge_viewers', gauge(500, 1, 8, 0.6), { ...job, channel })
    into.add('edge_viewer_bytes_total', counter(1, 6e7), { ...job, channel })
    into.add('edge_requests_total', counter(1, 200), { ...job, channel, code: '200' })
    into.add('edge_requests_total', counter(1, 2, 0.05), { ...job, channel, code: '404' })
  }
  // Each bucket holds what the smaller ones hold, so they come from one signal.
  let seen = new Float64Array(0)
  for (const [at, le] of BOUNDS.entries()) {
    const make = (random: Random): Signal => {
      if (at === 0) seen = new Float64Array(BOUNDS.length).fill(Math.floor(random() * 1e6))
      const own = seen
      let total = own[at] ?? 0
      return () => {
        const added = Math.floor((random() * 120) / (at + 1))
        own[at] = added + (at === 0 ? 0 : (own[at - 1] ?? 0))
        if (at === 0) own[0] = added
        total += own[at] ?? 0
        return total
      }
    }
    into.add('edge_segment_seconds_bucket', make, { ...job, le })
  }
  into.add('edge_segment_seconds_sum', counter(0.000_001, 2e7), job)
  into.add('edge_segment_seconds_count', counter(1, 500), job)
  into.add('process_cpu_seconds_total', counter(0.01, 60), job)
  into.add('process_resident_memory_bytes', gauge(4e8, 4096, 40, 0.3), job)
  into.add('process_open_fds', gauge(1400, 1, 6, 0.5), job)
  into.add('edge_cache_hit_ratio', ratio, job)
}

/** One edge: label sets, and the values of each next second. */
export interface Edge {
  readonly labels: readonly Labels[]
  next(into: Float64Array): void
}

/** `only` keeps these metric names. */
export function makeEdge(edge: number, only: ReadonlySet<string> | null): Edge {
  const definitions = new Definitions(edge)
  hostSeries(definitions)
  edgeSeries(definitions)
  if (definitions.all.length !== SERIES_AN_EDGE) throw new Error(`${definitions.all.length} series an edge`)
  const random = makeRandom(0x9e3779b9 ^ Math.imul(edge + 1, 2_654_435_761))
  const kept = definitions.all.filter(one => only === null || only.has(one.labels['__name__'] ?? ''))
  const signals = kept.map(one => one.make(random))
  return {
    labels: kept.map(one => one.labels),
    next: into => {
      for (let at = 0; at < signals.length; at += 1) into[at] = signals[at]?.() ?? 0
    },
  }
}
