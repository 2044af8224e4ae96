// Owns what root can read: the offset that the kernel's timers use for the wall clock, against what it should be.
import { closeSync, openSync, readSync } from 'node:fs'
import { readClockNs } from '#base'

/** The first CPU’s clocks stand after its timers of clock 0, a hundred bytes each. */
const BYTES_MAX = 256 * 1024
const buffer = Buffer.alloc(BYTES_MAX)

/**
 * Offset of ` clock 1:` (CLOCK_REALTIME) of the first CPU, in nanoseconds, from the text of /proc/timer_list.
 * Null: it is not in there.
 */
export function readTimerOffsetNs(text: string): bigint | null {
  const match = /^ clock 1:$[^]*?^\s*\.offset:\s+(\d{1,20}) nsecs$/m.exec(text)
  return match?.[1] === undefined ? null : BigInt(match[1])
}

/** Timers' offset minus (REALTIME - MONOTONIC), in seconds: 0 healthy, 1 after 2012's leap second. Null: not permitted. */
export function hrtimerErrorSeconds(file = '/proc/timer_list'): number | null {
  const text = readStart(file)
  const offsetNs = text === null ? null : readTimerOffsetNs(text)
  const [monotonic, wall] = [readClockNs('monotonic'), readClockNs('realtime')]
  if (offsetNs === null || monotonic === null || wall === null) return null
  // The kernel gives it as an unsigned number.
  return Number(BigInt.asIntN(64, offsetNs) - (wall - monotonic)) / 1e9
}

/** The kernel gives such a file in pieces of a page or so. */
function readStart(file: string): string | null {
  let fd: number | null = null
  try {
    fd = openSync(file, 'r')
    let length = 0
    for (;;) {
      const bytes = readSync(fd, buffer, length, buffer.length - length, null)
      length += bytes
      if (bytes === 0 || length === buffer.length) break
    }
    return buffer.toString('latin1', 0, length)
  } catch {
    return null
  } finally {
    if (fd !== null) closeSync(fd)
  }
}
