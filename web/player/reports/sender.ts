// Owns getting records to an edge, whichever answers: the same body to the next one when the first is silent, and to two
// at once when the page goes. It keeps a bounded number and counts what it had to drop.
import { type RecordKeys, writeKeys } from './record.ts'

const TYPE = 'application/cmcd'
const WAITING_MAX = 300
/** What browsers let through behind a page that is gone is 64 KB in all. */
const BATCH_MAX = 50
const SOON_MS = 300
const LATER_MS = 4_000
/** As our player's patience with a first byte. */
const ANSWER_MS_MAX = 3_000
const EDGES_MAX = 4
/** An edge that did not answer is asked last for so long. */
const AVOID_MS = 30_000

export class ReportSender {
  /** Records that no edge took. */
  lost = 0
  readonly #edges: () => readonly string[]
  readonly #waiting: RecordKeys[] = []
  readonly #failedMs = new Map<string, number>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #dueMs = Number.POSITIVE_INFINITY
  #sending = false

  /** `edges`: base URLs, the best first. */
  constructor(edges: () => readonly string[]) {
    this.#edges = edges
  }

  /** What has not been sent yet; it may still be added to. */
  get waiting(): readonly RecordKeys[] {
    return this.#waiting
  }

  add(keys: RecordKeys, soon: boolean): void {
    this.#waiting.push(keys)
    if (this.#waiting.length > WAITING_MAX) {
      this.#waiting.shift()
      this.lost += 1
    }
    this.#plan(soon || this.#waiting.length >= BATCH_MAX ? SOON_MS : LATER_MS)
  }

  /** The page goes: nobody hears an answer, so two edges get it. Text needs no preflight. */
  leave(): void {
    const body = this.#take()
    if (body === null) return
    for (const edge of this.#order().slice(0, 2)) {
      const blob = new Blob([body], { type: 'text/plain' })
      if (navigator.sendBeacon(`${edge}/cmcd`, blob)) continue
      void fetch(`${edge}/cmcd`, { method: 'POST', body, keepalive: true, credentials: 'omit' }).catch(
        () => {},
      )
    }
  }

  #plan(ms: number): void {
    const dueMs = performance.now() + ms
    if (this.#sending || dueMs >= this.#dueMs) return
    clearTimeout(this.#timer)
    this.#dueMs = dueMs
    this.#timer = setTimeout(() => void this.#send(), ms)
  }

  async #send(): Promise<void> {
    this.#dueMs = Number.POSITIVE_INFINITY
    if (this.#sending || this.#waiting.length === 0) return
    this.#sending = true
    const batch = this.#waiting.splice(0, BATCH_MAX)
    const taken = await this.#deliver(`${batch.map(writeKeys).join('\n')}\n`)
    this.#sending = false
    if (!taken) {
      this.#waiting.unshift(...batch)
      while (this.#waiting.length > WAITING_MAX) {
        this.#waiting.shift()
        this.lost += 1
      }
    }
    if (this.#waiting.length > 0) this.#plan(taken && this.#waiting.length >= BATCH_MAX ? SOON_MS : LATER_MS)
  }

  async #deliver(body: string): Promise<boolean> {
    for (const edge of this.#order().slice(0, EDGES_MAX)) {
      try {
        const { status } = await fetch(`${edge}/cmcd`, {
          method: 'POST',
          headers: { 'Content-Type': TYPE },
          body,
          keepalive: true,
          credentials: 'omit',
          signal: AbortSignal.timeout(ANSWER_MS_MAX),
        })
        // What is refused for what it is, is refused everywhere; who knows no reports is no edge.
        if (status < 429 && status !== 404 && status !== 405) return true
      } catch {
        // Silent or gone: the next one is asked.
      }
      this.#failedMs.set(edge, performance.now())
    }
    return false
  }

  #take(): string | null {
    const batch = this.#waiting.splice(0)
    return batch.length === 0 ? null : `${batch.map(writeKeys).join('\n')}\n`
  }

  #order(): string[] {
    const nowMs = performance.now()
    const isSilent = (edge: string): boolean => nowMs - (this.#failedMs.get(edge) ?? -AVOID_MS) < AVOID_MS
    const edges = [...new Set(this.#edges())]
    return [...edges.filter(edge => !isSilent(edge)), ...edges.filter(isSilent)]
  }
}
