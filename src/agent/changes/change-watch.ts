// Owns seeing a host change: it compares once a minute with what it remembers on disk, tells the control room, and
// remembers only what was taken: a change that could not be told is told later, with the time at which it was seen.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { type FleetTime, type Log, messageOf, writeFileAtomic } from '#base'
import { CHANGES_MAX, type SeenChange, seenChange } from '#wire'
import type { HttpCalls } from '../http-call.ts'
import { FactTeller } from './fact-teller.ts'
import { compareFacts, type Facts } from './facts.ts'
import type { FactReader } from './read-facts.ts'

const SEEN_PATH = '/api/v1/marks/seen'
const DEADLINE_MS = 10_000
const ANSWER_BYTES_MAX = 64 * 1024

const remembered = z.object({
  facts: z.array(z.tuple([z.string(), z.string()])),
  /** Seen, and not told yet. */
  waiting: z.array(seenChange).max(CHANGES_MAX),
})

export interface ChangeWatchOptions {
  readonly folder: string
  readonly reader: FactReader
  readonly controlUrl: string
  readonly authorization: string
  readonly calls: HttpCalls
  readonly fleetTime: FleetTime
  readonly log: Log
}

export class ChangeWatch {
  readonly #options: ChangeWatchOptions
  readonly #file: string
  readonly #teller: FactTeller
  #facts: Facts | null
  #waiting: readonly SeenChange[]

  constructor(options: ChangeWatchOptions) {
    this.#options = options
    this.#file = join(options.folder, 'facts.json')
    this.#teller = new FactTeller(options)
    const before = this.#recall()
    this.#facts = before === null ? null : new Map(before.facts)
    this.#waiting = before?.waiting ?? []
  }

  /** Something that only the agent itself knows of. */
  note(change: SeenChange): void {
    this.#waiting = [...this.#waiting, change].slice(-CHANGES_MAX)
  }

  /** One look. Never rejects: what could not be told waits. */
  async look(): Promise<void> {
    const { reader, fleetTime } = this.#options
    // A time that is only this host's opinion is no time for a mark.
    if (!fleetTime.known()) return
    const now = reader.read()
    const changes = this.#facts === null ? [] : compareFacts(this.#facts, now, fleetTime.nowMs())
    if (this.#facts === null || changes.length > 0) {
      this.#facts = now
      // Beyond the limit the newest win: a distribution's upgrade changes thousands of packages at once.
      this.#waiting = [...this.#waiting, ...changes].slice(-CHANGES_MAX)
      this.#remember()
    }
    if (this.#waiting.length > 0 && (await this.#tell(this.#waiting))) {
      this.#waiting = []
      this.#remember()
    }
    // After the changes, so that each has its own time there.
    await this.#teller.tell(now)
  }

  async #tell(changes: readonly SeenChange[]): Promise<boolean> {
    const { calls, controlUrl, authorization, log } = this.#options
    const answer = await calls.send({
      method: 'POST',
      url: `${controlUrl.replace(/\/+$/, '')}${SEEN_PATH}`,
      headers: { authorization, 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify({ changes })),
      deadlineMs: DEADLINE_MS,
      answerBytesMax: ANSWER_BYTES_MAX,
    })
    if (answer.kind === 'answer' && answer.status === 200) return true
    const problem = answer.kind === 'failed' ? answer.problem : `status ${answer.status}`
    log.debug('changes-not-told', { problem })
    return false
  }

  #recall(): z.infer<typeof remembered> | null {
    try {
      return remembered.parse(JSON.parse(readFileSync(this.#file, 'utf8')))
    } catch {
      return null // the first start, or a file that is damaged: what is there now is the beginning
    }
  }

  #remember(): void {
    const value = { facts: [...(this.#facts ?? [])], waiting: this.#waiting }
    try {
      writeFileAtomic(this.#file, `${JSON.stringify(value)}\n`)
    } catch (error) {
      this.#options.log.warn('facts-not-kept', { problem: messageOf(error) })
    }
  }
}
