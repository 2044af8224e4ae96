// Owns the runbooks as their files stand on disk. A file that cannot be read changes nothing: what it said before goes on,
// the others are in force, and the reason is told.
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
  /** What each file said when it could be read last. */
  #paths: ReadonlyMap<string, Runbook> = new Map()

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

  /** Why files as they stand are not in force; null: they all are. */
  problem(): string | null {
    return this.#problem
  }

  /** Reads again when a file has come, gone or changed. */
  look(): void {
    const stamp = JSON.stringify(this.#folders.map(stampOf))
    if (stamp === this.#stamp) return
    this.#stamp = stamp
    const problems: string[] = []
    const paths = new Map<string, Runbook>()
    // One file's mistake takes away neither the others nor what that file said before.
    const refused = (path: string, error: unknown): Runbook | null => {
      problems.push(messageOf(error))
      return this.#paths.get(path) ?? null
    }
    this.#runbooks = readRunbookFolders(this.#folders, refused, paths)
    this.#paths = paths
    this.#problem = problems.length === 0 ? null : problems.join('\n')
    if (problems.length > 0)
      this.#log.error('runbooks-refused', {
        problem: this.#problem,
        hint: 'the others are in force, and of these what was read before',
      })
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
