// Owns the few file habits that every role shares: whole-file replacement that survives a crash, locks, folders.
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { messageOf } from './fault.ts'
import { baseFaults } from './faults.ts'
import type { Closable } from './lifecycle.ts'

/** Replaces a file as a whole: after a crash there is the old content or the new, never a part. */
export function writeFileAtomic(file: string, content: string | Uint8Array, mode = 0o600): void {
  const temporary = `${file}.${process.pid}.tmp`
  const fd = openSync(temporary, 'w', mode)
  try {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content
    let written = 0
    while (written < bytes.length) written += writeSync(fd, bytes, written)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(temporary, file)
}

/** Makes a folder and proves that it can be written, or throws `base-folder-unwritable`. */
export function ensureFolder(folder: string): string {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const probe = join(folder, `.write-${process.pid}`)
    closeSync(openSync(probe, 'w'))
    rmSync(probe)
    return folder
  } catch (error) {
    const message = `cannot write to ${folder}: ${messageOf(error)}`
    throw baseFaults.fault('base-folder-unwritable', message, { cause: error })
  }
}

/** Takes `file` as a lock that names this process; a lock of a dead process is cleared. */
export function lockFile(file: string): Closable {
  mkdirSync(dirname(file), { recursive: true })
  for (let attempt = 0; attempt < 2; attempt += 1) {
    try {
      const fd = openSync(file, 'wx', 0o600)
      writeSync(fd, `${process.pid}\n`)
      closeSync(fd)
      return { close: () => rmSync(file, { force: true }) }
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
      const pid = Number(readFileSync(file, 'utf8').trim())
      if (pid > 0 && pid !== process.pid && isAlive(pid)) {
        const message = `another Vitrine (pid ${pid}) runs on this data folder; stop it, or choose another one with --data`
        throw baseFaults.fault('base-folder-in-use', message, { facts: { pid, file } })
      }
      rmSync(file, { force: true })
    }
  }
  throw baseFaults.fault('base-folder-in-use', `cannot take the lock ${file}`)
}

/** True while a process with this pid exists (also when it is stopped or owned by somebody else). */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
