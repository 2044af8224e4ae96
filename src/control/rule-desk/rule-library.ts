// Owns the rule files as people read and write them in the pages: which there are, what one says, whether a text would
// be taken, and replacing one as a whole. It refuses to write what ships, what is no rule file, and over a change that
// the writer has not seen.
import { createHash } from 'node:crypto'
import { accessSync, constants, existsSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { messageOf, writeFileAtomic } from '#base'
import type { RuleCheckAnswer, RuleFileAnswer, RuleFilesAnswer, RuleFileView } from '#wire'
import { listFiles, readRules } from '../alerts/read-rules.ts'
import { readTextFile } from '../alerts/read-yaml.ts'
import type { RuleGroup } from '../alerts/rule.ts'
import { controlFaults } from '../faults.ts'

export interface RuleLibraryOptions {
  readonly folders: readonly string[]
  readonly shipped: string | null
}

export class RuleLibrary {
  readonly #folders: readonly string[]
  readonly #shipped: string | null

  constructor({ folders, shipped }: RuleLibraryOptions) {
    this.#folders = folders
    this.#shipped = shipped
  }

  /** Place of the folder that comes with Vitrine; null: none does. */
  get shippedFolder(): number | null {
    return this.#shipped === null ? null : this.#folders.indexOf(this.#shipped)
  }

  list(): RuleFilesAnswer {
    return {
      files: this.#folders.flatMap((path, folder) =>
        listFiles(path).map(file => this.#view(folder, basename(file))),
      ),
      folders: this.#folders.flatMap((path, folder) => (this.#writable(path) ? [{ folder, path }] : [])),
    }
  }

  read(folder: number, name: string): RuleFileAnswer {
    const view = this.#view(folder, name)
    const file = join(view.path, name)
    if (!existsSync(file)) throw controlFaults.fault('control-rule-file-unknown', `there is no ${file}`)
    const text = readTextFile(file)
    return { ...view, text, sha256: sha256(text) }
  }

  /** What `vitrine rules check` says of it. */
  check(name: string, text: string): RuleCheckAnswer {
    let groups: readonly RuleGroup[]
    try {
      groups = readRules(text, name)
    } catch (error) {
      return { problem: placed(name, messageOf(error)), rules: [] }
    }
    const shipped = this.#shippedAlerts()
    return {
      problem: null,
      rules: groups.flatMap(group =>
        group.rules.map(rule => ({
          kind: rule.kind,
          name: rule.name,
          line: lineOf(rule.at),
          expr: rule.expr,
          replaces: rule.kind === 'alert' && shipped.has(rule.name),
        })),
      ),
    }
  }

  /** Gives the sha256 of what stands there now. `before`: of what the writer has seen; null: there was no such file. */
  save(
    folder: number,
    name: string,
    { text, before }: { readonly text: string; readonly before: string | null },
  ): string {
    const file = this.#toWrite(folder, name, before)
    readRules(text, name) // control-rules-invalid, with its line
    writeFileAtomic(file, text, 0o644)
    return sha256(text)
  }

  remove(folder: number, name: string, before: string): void {
    rmSync(this.#toWrite(folder, name, before))
  }

  /** The path of a file that may be replaced. */
  #toWrite(folder: number, name: string, before: string | null): string {
    const view = this.#view(folder, name)
    const file = join(view.path, name)
    if (!view.writable) {
      const why = view.shipped ? 'comes with Vitrine: copy it' : 'cannot be written by the control room'
      throw controlFaults.fault('control-rule-file-kept', `${file} ${why}`)
    }
    const present = existsSync(file) ? sha256(readTextFile(file)) : null
    if (present !== before) {
      const what =
        present === null ? 'is gone' : before === null ? 'exists already' : 'was changed by somebody else'
      throw controlFaults.fault('control-rule-file-changed', `${file} ${what}; read it again`)
    }
    return file
  }

  #view(folder: number, name: string): RuleFileView {
    const path = this.#folders[folder]
    if (path === undefined)
      throw controlFaults.fault('control-rule-file-unknown', `there is no rules folder ${folder}`)
    return { folder, path, name, shipped: path === this.#shipped, writable: this.#writable(path) }
  }

  #writable(path: string): boolean {
    if (path === this.#shipped) return false
    try {
      accessSync(path, constants.W_OK)
      return true
    } catch {
      return false
    }
  }

  #shippedAlerts(): Set<string> {
    if (this.#shipped === null) return new Set()
    const groups = listFiles(this.#shipped).flatMap(file => readRules(readTextFile(file), basename(file)))
    return new Set(
      groups.flatMap(({ rules }) => rules.flatMap(rule => (rule.kind === 'alert' ? [rule.name] : []))),
    )
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** `own.yaml:12` -> 12. */
export function lineOf(at: string): number {
  return Number(/:(\d+)$/.exec(at)?.[1] ?? 1)
}

/** `own.yaml:12: what is wrong`: the line on its own, for an editor. */
function placed(name: string, message: string): { line: number | null; text: string } {
  const found = message.startsWith(`${name}:`) ? /^(\d+): (.*)$/s.exec(message.slice(name.length + 1)) : null
  return found === null
    ? { line: null, text: message }
    : { line: Number(found[1]), text: found[2] ?? message }
}
