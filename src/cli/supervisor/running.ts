// Owns telling whether a supervisor runs on a data folder, for commands beside it.
import { readFileSync } from 'node:fs'
import { runFile } from '../settings.ts'

/** The pid in the supervisor's lock; null when there is none. It may be dead. */
export function readRunningPid(data: string): number | null {
  try {
    const pid = Number(readFileSync(runFile(data, 'supervisor.lock'), 'utf8').trim())
    return Number.isInteger(pid) && pid > 0 ? pid : null
  } catch {
    return null
  }
}
