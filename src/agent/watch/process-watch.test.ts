import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, expect, it } from 'vitest'
import { ProcessWatch } from './process-watch.ts'

let child: ChildProcess | null = null

afterEach(() => {
  child?.kill('SIGKILL')
})

async function start(): Promise<number> {
  child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 5); console.log(1)'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  if (child.stdout === null || child.pid === undefined) throw new TypeError('no child')
  await once(child.stdout, 'data')
  return child.pid
}

/** Looks until `wanted` is seen; the interval is the agent's. */
async function lookUntil(watch: ProcessWatch, wanted: string | null): Promise<number> {
  for (let looks = 1; looks <= 40; looks += 1) {
    watch.look()
    if (watch.view().state === wanted) return looks
    await pause(25)
  }
  throw new Error(`expected ${wanted}, saw ${watch.view().state}`)
}

it('sees a process frozen after five looks at which it did not run, and thawed at the next', async () => {
  const pid = await start()
  const watch = new ProcessWatch(() => pid)
  await lookUntil(watch, 'S')
  process.kill(pid, 'SIGSTOP')
  expect(await lookUntil(watch, 'T')).toBeGreaterThanOrEqual(5)
  process.kill(pid, 'SIGCONT')
  await lookUntil(watch, 'S')
})

it('does not call a process frozen that runs between the looks', async () => {
  const pid = await start()
  const watch = new ProcessWatch(() => pid)
  for (let turn = 0; turn < 8; turn += 1) {
    process.kill(pid, 'SIGCONT')
    await pause(15)
    process.kill(pid, 'SIGSTOP')
    watch.look()
    expect(watch.view().state).not.toBe('T')
  }
})

it('has no state for a process that ended, and follows its successor', async () => {
  const first = await start()
  let watched: number | null = first
  const watch = new ProcessWatch(() => watched)
  process.kill(first, 'SIGKILL')
  await lookUntil(watch, null)
  watched = null
  watch.look()
  expect(watch.view()).toEqual({ pid: null, state: null })
  watched = await start()
  await lookUntil(watch, 'S')
  expect(watch.view().pid).toBe(watched)
})
