// Owns the figures of a server that does not exist: as many series as asked for, named as an agent names them, with
// counters that grow and gauges that swing. Pure: figures follow from the server's number and the second.
import type { Labels } from '#base'

interface Figure {
  readonly labels: Labels
  readonly at: (second: number) => number
}

/** Series, `count` of them, and their values at a second. */
export class MadeUpHost {
  readonly labels: readonly Labels[]
  readonly #figures: readonly Figure[]

  constructor(id: string, region: string, number: number, count: number) {
    const base = { job: 'vitrine-agent', instance: id, region }
    this.#figures = figuresOf(number, count).map(({ labels, at }) => ({ labels: { ...labels, ...base }, at }))
    this.labels = this.#figures.map(({ labels }) => labels)
  }

  values(second: number): Float64Array {
    return Float64Array.from(this.#figures, ({ at }) => at(second))
  }
}

const MODES = ['idle', 'user', 'system', 'iowait', 'irq', 'softirq', 'steal', 'nice'] as const
const IDLE_SHARE = 0.7
const CPUS = 8

function figuresOf(number: number, count: number): Figure[] {
  const gauge = (name: string, middle: number, labels: Labels = {}): Figure => {
    const periodS = 60 + ((number * 7 + name.length * 13) % 240)
    const at = (second: number): number => middle * (1 + 0.3 * Math.sin((2 * Math.PI * second) / periodS))
    return { labels: { __name__: name, ...labels }, at }
  }
  const counter = (name: string, aSecond: number, labels: Labels = {}): Figure => ({
    labels: { __name__: name, ...labels },
    at: second => Math.floor(aSecond * second * 100) / 100,
  })
  const list: Figure[] = [
    gauge('vitrine_clock_fleet_offset_seconds', 0.0004),
    counter('vitrine_server_cpu_seconds_total', 0.2),
    gauge('vitrine_server_resident_memory_bytes', 2e8),
    { labels: { __name__: 'vitrine_server_processes' }, at: () => 1 },
    { labels: { __name__: 'vitrine_server_process_stopped' }, at: () => 0 },
    counter('vitrine_agent_process_cpu_seconds_total', 0.2, { process: 'server' }),
    counter('vitrine_agent_process_cpu_seconds_total', 0.01, { process: 'agent' }),
    gauge('node_load1', 1),
    gauge('node_load5', 1),
    gauge('node_load15', 1),
    { labels: { __name__: 'node_memory_MemTotal_bytes' }, at: () => 16e9 },
    gauge('node_memory_MemAvailable_bytes', 8e9),
    counter('node_context_switches_total', 5000),
    ...['eth0', 'eth1'].flatMap(device => [
      counter('node_network_receive_bytes_total', 1e6, { device }),
      counter('node_network_transmit_bytes_total', 2e7, { device }),
    ]),
    ...['vda', 'vdb'].flatMap(device => [
      counter('node_disk_read_bytes_total', 1e5, { device }),
      counter('node_disk_written_bytes_total', 2e5, { device }),
    ]),
    ...['/', '/srv'].flatMap(mountpoint => [
      { labels: { __name__: 'node_filesystem_size_bytes', mountpoint }, at: () => 1e11 },
      gauge('node_filesystem_avail_bytes', 5e10, { mountpoint }),
    ]),
  ]
  for (let cpu = 0; cpu < CPUS; cpu += 1) {
    for (const mode of MODES) {
      const share = mode === 'idle' ? IDLE_SHARE : (1 - IDLE_SHARE) / (MODES.length - 1)
      list.push(counter('node_cpu_seconds_total', share, { cpu: String(cpu), mode }))
    }
  }
  for (let extra = list.length; extra < count; extra += 1) {
    list.push(gauge('vitrine_simulated_value', extra, { number: String(extra) }))
  }
  return list.slice(0, count)
}
