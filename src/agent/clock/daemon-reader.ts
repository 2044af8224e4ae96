// Owns finding out which daemon keeps this host's clock and what it says; each is asked as its own tools ask it.
import { execFile } from 'node:child_process'
import { type ChronyTracking, readChronySources, readChronyTracking } from './chrony.ts'
import { askNtpDaemon } from './ntp-control.ts'
import type { DaemonReading } from './time-source.ts'
import { readTimesyncd } from './timesyncd.ts'

const DEADLINE_MS = 2000
const OUTPUT_BYTES_MAX = 64 * 1024

export interface HostDaemon {
  readonly reading: DaemonReading | ChronyTracking | null
  /** Names or addresses that the daemon uses now. */
  readonly servers: readonly string[]
}

/** Asked each 10 s. Never rejects: a host without a daemon that can be asked has none. */
export async function readDaemon(): Promise<HostDaemon> {
  const tracking = readChronyTracking(await output('chronyc', ['-c', 'tracking']))
  if (tracking !== null) {
    const sources = readChronySources(await output('chronyc', ['-c', '-n', 'sources']))
    return { reading: tracking, servers: sources.map(({ server }) => server) }
  }
  const ntp = await askNtpDaemon()
  if (ntp !== null) return { reading: ntp, servers: [] }
  const timesyncd = readTimesyncd(await output('timedatectl', ['show-timesync', '--all']))
  return { reading: timesyncd, servers: timesyncd === null ? [] : [timesyncd.server] }
}

/** Empty where the program is missing, fails, hangs or floods. */
async function output(program: string, parameters: readonly string[]): Promise<string> {
  return new Promise(resolve => {
    const options = {
      timeout: DEADLINE_MS,
      maxBuffer: OUTPUT_BYTES_MAX,
      env: { PATH: process.env['PATH'] ?? '/usr/bin:/usr/sbin', LC_ALL: 'C', TZ: 'UTC' },
    }
    execFile(program, [...parameters], options, (error, stdout) => resolve(error === null ? stdout : ''))
  })
}
