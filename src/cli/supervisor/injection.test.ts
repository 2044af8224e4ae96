import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Injection } from './injection.ts'

/** A real process of its own group; the burner itself needs built code and is seen end to end. */
let victim: ChildProcess
let injection: Injection

beforeEach(async () => {
  victim = spawn(process.execPath, ['-e', 'setInterval(() => {}, 5); console.log(1)'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  })
  if (victim.stdout !== null) await once(victim.stdout, 'data')
  injection = new Injection(victim.pid ?? 0)
})

afterEach(() => {
  injection.end()
  victim.kill('SIGKILL')
})

const state = (): string => {
  const text = readFileSync(`/proc/${victim.pid}/stat`, 'latin1')
  return text.slice(text.lastIndexOf(')') + 2, text.lastIndexOf(')') + 3)
}
/** Sees it stopped at each of many looks, over more than one cycle. */
async function alwaysStopped(): Promise<boolean> {
  for (let look = 0; look < 45; look += 1) {
    if (state() !== 'T') return false
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  return true
}
const becomes = (wanted: RegExp): Promise<void> =>
  vi.waitFor(() => expect(state()).toMatch(wanted), { timeout: 3000, interval: 5 })

it('freezes and thaws, however often each is said', async () => {
  injection.freeze()
  injection.freeze()
  await becomes(/T/)
  injection.thaw()
  await becomes(/[RS]/)
  injection.thaw()
  await becomes(/[RS]/)
})

it('lets a slowed process run now and then, and freely afterwards', async () => {
  injection.slow()
  injection.slow()
  await becomes(/T/)
  await becomes(/[RS]/)
  await becomes(/T/)
  injection.unslow()
  await becomes(/[RS]/)
  expect(await alwaysStopped()).toBe(false)
})

it('keeps a slowed process stopped while it is frozen, and slow after the thaw', async () => {
  injection.slow()
  injection.freeze()
  await becomes(/T/)
  expect(await alwaysStopped()).toBe(true)
  injection.thaw()
  await becomes(/[RS]/)
  await becomes(/T/)
})

it('stays frozen when slowing ends first, and runs after the thaw', async () => {
  injection.freeze()
  injection.slow()
  injection.unslow()
  await becomes(/T/) // the signal is sent, and arrives a moment later
  expect(await alwaysStopped()).toBe(true)
  injection.thaw()
  await becomes(/[RS]/)
})

it('leaves nothing of itself at the end', async () => {
  injection.slow()
  injection.freeze()
  injection.end()
  await becomes(/[RS]/)
  expect(await alwaysStopped()).toBe(false)
})
