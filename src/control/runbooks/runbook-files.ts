// Owns the runbooks as their files stand on disk. Files that cannot be read change nothing: those read before go on, and
// the reason is told.
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Log, messageOf } from '#base'
import { readRunbookFolders } from './read-runbook.ts'
import type { Runbook } from './runbook.ts'

export class RunbookFiles {
  readonly #folders: readonly string[]
  readonly #log: Log
  #stamp = ''
  #runbooks: readonly Runbook[] = []
  #problem: string | null = null

  constructor(folders: readonly string[], log: Log) {
    this.#folders = folders
    this.#log = log
    this.look()
  }

  all(): readonly Runbook[] {
    return this.#runbooks
  }

  get(name: string): Runbook | null {
    return this.#runbooks.find(runbook => runbook.name === name) ?? null
  }

  /** Why the files as they stand are not in force; null: they are. */
  problem(): string | null {
    return this.#problem
  }

  /** Reads again when a file has come, gone or changed. */
  look(): void {
    const stamp = JSON.stringify(this.#folders.map(stampOf))
    if (stamp === this.#stamp) return
    this.#stamp = stamp
    try {
      this.#runbooks = readRunbookFolders(this.#folders)
      this.#problem = null
    } catch (error) {
      this.#problem = messageOf(error)
      this.#log.error('runbooks-refused', { problem: this.#problem, hint: 'the runbooks read before go on' })
    }
  }
}

function stampOf(folder: string): unknown {
  try {
    return readdirSync(folder)
      .toSorted()
      .map(name => {
        const found = statSync(join(folder, name), { throwIfNoEntry: false })
        return [name, found?.ino, found?.size, found?.mtimeMs]
      })
  } catch (error) {
    return messageOf(error)
  }
}
