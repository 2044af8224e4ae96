// Owns the clock fault of a drill: by how much the wall clock of its processes stands behind the kernel's timers. It
// changes a file that those processes share, and cannot touch the machine's clock.
import { closeSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import { endianness } from 'node:os'
import { messageOf } from '#base'
import { drillFaults } from './faults.ts'

const BYTES = 8
const NS_PER_MS = 1e6

/**
 * The same command without the right to set a clock (CAP_SYS_TIME), whatever it tries: what a drill runs goes through
 * here. Who is not root has no such right to lose.
 */
export function withoutClockRights(command: readonly string[]): string[] {
  if (process.getuid?.() !== 0) return [...command]
  return ['setpriv', '--bounding-set', '-sys_time', '--inh-caps', '-sys_time', '--', ...command]
}

export class ClockFault {
  readonly #file: string
  readonly #shim: string

  /** `file` is made, without a fault, where it is not there. */
  constructor(file: string, shim: string) {
    this.#file = file
    this.#shim = shim
    this.#open(fd => {
      if (readSync(fd, Buffer.alloc(BYTES), 0, BYTES, 0) < BYTES) ftruncateSync(fd, BYTES)
    })
  }

  /** What a process of the drill needs in its environment. */
  get environment(): Readonly<Record<string, string>> {
    return { LD_PRELOAD: this.#shim, VITRINE_DRILL_CLOCK: this.#file }
  }

  /** By how many ms the wall clock stands before the kernel's timers; -1000 is the state of 2012, 0 is health. */
  set(ms: number): void {
    const value = Buffer.alloc(BYTES)
    const ns = BigInt(Math.round(ms * NS_PER_MS))
    if (endianness() === 'LE') value.writeBigInt64LE(ns)
    else value.writeBigInt64BE(ns)
    this.#open(fd => writeSync(fd, value, 0, BYTES, 0))
  }

  /** 0 also after somebody set the clock within the drill: that is the cure. */
  readMs(): number {
    const value = Buffer.alloc(BYTES)
    this.#open(fd => readSync(fd, value, 0, BYTES, 0))
    return Number(endianness() === 'LE' ? value.readBigInt64LE() : value.readBigInt64BE()) / NS_PER_MS
  }

  #open(work: (fd: number) => void): void {
    let fd: number | null = null
    try {
      fd = openSync(this.#file, 'a+')
      closeSync(fd)
      fd = openSync(this.#file, 'r+')
      work(fd)
    } catch (error) {
      throw drillFaults.fault('drill-clock-file', `${this.#file}: ${messageOf(error)}`, { cause: error })
    } finally {
      if (fd !== null) closeSync(fd)
    }
  }
}
