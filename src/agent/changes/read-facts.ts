// Owns reading a host's facts from /proc, /etc and the package list. Files that did not change are not read again.
import { createHash, X509Certificate } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { packageVersion } from '#base'
import {
  type Facts,
  factKey,
  hardwareOf,
  parameterOf,
  readDpkgStatus,
  readOsName,
  timeSourceOf,
} from './facts.ts'

/** dpkg's list of a full desktop has 10 MB. */
const FILE_BYTES_MAX = 32 * 1024 * 1024
const DPKG_STATUS = '/var/lib/dpkg/status'
const HASH_CHARACTERS = 12

const sysctls = [
  'fs.file-max',
  'net.core.default_qdisc',
  'net.core.netdev_max_backlog',
  'net.core.rmem_max',
  'net.core.somaxconn',
  'net.core.wmem_max',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_congestion_control',
  'net.ipv4.tcp_mtu_probing',
  'net.ipv4.tcp_notsent_lowat',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_slow_start_after_idle',
  'net.ipv4.tcp_wmem',
  'vm.dirty_ratio',
  'vm.swappiness',
] as const

/** Those that decide how fast a host sends. */
const parameterFiles: readonly (readonly [name: string, file: string])[] = [
  ...sysctls.map(name => [name, `/proc/sys/${name.replaceAll('.', '/')}`] as const),
  ['cpu governor', '/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor'],
  ['transparent huge pages', '/sys/kernel/mm/transparent_hugepage/enabled'],
]

export interface FactSources {
  /** Configuration of the server beside the agent. */
  readonly configFiles: readonly string[]
  readonly certificateFiles: readonly string[]
  readonly watchedPid: () => number | null
}

/** Reads again and again; remembers what it read of files that did not change since. */
export class FactReader {
  readonly #sources: FactSources
  #dpkgStamp = ''
  #packages: ReadonlyMap<string, string> = new Map()

  constructor(sources: FactSources) {
    this.#sources = sources
  }

  read(): Facts {
    const facts = new Map<string, string>()
    facts.set(factKey('version', 'vitrine'), packageVersion)
    facts.set(factKey('version', 'node'), process.version)
    this.#put(facts, 'version', 'os', readOsName(textOf('/etc/os-release') ?? ''))
    this.#put(facts, 'kernel', 'linux', textOf('/proc/sys/kernel/osrelease')?.trim() ?? null)
    this.#put(facts, 'boot', 'id', textOf('/proc/sys/kernel/random/boot_id')?.trim() ?? null)
    facts.set(factKey('time-source', 'daemon'), timeSourceOf(processNames()))
    for (const [name, file] of parameterFiles) this.#put(facts, 'parameter', name, parameterOf(textOf(file)))
    for (const [name, value] of hardwareOf(textOf('/proc/cpuinfo') ?? '', textOf('/proc/meminfo') ?? ''))
      facts.set(factKey('hardware', name), value)
    this.#put(facts, 'process', 'server', startOf(this.#sources.watchedPid()))
    for (const [name, version] of this.#readPackages()) facts.set(factKey('package', name), version)
    for (const file of this.#sources.configFiles) this.#put(facts, 'configuration', file, hashOf(file))
    for (const file of this.#sources.certificateFiles)
      this.#put(facts, 'certificate', file, certificateOf(file))
    return facts
  }

  #put(
    facts: Map<string, string>,
    kind: Parameters<typeof factKey>[0],
    subject: string,
    value: string | null,
  ): void {
    if (value !== null) facts.set(factKey(kind, subject), value)
  }

  #readPackages(): ReadonlyMap<string, string> {
    const stamp = stampOf(DPKG_STATUS)
    if (stamp !== this.#dpkgStamp) {
      this.#dpkgStamp = stamp
      this.#packages = readDpkgStatus(textOf(DPKG_STATUS) ?? '')
    }
    return this.#packages
  }
}

function textOf(file: string): string | null {
  try {
    return statSync(file).size > FILE_BYTES_MAX ? null : readFileSync(file, 'utf8')
  } catch {
    return null
  }
}

function stampOf(file: string): string {
  try {
    const { mtimeMs, size, ino } = statSync(file)
    return `${mtimeMs} ${size} ${ino}`
  } catch {
    return ''
  }
}

function hashOf(file: string): string | null {
  const text = textOf(file)
  if (text === null) return null
  return createHash('sha256').update(text).digest('hex').slice(0, HASH_CHARACTERS)
}

/** Its fingerprint and its end, so that a renewal reads as one. */
function certificateOf(file: string): string | null {
  const text = textOf(file)
  if (text === null) return null
  try {
    const { fingerprint256, validTo } = new X509Certificate(text)
    return `${fingerprint256.replaceAll(':', '').slice(0, HASH_CHARACTERS).toLowerCase()} until ${validTo}`
  } catch {
    return 'unreadable'
  }
}

function* processNames(): Generator<string> {
  for (const name of readdirSync('/proc')) {
    if (/^\d+$/.test(name)) yield textOf(`/proc/${name}/comm`)?.trim() ?? ''
  }
}

/** Ticks after boot at which it started: a pid alone may come again. */
function startOf(pid: number | null): string | null {
  if (pid === null) return null
  const stat = textOf(`/proc/${pid}/stat`)
  // The name in brackets may hold spaces and brackets itself; field 22 counts from behind it (proc_pid_stat(5)).
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  const started = fields?.[19]
  return started === undefined ? null : `${pid} ${started}`
}
