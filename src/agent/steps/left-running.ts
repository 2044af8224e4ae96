// Owns a command that outlived the agent that began it: told apart from a later process with its number, and brought to
// its end before anybody judges what it did, so that it never runs beside itself.
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { readProcessStat } from '../host/proc-text.ts'
import { END_MS_MAX, signalGroup } from './run-command.ts'

/** Leads a process group. */
export interface CommandProcess {
  readonly pid: number
  /** After boot. */
  readonly startTicks: number
}

export const commandProcess: z.ZodType<CommandProcess> = z.object({
  pid: z.number().int().positive(),
  startTicks: z.number().int().nonnegative(),
})

const LOOK_MS = 100

/** Null: it has ended already, or there is no /proc. */
export function processOf(pid: number): CommandProcess | null {
  try {
    const stat = readProcessStat(readFileSync(`/proc/${pid}/stat`, 'utf8'))
    // One that nobody has asked for its end does nothing any more.
    return stat === null || stat.state === 'Z' || stat.state === 'X'
      ? null
      : { pid, startTicks: stat.startTicks }
  } catch {
    return null
  }
}

export function isRunning({ pid, startTicks }: CommandProcess): boolean {
  return processOf(pid)?.startTicks === startTicks
}

/** Resolves when it has ended; after `timeoutMs` it is ended, as one of a living agent is. */
export async function waitForEnd(one: CommandProcess, timeoutMs: number): Promise<void> {
  const startedMs = performance.now()
  const passed = (): number => performance.now() - startedMs
  while (isRunning(one) && passed() < timeoutMs) await pause(LOOK_MS)
  if (isRunning(one)) signalGroup(one.pid, 'SIGTERM')
  while (isRunning(one)) {
    if (passed() > timeoutMs + END_MS_MAX) signalGroup(one.pid, 'SIGKILL')
    await pause(LOOK_MS)
  }
}
