// Owns the metrics of the host under node_exporter's names. It refuses to fail: a file that cannot be read is left
// out and counted.
import { readdirSync, readFileSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import type { Labels, MetricFamily, MetricType, SamplePoint } from '#base'
import { readDisks, readLoad, readMemory, readMountpoints, readNetwork, readSystemStat } from './proc-text.ts'
import { timexFamilies } from './timex-metrics.ts'

const DEVICES_MAX = 64 // interfaces, disks and file systems each; a host with more shows the first
const FILESYSTEMS_EVERY_PASSES = 10 // statfs may reach over a network; sizes move slowly

/** Reads the host at each `collect`. */
export class HostMetrics {
  readonly #folder: string
  readonly #onUnreadable: (file: string) => void
  readonly #linksFolder: string
  #passes = 0
  #speeds: MetricFamily[] = []
  #filesystems: MetricFamily[] = []

  constructor(onUnreadable: (file: string) => void, folder = '/proc', linksFolder = '/sys/class/net') {
    this.#onUnreadable = onUnreadable
    this.#folder = folder
    this.#linksFolder = linksFolder
  }

  collect(): MetricFamily[] {
    if (this.#passes % FILESYSTEMS_EVERY_PASSES === 0) {
      this.#filesystems = this.#readFilesystems()
      this.#speeds = this.#readSpeeds()
    }
    this.#passes += 1
    return [
      ...this.#part('stat', text => systemFamilies(text)),
      ...this.#part('loadavg', text => loadFamilies(text)),
      ...this.#part('meminfo', text => memoryFamilies(text)),
      ...this.#part('net/dev', text =>
        deviceFamilies(
          'node_network_receive_bytes_total',
          'node_network_transmit_bytes_total',
          readNetwork(text),
        ),
      ),
      ...this.#speeds,
      ...this.#part('diskstats', text =>
        deviceFamilies('node_disk_read_bytes_total', 'node_disk_written_bytes_total', readDisks(text)),
      ),
      ...this.#filesystems,
      ...timexFamilies(),
    ]
  }

  #part(file: string, read: (text: string) => MetricFamily[] | null): MetricFamily[] {
    try {
      const families = read(readFileSync(join(this.#folder, file), 'utf8'))
      if (families !== null) return families
    } catch {
      // Counted below like a file of unknown form.
    }
    this.#onUnreadable(file)
    return []
  }

  /** Of links that know it: loopback, most virtual ones and those without a cable do not, and have no series. */
  #readSpeeds(): MetricFamily[] {
    const name = 'node_network_speed_bytes'
    let devices: readonly string[]
    try {
      devices = readdirSync(this.#linksFolder).toSorted().slice(0, DEVICES_MAX)
    } catch {
      return [] // no /sys in some containers
    }
    const points = devices.flatMap((device): SamplePoint[] => {
      try {
        const megabits = Number(readFileSync(join(this.#linksFolder, device, 'speed'), 'utf8'))
        if (!Number.isFinite(megabits) || megabits <= 0) return [] // -1: not known
        return [{ name, labels: { device }, value: (megabits * 1e6) / 8 }]
      } catch {
        return []
      }
    })
    return points.length === 0 ? [] : [family(name, 'gauge', points)]
  }

  #readFilesystems(): MetricFamily[] {
    return this.#part('mounts', text => {
      const sizes: SamplePoint[] = []
      const available: SamplePoint[] = []
      for (const mountpoint of readMountpoints(text).slice(0, DEVICES_MAX)) {
        try {
          const { blocks, bavail, bsize } = statfsSync(mountpoint)
          if (blocks === 0) continue
          sizes.push({ name: 'node_filesystem_size_bytes', labels: { mountpoint }, value: blocks * bsize })
          available.push({
            name: 'node_filesystem_avail_bytes',
            labels: { mountpoint },
            value: bavail * bsize,
          })
        } catch {
          this.#onUnreadable(mountpoint)
        }
      }
      return [
        family('node_filesystem_size_bytes', 'gauge', sizes),
        family('node_filesystem_avail_bytes', 'gauge', available),
      ]
    })
  }
}

/** What each host metric tells somebody who looks at it. */
const help: Readonly<Record<string, string>> = {
  node_cpu_seconds_total:
    'Seconds that each CPU spent in each mode. Little idle time left: the host is the limit.',
  node_context_switches_total:
    'Context switches. Thousands more than usual under the same load: something spins.',
  node_load1: 'Load average over 1 minute. It lags: prefer CPU seconds for alerts.',
  node_load5: 'Load average over 5 minutes.',
  node_load15: 'Load average over 15 minutes.',
  node_memory_MemTotal_bytes: 'Memory of the host.',
  node_memory_MemAvailable_bytes:
    'Memory that programs can still take without swapping. Near 0: the host will kill processes.',
  node_network_receive_bytes_total: 'Bytes received by network interface.',
  node_network_transmit_bytes_total:
    'Bytes sent by network interface. Flat at the link speed: the link is the limit.',
  node_network_speed_bytes:
    'Bytes a second that the link can carry. Lower than it should be: a cable, a port or its other end.',
  node_disk_read_bytes_total: 'Bytes read by disk.',
  node_disk_written_bytes_total: 'Bytes written by disk.',
  node_filesystem_size_bytes: 'Size of the file system.',
  node_filesystem_avail_bytes:
    'Bytes left on the file system. Near 0: caches and the metrics store stop keeping.',
}

function family(name: string, type: MetricType, points: readonly SamplePoint[]): MetricFamily {
  return { name, type, help: help[name] ?? '', points }
}

function single(name: string, type: MetricType, value: number, labels: Labels = {}): MetricFamily {
  return family(name, type, [{ name, labels, value }])
}

function systemFamilies(text: string): MetricFamily[] | null {
  const stat = readSystemStat(text)
  if (stat === null) return null
  const name = 'node_cpu_seconds_total'
  const points = stat.cpus.flatMap(({ cpu, seconds }) =>
    Object.entries(seconds).map(([mode, value]) => ({ name, labels: { cpu, mode }, value })),
  )
  const switches = stat.contextSwitches
  return [
    family(name, 'counter', points),
    ...(switches === null ? [] : [single('node_context_switches_total', 'counter', switches)]),
  ]
}

function loadFamilies(text: string): MetricFamily[] | null {
  const load = readLoad(text)
  if (load === null) return null
  return [
    single('node_load1', 'gauge', load[0]),
    single('node_load5', 'gauge', load[1]),
    single('node_load15', 'gauge', load[2]),
  ]
}

function memoryFamilies(text: string): MetricFamily[] | null {
  const memory = readMemory(text)
  if (memory === null) return null
  return [
    single('node_memory_MemTotal_bytes', 'gauge', memory.totalBytes),
    single('node_memory_MemAvailable_bytes', 'gauge', memory.availableBytes),
  ]
}

function deviceFamilies(
  inName: string,
  outName: string,
  devices: readonly { device: string; inBytes: number; outBytes: number }[],
): MetricFamily[] {
  const shown = devices.slice(0, DEVICES_MAX)
  return [
    family(
      inName,
      'counter',
      shown.map(({ device, inBytes }) => ({ name: inName, labels: { device }, value: inBytes })),
    ),
    family(
      outName,
      'counter',
      shown.map(({ device, outBytes }) => ({ name: outName, labels: { device }, value: outBytes })),
    ),
  ]
}
