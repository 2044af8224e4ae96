// Owns that one process at a time gets the clone ready: a file with its pid and its child's process group.
// A dead owner is cleared, and what it left running is ended first.
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { inRoot, readJson, writeWhole } from './paths.mjs'

const file = inRoot('.cache', 'ready.lock')
const LOOK_MS = 200
const WRITING_MS_MAX = 2000 // an owner that has not written its pid by then never will

/** Runs `work` alone. It is given a lock that remembers the process group of a child. */
export async function withLock(work) {
  await take()
  const release = () => rmSync(file, { force: true })
  process.on('exit', release)
  try {
    return await work({ remember: group => writeWhole(file, describe(group)) })
  } finally {
    release()
    process.off('exit', release)
  }
}

function describe(group) {
  const ids = { pid: process.pid, group }
  return JSON.stringify({ ...ids, born: born(process.pid), groupBorn: group === null ? null : born(group) })
}

async function take() {
  mkdirSync(inRoot('.cache'), { recursive: true })
  let told = false
  let unreadableMs = 0
  for (;;) {
    try {
      const fd = openSync(file, 'wx')
      writeSync(fd, describe(null))
      closeSync(fd)
      return
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    const owner = readJson(file)
    if (owner === null) unreadableMs += LOOK_MS
    if (owner === null ? unreadableMs > WRITING_MS_MAX : !lives(owner.pid, owner.born)) {
      if (owner?.group && lives(owner.group, owner.groupBorn)) endGroup(owner.group)
      rmSync(file, { force: true })
      continue
    }
    if (!told && owner !== null)
      console.error(`vitrine: another command (pid ${owner.pid}) is getting this clone ready; waiting for it`)
    told ||= owner !== null
    await pause(LOOK_MS)
  }
}

/** True while this very process lives: its pid may be another program's by now. */
function lives(pid, bornThen) {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (error.code !== 'EPERM') return false
  }
  return born(pid) === bornThen
}

/** The boot and the tick at which a process started (proc(5), field 22 of stat); null where there is no /proc. */
function born(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ')
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()}/${fields[19]}`
  } catch {
    return null
  }
}

function endGroup(group) {
  try {
    process.kill(-group, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}
