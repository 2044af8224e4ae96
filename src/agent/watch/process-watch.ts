// Owns telling whether the watched process is frozen, gone or running, from /proc alone.
// It refuses to call a process frozen that runs now and then: a debugger or a duty cycle stops it only for moments.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readSwitches } from '../host/proc-text.ts'
import { readStat } from '../host/process-scan.ts'

/** Looks in a row at a stopped process that did not run in between: at 250 ms apart, frozen for a second. */
const STOPPED_LOOKS = 5

export interface ProcessView {
  readonly pid: number | null
  /** Letter of /proc/PID/stat; T only when it is frozen, null when there is no such process. */
  readonly state: string | null
}

export class ProcessWatch {
  readonly #folder: string
  readonly #watchedPid: () => number | null
  #pid: number | null = null
  #switches: number | null = null
  #stoppedLooks = 0
  #running = 'S'
  #state: string | null = null

  constructor(watchedPid: () => number | null, folder = '/proc') {
    this.#watchedPid = watchedPid
    this.#folder = folder
  }

  /** Called four times a second. */
  look(): void {
    const pid = this.#watchedPid()
    if (pid !== this.#pid) {
      this.#pid = pid
      this.#stoppedLooks = 0
      this.#switches = null
    }
    const stat = pid === null ? null : readStat(this.#folder, pid)
    if (pid === null || stat === null) {
      this.#state = null
      this.#stoppedLooks = 0
      return
    }
    const switches = this.#readSwitches(pid)
    const stopped = stat.state === 'T' || stat.state === 't'
    const ran = switches !== this.#switches
    this.#switches = switches
    if (!stopped) this.#stoppedLooks = 0
    else this.#stoppedLooks = ran ? 1 : this.#stoppedLooks + 1
    if (!stopped) this.#running = stat.state
    this.#state = this.#stoppedLooks >= STOPPED_LOOKS ? 'T' : this.#running
  }

  view(): ProcessView {
    return { pid: this.#pid, state: this.#state }
  }

  #readSwitches(pid: number): number | null {
    try {
      return readSwitches(readFileSync(join(this.#folder, String(pid), 'status'), 'latin1'))
    } catch {
      return null
    }
  }
}
