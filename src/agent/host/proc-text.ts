// Owns reading the text files below /proc as values: pure, text in, figures out.
// It refuses nothing: what it does not understand is left out, and `null` says that a whole file was not understood.

/** USER_HZ: the unit of CPU times in /proc on every Linux that Node runs on; proc(5). */
export const TICKS_PER_S = 100

const modes = ['user', 'nice', 'system', 'idle', 'iowait', 'irq', 'softirq', 'steal'] as const
export type CpuMode = (typeof modes)[number]

export interface CpuTimes {
  /** `0`, `1` ... */
  readonly cpu: string
  readonly seconds: Readonly<Record<CpuMode, number>>
}

/** /proc/stat: time by CPU and mode, and context switches since boot. proc_stat(5). */
export function readSystemStat(text: string): { cpus: CpuTimes[]; contextSwitches: number | null } | null {
  const cpus: CpuTimes[] = []
  let contextSwitches: number | null = null
  for (const line of text.split('\n')) {
    const [name, ...fields] = line.split(/ +/)
    if (name === undefined) continue
    if (/^cpu\d+$/.test(name)) {
      const seconds = Object.fromEntries(
        modes.map((mode, index) => [mode, Number(fields[index] ?? 0) / TICKS_PER_S]),
      ) as Record<CpuMode, number>
      if (Object.values(seconds).every(Number.isFinite)) cpus.push({ cpu: name.slice(3), seconds })
    }
    if (name === 'ctxt') contextSwitches = finite(fields[0])
  }
  return cpus.length === 0 ? null : { cpus, contextSwitches }
}

/** /proc/loadavg: the averages over 1, 5 and 15 minutes. */
export function readLoad(text: string): readonly [number, number, number] | null {
  const [one, five, fifteen] = text.split(' ').map(Number)
  if (one === undefined || five === undefined || fifteen === undefined) return null
  return [one, five, fifteen].every(Number.isFinite) ? [one, five, fifteen] : null
}

/** /proc/meminfo, in bytes. */
export function readMemory(text: string): { totalBytes: number; availableBytes: number } | null {
  const totalBytes = memoryLine(text, 'MemTotal')
  const availableBytes = memoryLine(text, 'MemAvailable')
  return totalBytes === null || availableBytes === null ? null : { totalBytes, availableBytes }
}

function memoryLine(text: string, name: string): number | null {
  const kibibytes = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1]
  return kibibytes === undefined ? null : Number(kibibytes) * 1024
}

export interface DeviceBytes {
  readonly device: string
  readonly inBytes: number
  readonly outBytes: number
}

/** /proc/net/dev: bytes received and sent by interface. */
export function readNetwork(text: string): DeviceBytes[] {
  const devices: DeviceBytes[] = []
  for (const line of text.split('\n').slice(2)) {
    const colon = line.indexOf(':')
    if (colon < 0) continue
    const fields = line
      .slice(colon + 1)
      .trim()
      .split(/\s+/)
    const inBytes = finite(fields[0])
    const outBytes = finite(fields[8])
    if (inBytes !== null && outBytes !== null)
      devices.push({ device: line.slice(0, colon).trim(), inBytes, outBytes })
  }
  return devices
}

const SECTOR_BYTES = 512 // of /proc/diskstats, whatever the device has; Documentation/admin-guide/iostats
/** As node_exporter leaves out: RAM and loop devices, and partitions of disks that are counted themselves. */
const minorDisk = /^(?:z?ram|loop|fd|(?:h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$/

/** /proc/diskstats: bytes read (in) and written (out) by whole disk. */
export function readDisks(text: string): DeviceBytes[] {
  const devices: DeviceBytes[] = []
  for (const line of text.split('\n')) {
    const fields = line.trim().split(/\s+/)
    const device = fields[2]
    const sectorsRead = finite(fields[5])
    const sectorsWritten = finite(fields[9])
    if (device === undefined || minorDisk.test(device) || sectorsRead === null || sectorsWritten === null)
      continue
    devices.push({ device, inBytes: sectorsRead * SECTOR_BYTES, outBytes: sectorsWritten * SECTOR_BYTES })
  }
  return devices
}

const realFilesystems = new Set([
  'ext2',
  'ext3',
  'ext4',
  'xfs',
  'btrfs',
  'zfs',
  'f2fs',
  'overlay',
  'nfs',
  'nfs4',
  'vfat',
])

/** /proc/mounts: mount points that hold files on a disk. */
export function readMountpoints(text: string): string[] {
  const points = new Set<string>()
  for (const line of text.split('\n')) {
    const [, point, type] = line.split(' ')
    // proc_mounts(5): blanks and backslashes are octal escapes.
    if (point === undefined || type === undefined || !realFilesystems.has(type)) continue
    points.add(
      point.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
    )
  }
  return [...points]
}

export interface ProcessStat {
  readonly pid: number
  /** The kernel's 15 characters. */
  readonly name: string
  /** R S D T t Z X I. */
  readonly state: string
  readonly parentPid: number
  readonly group: number
  /** Own user and system time. */
  readonly ownTicks: number
  /** User and system time of children that have ended and were waited for. */
  readonly childTicks: number
  /** Ticks after boot: tells a process from a later one with its pid. */
  readonly startTicks: number
  readonly residentPages: number
}

/** /proc/PID/stat; proc_pid_stat(5). The name stands in parentheses and may hold blanks and parentheses itself. */
export function readProcessStat(text: string): ProcessStat | null {
  const open = text.indexOf(' (')
  const close = text.lastIndexOf(') ')
  if (open < 0 || close < open) return null
  const fields = text
    .slice(close + 2)
    .trim()
    .split(' ')
  const field = (number: number): number => Number(fields[number - 3] ?? Number.NaN)
  const stat = {
    pid: Number(text.slice(0, open)),
    name: text.slice(open + 2, close),
    state: fields[0] ?? '',
    parentPid: field(4),
    group: field(5),
    ownTicks: field(14) + field(15),
    childTicks: field(16) + field(17),
    startTicks: field(22),
    residentPages: field(24),
  }
  const numbers = [stat.pid, stat.parentPid, stat.group, stat.ownTicks, stat.childTicks, stat.startTicks]
  return stat.state.length === 1 && numbers.every(Number.isFinite) ? stat : null
}

/** /proc/PID/status: how often the main thread was switched in, since it began. Unchanged: it has not run. */
export function readSwitches(text: string): number | null {
  const voluntary = /^voluntary_ctxt_switches:\s+(\d+)$/m.exec(text)?.[1]
  const forced = /^nonvoluntary_ctxt_switches:\s+(\d+)$/m.exec(text)?.[1]
  return voluntary === undefined || forced === undefined ? null : Number(voluntary) + Number(forced)
}

function finite(text: string | undefined): number | null {
  const value = Number(text ?? Number.NaN)
  return Number.isFinite(value) ? value : null
}
