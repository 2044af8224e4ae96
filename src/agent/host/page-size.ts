// Owns the size of a memory page, from the auxiliary vector that the kernel gave this process.
import { readFileSync } from 'node:fs'

const AT_PAGESZ = 6n // getauxval(3)
const PAGE_BYTES_USUAL = 4096

export function readPageBytes(file = '/proc/self/auxv'): number {
  try {
    const bytes = readFileSync(file)
    for (let offset = 0; offset + 16 <= bytes.length; offset += 16) {
      if (bytes.readBigUInt64LE(offset) === AT_PAGESZ) return Number(bytes.readBigUInt64LE(offset + 8))
    }
  } catch {
    // Not Linux, or /proc is hidden: the usual size stands in.
  }
  return PAGE_BYTES_USUAL
}
