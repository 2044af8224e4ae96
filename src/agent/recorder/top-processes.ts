// Owns which processes of the host use its CPU: all of /proc every few seconds, the largest kept.
import { readdirSync } from 'node:fs'
import { TICKS_PER_S } from '../host/proc-text.ts'
import { readStat } from '../host/process-scan.ts'
import type { ProcessShare } from './frame.ts'

const SCAN_PROCESSES_MAX = 5000 // about 80 ms of reading; a host with more shows a part
const TOP = 10
const SHARE_MIN = 0.005

interface Seen {
  readonly cpuSeconds: number
  readonly startedAt: number
}

export class TopProcesses {
  readonly #pageBytes: number
  #before = new Map<number, Seen>()
  #beforeMs: number | null = null

  constructor(pageBytes: number) {
    this.#pageBytes = pageBytes
  }

  /** Largest first; empty at the first look, which only begins to count. */
  look(nowMs: number): ProcessShare[] {
    const seconds = this.#beforeMs === null ? 0 : (nowMs - this.#beforeMs) / 1000
    const now = new Map<number, Seen>()
    const shares: ProcessShare[] = []
    for (const name of readdirSync('/proc')) {
      if (!/^\d+$/.test(name) || now.size >= SCAN_PROCESSES_MAX) continue
      const stat = readStat('/proc', name)
      if (stat === null) continue
      const pid = Number(name)
      const cpuSeconds = stat.ownTicks / TICKS_PER_S
      now.set(pid, { cpuSeconds, startedAt: stat.startTicks })
      const before = this.#before.get(pid)
      // A pid that another process has now begins at nothing.
      const base =
        before?.startedAt === stat.startTicks ? before.cpuSeconds : this.#beforeMs === null ? cpuSeconds : 0
      const cpu = seconds > 0 ? (cpuSeconds - base) / seconds : 0
      if (cpu >= SHARE_MIN) {
        shares.push({
          pid,
          name: stat.name,
          cpu: round(cpu),
          residentBytes: stat.residentPages * this.#pageBytes,
        })
      }
    }
    this.#before = now
    this.#beforeMs = nowMs
    return shares.toSorted((a, b) => b.cpu - a.cpu).slice(0, TOP)
  }
}

function round(share: number): number {
  return Math.round(share * 1000) / 1000
}
