// Owns the rules as their files stand on disk: looks whether they changed, and gives new ones to whoever evaluates
// them. Files that cannot be read or evaluated change nothing: the old rules go on, and the reason is told.
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Closable, type Counters, type FleetTime, type Log, messageOf } from '#base'
import { readRuleFolders } from './read-rules.ts'
import type { RuleGroup } from './rule.ts'

const LOOK_EVERY_MS = 2000
/** Stamps of more files than this are not compared; reading refuses so many anyway. */
const FILES_MAX = 1000

export interface RuleFilesOptions {
  readonly folders: readonly string[]
  /** The one that comes with Vitrine; left out: none does. */
  readonly shipped?: string | null
  readonly fleetTime: FleetTime
  readonly counters: Counters
  readonly log: Log
}

export interface RuleFilesStatus {
  /** Fleet time at which the rules in force were read. */
  readonly loadedAt: number
  /** Why the files as they stand now are not in force; null: they are. */
  readonly problem: string | null
}

export class RuleFiles implements Closable {
  readonly #options: RuleFilesOptions
  #stamp: string
  #groups: readonly RuleGroup[]
  #status: RuleFilesStatus
  #timer: NodeJS.Timeout | null = null

  /** Throws control-rules-invalid: at the start there are no old rules that could go on. */
  constructor(options: RuleFilesOptions) {
    this.#options = options
    this.#stamp = stampOf(options.folders)
    this.#groups = readRuleFolders(options.folders, options.shipped)
    this.#status = { loadedAt: options.fleetTime.nowMs(), problem: null }
    const inForce = options.counters.gauge(
      'vitrine_control_rules_in_force',
      'Whether the rule files as they stand on disk are in force (1) or were refused and the old rules go on (0).',
    )
    options.counters.beforeCollect(() => inForce.set(this.#status.problem === null ? 1 : 0))
  }

  groups(): readonly RuleGroup[] {
    return this.#groups
  }

  status(): RuleFilesStatus {
    return this.#status
  }

  /** Looks every two seconds from now on. */
  follow(onChange: (groups: readonly RuleGroup[]) => void): void {
    this.#timer = setInterval(() => this.look(onChange), LOOK_EVERY_MS)
    this.#timer.unref()
  }

  /** Reads again when a file has come, gone or changed. */
  look(onChange: (groups: readonly RuleGroup[]) => void): void {
    const { folders, shipped, fleetTime, log } = this.#options
    const stamp = stampOf(folders)
    if (stamp === this.#stamp) return
    this.#stamp = stamp
    try {
      this.#groups = readRuleFolders(folders, shipped)
    } catch (error) {
      this.#status = { ...this.#status, problem: messageOf(error) }
      log.error('rules-refused', { problem: messageOf(error), hint: 'the rules read before go on' })
      return
    }
    this.#status = { loadedAt: fleetTime.nowMs(), problem: null }
    log.info('rules-loaded', { groups: this.#groups.length })
    onChange(this.#groups)
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer)
  }
}

/** Differs when a rule file has come, gone or changed; reads no file. */
function stampOf(folders: readonly string[]): string {
  return JSON.stringify(folders.map(folder => [folder, filesOf(folder)]))
}

function filesOf(folder: string): readonly unknown[] {
  let names: readonly string[]
  try {
    names = readdirSync(folder)
  } catch (error) {
    return [messageOf(error)]
  }
  return names
    .filter(name => /\.ya?ml$/.test(name))
    .toSorted()
    .slice(0, FILES_MAX)
    .map(name => {
      const found = statSync(join(folder, name), { throwIfNoEntry: false })
      return [name, found?.ino, found?.size, found?.mtimeMs]
    })
}
