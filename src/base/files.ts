// Owns the few file habits that every role shares: whole-file replacement that survives a crash, locks, folders.
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { messageOf } from './fault.ts'
import { baseFaults } from './faults.ts'
import type { Closable } from './lifecycle.ts'
import { lockFd } from './native.ts'

/** Replaces a file as a whole: after a crash there is the old content or the new, never a part. */
export function writeFileAtomic(file: string, content: string | Uint8Array, mode = 0o600): void {
  const temporary = `${file}.${process.pid}.tmp`
  const fd = openSync(temporary, 'w', mode)
  try {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content
    let written = 0
    while (written < bytes.length) written += writeSync(fd, bytes, written)
    fsyncSync(fd)
  } catch (error) {
    rmSync(temporary, { force: true }) // on a full disk its part would make it fuller
    throw error
  } finally {
    closeSync(fd)
  }
  renameSync(temporary, file)
}

/** Makes a folder and proves that it can be written, or throws `base-folder-unwritable`. */
export function ensureFolder(folder: string): string {
  try {
    makeFolders(folder)
    const probe = join(folder, `.write-${process.pid}`)
    closeSync(openSync(probe, 'w', 0o600))
    rmSync(probe)
    return folder
  } catch (error) {
    const message = `cannot write to ${folder}: ${messageOf(error)}; change its owner or permissions, or choose another folder`
    throw baseFaults.fault('base-folder-unwritable', message, { cause: error })
  }
}

/** As mkdir with `recursive`, which never returns in /proc on Node 20 (it takes ENOENT for a missing parent). */
function makeFolders(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return
  if (dirname(folder) !== folder) makeFolders(dirname(folder))
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    // Somebody else may have made it in the meantime.
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) throw error
  }
}

/**
 * Takes `file` as a lock that names this process. The kernel holds it (flock), so that a pid which another program
 * has by now is no lock; where it cannot, a living process of that pid counts as the holder.
 */
export function lockFile(file: string, mode = 0o600): Closable {
  makeFolders(dirname(file))
  for (let attempt = 0; attempt < LOCK_ATTEMPTS_MAX; attempt += 1) {
    const fd = openSync(file, constants.O_RDWR | constants.O_CREAT, mode)
    const holder = holderOf(fd)
    if (holder !== null) {
      closeSync(fd)
      if (attempt < LOCK_ATTEMPTS_MAX - 1) {
        sleepMs(LOCK_LOOK_MS)
        continue
      }
      const message = `another Vitrine (pid ${holder}) runs on this data folder; stop it, or choose another one with --data`
      throw baseFaults.fault('base-folder-in-use', message, { facts: { pid: holder, file } })
    }
    // Its last holder may have deleted the file between our open and our lock.
    if (statSync(file, { throwIfNoEntry: false })?.ino === fstatSync(fd).ino) {
      ftruncateSync(fd)
      writeSync(fd, `${process.pid}\n`, 0)
      return closeOnce(() => {
        rmSync(file, { force: true })
        closeSync(fd)
      })
    }
    closeSync(fd)
  }
  throw baseFaults.fault('base-folder-in-use', `cannot take the lock ${file}`)
}

/** A holder may be just leaving, or only looking (lockHolder) for some microseconds. */
const LOCK_ATTEMPTS_MAX = 5
const LOCK_LOOK_MS = 20

/** Blocks this thread: only for the few looks at a lock, before a role has started. */
function sleepMs(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

/** Who holds the lock `file` at this moment; null when nobody does. */
export function lockHolder(file: string): number | null {
  let fd: number
  try {
    fd = openSync(file, 'r')
  } catch {
    return null // no such lock
  }
  try {
    return holderOf(fd)
  } finally {
    closeSync(fd)
  }
}

/** Null: nobody, and where the kernel can lock, the file is ours from now on. */
function holderOf(fd: number): number | null {
  const locked = lockFd(fd)
  if (locked === true) return null
  const pid = Number(readFileSync(fd, 'utf8').trim())
  if (locked === false) return pid // 0: it is just being taken
  return pid > 0 && pid !== process.pid && isAlive(pid) ? pid : null
}

function closeOnce(close: () => void): Closable {
  let open = true
  return {
    close: () => {
      if (open) close()
      open = false
    },
  }
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
