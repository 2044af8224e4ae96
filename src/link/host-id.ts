// Owns the identity of the host: the kernel's boot id, equal for all servers of one machine.
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'

/** `/proc/sys/kernel/random/boot_id`, or the host's name where there is none. */
export function readHostId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return hostname()
  }
}
