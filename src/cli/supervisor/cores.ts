// Owns which cores a process may run on, by taskset; a machine without it is left as it is.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Ascending; empty: not known. */
export function coresOf(pid: number): number[] {
  try {
    return parseCores(
      /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '',
    )
  } catch {
    return []
  }
}

/** `0-2,5`: 0, 1, 2, 5. */
export function parseCores(text: string): number[] {
  return text.split(',').flatMap(part => {
    const [from = Number.NaN, to = from] = part.split('-').map(Number)
    if (!Number.isInteger(from) || !Number.isInteger(to) || to - from > 4096) return []
    return Array.from({ length: to - from + 1 }, (_, place) => from + place)
  })
}

/** All its threads. False: it has ended, or there is no taskset. */
export function pin(pid: number, cores: readonly number[]): boolean {
  try {
    execFileSync('taskset', ['-a', '-p', '-c', cores.join(','), String(pid)], {
      stdio: 'ignore',
      timeout: 2000,
    })
    return true
  } catch {
    return false
  }
}
