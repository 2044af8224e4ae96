// Temporary folders of a whole run stand in one, and go with it, also when a test ended before it tidied up.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

let folder = ''

/** Vitest's global set-up: `os.tmpdir()` of every worker is a new folder. */
export function setup(): void {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-run-'))
  process.env['TMPDIR'] = folder
}

export function teardown(): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
}
