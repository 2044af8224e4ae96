// Owns what each server sent that was not taken: counted by reason, with the last one in words, so that the server's
// page names it. It keeps nothing of servers that are not enrolled, and forgets what is a day old.
import { createThrottle, type Log } from '#base'
import type { RefusalView } from '#wire'

/** Why something of a server was not taken, and what to do: for people. */
export const refusalTexts = {
  'too-far-ahead': 'samples dated more than 10 minutes ahead of fleet time: its agent’s clock is wrong',
  'too-old': 'samples older than the retention: its agent’s clock is wrong',
  'out-of-order': 'samples older than what it has sent already: its clock was set back, or two write as one',
  conflict: 'two values for one moment: two write as one',
  'negative-counter': 'counters below zero, which no counter can be',
  'label-limit': 'series with too many labels, or too long ones',
  'series-limit': 'new series, because the store is full of them',
  'sender-series-limit': 'new series above the limit of one sender: a label has values without end',
  invalid: 'series without a proper name, or stamps that are no times',
  'other-server': 'series of another server',
  unreadable: 'a write that is no remote write, or is too large',
  frames: 'messages on its channel that cannot be read: another version, or not Vitrine',
  name: 'a channel under another server’s name, with the credential of this one',
  protocol: 'a channel of a version that is too far from this one',
  hello: 'a channel that did not say who it is',
  twice: 'a second process under this server’s name: give each machine a join string of its own',
} as const
export type RefusalReason = keyof typeof refusalTexts

const FORGET_MS = 86_400_000
/** One line a server, reason and this time; what was held back is counted there. */
const LOG_EVERY_MS = 60_000
const DETAIL_MAX = 256

export interface RefusalBookOptions {
  readonly nowMs: () => number
  readonly log: Log
  /** Whether somebody is enrolled under this id. */
  readonly known: (server: string) => boolean
}

export class RefusalBook {
  readonly #options: RefusalBookOptions
  readonly #byServer = new Map<string, Map<RefusalReason, RefusalView>>()
  readonly #throttle = createThrottle(LOG_EVERY_MS)

  constructor(options: RefusalBookOptions) {
    this.#options = options
  }

  note(server: string, reason: RefusalReason, count: number, detail: string | null = null): void {
    const { nowMs, log, known } = this.#options
    if (!known(server)) return
    const at = nowMs()
    const reasons = this.#byServer.get(server) ?? new Map<RefusalReason, RefusalView>()
    this.#byServer.set(server, reasons)
    const before = reasons.get(reason)
    const words = detail === null ? (before?.detail ?? null) : detail.slice(0, DETAIL_MAX)
    const view = {
      reason,
      text: refusalTexts[reason],
      detail: words,
      at,
      count: (before?.count ?? 0) + count,
    }
    reasons.set(reason, view)
    const { pass } = this.#throttle(`${server} ${reason}`, at)
    if (pass) log.warn('server-refused', { server, reason, count: view.count, detail: words })
  }

  /** Of the last day, newest first; counts are since this start. */
  of(server: string): RefusalView[] {
    const reasons = this.#byServer.get(server)
    if (reasons === undefined) return []
    if (!this.#options.known(server)) {
      this.#byServer.delete(server)
      return []
    }
    const now = this.#options.nowMs()
    return [...reasons.values()].filter(({ at }) => now - at < FORGET_MS).toSorted((a, b) => b.at - a.at)
  }
}
