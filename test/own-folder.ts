// Temporary folders of a whole run stand in one, and go with it, also when a test failed before it tidied up.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Vitest's global set-up: `os.tmpdir()` of every worker is a new folder. Answers what removes it. */
export default (): (() => void) => {
  const folder = mkdtempSync(join(tmpdir(), 'vitrine-run-'))
  process.env['TMPDIR'] = folder
  return () => {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
  }
}
