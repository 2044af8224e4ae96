// Owns finding the processes of a group in /proc once a second for little: processes that belong elsewhere are
// looked at again only now and then. It refuses to read more than SCAN_PROCESSES_MAX of them a pass.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ProcessStat, readProcessStat } from './proc-text.ts'

const SCAN_PROCESSES_MAX = 20_000 // about 0.3 s of reading; a host with more is not ours alone
const FORGET_EVERY_PASSES = 5 // a process may change its group, or its pid may be another's by then

export class ProcessScan {
  readonly #folder: string
  #elsewhere = new Set<string>()
  #group = 0
  #passes = 0

  constructor(folder = '/proc') {
    this.#folder = folder
  }

  /** The process and all of its group when it leads one; a process that leads none stands for itself. */
  membersOf(leader: number): ProcessStat[] {
    const stat = readStat(this.#folder, leader)
    return stat !== null && stat.group !== leader ? [stat] : this.#members(leader)
  }

  #members(group: number): ProcessStat[] {
    this.#passes += 1
    if (group !== this.#group || this.#passes % FORGET_EVERY_PASSES === 0) this.#elsewhere = new Set()
    this.#group = group
    const found: ProcessStat[] = []
    const elsewhere = new Set<string>()
    for (const name of readdirSync(this.#folder).slice(0, SCAN_PROCESSES_MAX)) {
      const first = name.charCodeAt(0)
      if (first < 48 || first > 57) continue
      if (this.#elsewhere.has(name)) {
        elsewhere.add(name)
        continue
      }
      const stat = readStat(this.#folder, name)
      if (stat === null) continue
      if (stat.group === group) found.push(stat)
      else elsewhere.add(name)
    }
    this.#elsewhere = elsewhere
    return found
  }
}

/** One process, or null when there is none (any more). */
export function readStat(folder: string, pid: string | number): ProcessStat | null {
  try {
    return readProcessStat(readFileSync(join(folder, String(pid), 'stat'), 'latin1'))
  } catch {
    return null // it ended between the listing and the reading
  }
}
