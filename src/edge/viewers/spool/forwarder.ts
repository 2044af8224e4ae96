// Owns handing the spool to the control room: in order, a bounded number of messages ahead of what is acknowledged, and
// again from there after each reconnect. It keeps nothing: what is not acknowledged lies in the spool.
import { type Clock, type Closable, type Log, messageOf } from '#base'
import {
  VIEWER_RECORDS_CHARACTERS_MAX,
  VIEWER_RECORDS_MAX,
  type ViewerRecords,
  type ViewerRecordsTaken,
} from '#wire'
import type { Spool } from './spool.ts'

const TURN_MS = 100
/** Messages that may be on their way: the control room answers some times a second. */
const AHEAD_MAX = 8
/** No answer for so long: one was lost, or the control room could not store them. */
const ANSWER_MS_MAX = 20_000

export interface ForwarderOptions {
  readonly spool: Spool
  /** False: there is no channel, or it is full. */
  readonly send: (message: ViewerRecords) => boolean
  readonly dropped: () => Readonly<Record<string, number>>
  readonly clock: Clock
  readonly log: Log
}

export class Forwarder implements Closable {
  readonly #options: ForwarderOptions
  readonly #timer: NodeJS.Timeout
  /** All below it are taken, or will never come. */
  #taken: number
  /** The next to send. */
  #cursor: number
  /** Ends of the messages that are on their way. */
  #ahead: number[] = []
  #askedMs = 0
  #isSending = false
  #isClosed = false

  constructor(options: ForwarderOptions) {
    this.#options = options
    this.#taken = options.spool.first
    this.#cursor = this.#taken
    this.#timer = setInterval(() => this.turn(), TURN_MS)
  }

  /** After each welcome: what was on its way may be lost. */
  again(): void {
    this.#rewind(this.#taken)
    this.turn()
  }

  taken({ spool: id, next }: ViewerRecordsTaken): void {
    const { spool } = this.#options
    if (id !== spool.id || next > spool.next) return
    if (next <= this.#taken) {
      // It has less than we thought, or refused what was out of order: from there again, as far as it is still here.
      if (next < this.#taken || this.#ahead.length > 0) this.#rewind(next)
      return
    }
    this.#taken = next
    this.#cursor = Math.max(this.#cursor, next)
    this.#ahead = this.#ahead.filter(end => end > next)
    this.#askedMs = this.#options.clock.monotonicMs()
    spool.release(next)
    this.turn()
  }

  turn(): void {
    const { clock, log } = this.#options
    if (this.#ahead.length > 0 && clock.monotonicMs() - this.#askedMs > ANSWER_MS_MAX)
      this.#rewind(this.#taken)
    if (this.#isSending || this.#isClosed) return
    this.#isSending = true
    this.#send()
      .catch((error: unknown) => log.error('viewer-records-not-sent', { problem: messageOf(error) }))
      .finally(() => {
        this.#isSending = false
      })
  }

  close(): void {
    this.#isClosed = true
    clearInterval(this.#timer)
  }

  #rewind(taken: number): void {
    this.#taken = taken
    this.#cursor = taken
    this.#ahead = []
  }

  async #send(): Promise<void> {
    const { spool, send, dropped, clock } = this.#options
    while (this.#ahead.length < AHEAD_MAX && this.#cursor < spool.next && !this.#isClosed) {
      const from = this.#cursor
      const batch = await spool.read(from, VIEWER_RECORDS_MAX, VIEWER_RECORDS_CHARACTERS_MAX)
      if (batch === null) return
      // A welcome or an answer came in between: what was read may not be what is next.
      if (from !== this.#cursor) continue
      const lines = batch.lines.join('\n')
      const { id } = spool
      const message = { type: 'viewer-records', spool: id, from, first: batch.first, lines } as const
      if (!send({ ...message, dropped: { ...dropped() } })) return
      if (this.#ahead.length === 0) this.#askedMs = clock.monotonicMs()
      this.#ahead.push(batch.end)
      this.#cursor = batch.end
    }
  }
}
