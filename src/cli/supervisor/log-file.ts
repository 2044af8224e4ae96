// Owns the log file of one process: opened for appending, turned over by size, a fixed number kept.
// It refuses to fail: a full disk costs lines, not the service.
import {
  closeSync,
  copyFileSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs'

const LOG_BYTES_MAX = 10 * 1024 * 1024
const LOGS_KEPT = 3 // .1 is the newest
const TAIL_BYTES = 64 * 1024

/** Gives `use` a descriptor that appends to the file, and closes it afterwards. */
export function withLogFile<Result>(file: string, use: (fd: number) => Result): Result {
  turnOver(file)
  const fd = openSync(file, 'a', 0o600)
  try {
    return use(fd)
  } finally {
    closeSync(fd)
  }
}

/**
 * Begins the file anew when it has grown too large. It is copied and emptied, not renamed, since the process that
 * writes it holds it open; the few lines written between the two are lost.
 */
export function turnOver(file: string, bytesMax = LOG_BYTES_MAX): boolean {
  try {
    if (statSync(file).size <= bytesMax) return false
    rmSync(`${file}.${LOGS_KEPT}`, { force: true })
    for (let number = LOGS_KEPT - 1; number >= 1; number -= 1)
      renameIfThere(`${file}.${number}`, `${file}.${number + 1}`)
    copyFileSync(file, `${file}.1`)
    truncateSync(file)
    return true
  } catch {
    return false // no such file yet, or no room: tried again at the next look
  }
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch {
    // That many do not exist yet.
  }
}

/** The last lines, for people who ask why it does not start. */
export function lastLines(file: string, count: number): string[] {
  try {
    const bytes = readFileSync(file)
    const text = bytes.subarray(Math.max(0, bytes.length - TAIL_BYTES)).toString('utf8')
    return text
      .split('\n')
      .filter(line => line.trim() !== '')
      .slice(-count)
  } catch {
    return []
  }
}
