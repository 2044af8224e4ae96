// Owns what a server believes as it is on disk now: every process on one identity learns of another root by the file.
import { readFileSync, statSync } from 'node:fs'
import type { Trust } from './client.ts'

/** Read again when the file was replaced; asked at each new connection. */
export function liveTrust(file: string): NonNullable<Trust> {
  let pem = readFileSync(file, 'utf8')
  let stamp = stampOf(file)
  return {
    get authorityPem() {
      const now = stampOf(file)
      if (now !== null && now !== stamp) {
        pem = readFileSync(file, 'utf8')
        stamp = now
      }
      return pem
    },
  }
}

function stampOf(file: string): string | null {
  const stat = statSync(file, { throwIfNoEntry: false })
  return stat === undefined ? null : `${stat.mtimeMs} ${stat.ino}`
}
