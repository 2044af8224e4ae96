// Owns the last messages of the control room on disk, so that a server that restarts alone still steers,
// looks at its peers, knows who may read its metrics, and answers viewers.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ensureFolder, type Log, type Secret, writeFileAtomic } from '#base'
import { type FromControl, parseFromControl } from '#wire'
import { seal, unseal } from './seal.ts'

const remembered = [
  'steering-table',
  'probe-plan',
  'access',
  'catalogue',
  'regions',
  'sealed-route',
  'wall-picture',
] as const
/** They hold secrets of others. */
const sealed: ReadonlySet<string> = new Set(['sealed-route'])

/** Whole-file replacement a message type; what cannot be read is forgotten, not fatal. */
export class MessageMemory {
  readonly #folder: string | null
  readonly #own: Secret
  readonly #log: Log
  readonly #last = new Map<string, string>()

  constructor(folder: string | null, own: Secret, log: Log) {
    this.#folder = folder === null ? null : ensureFolder(folder)
    this.#own = own
    this.#log = log
  }

  recall(): FromControl[] {
    if (this.#folder === null) return []
    const messages: FromControl[] = []
    for (const type of remembered) {
      let text: string | null
      try {
        const bytes = readFileSync(this.#file(this.#folder, type))
        text = sealed.has(type) ? unseal(bytes, this.#own) : bytes.toString('utf8')
      } catch {
        continue // none was kept yet
      }
      const parsed = parseFromControl(text ?? '')
      if (parsed.kind === 'message') messages.push(parsed.message)
      else this.#log.warn('remembered-message-unreadable', { type })
    }
    return messages
  }

  remember(message: FromControl): void {
    if (this.#folder === null || !remembered.some(type => type === message.type)) return
    const text = JSON.stringify(message)
    if (this.#last.get(message.type) === text) return
    this.#last.set(message.type, text)
    try {
      const content = sealed.has(message.type) ? seal(text, this.#own) : text
      writeFileAtomic(this.#file(this.#folder, message.type), content)
    } catch (error) {
      this.#log.error('remember-failed', { type: message.type, error })
    }
  }

  #file(folder: string, type: string): string {
    return join(folder, sealed.has(type) ? `${type}.sealed` : `${type}.json`)
  }
}
