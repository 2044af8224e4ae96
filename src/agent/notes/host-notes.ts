// Owns telling the control room who used the CPU and what the kernel said. It keeps what could not be told, bounded,
// and refuses to flood: five processes each 5 s, sixty kernel messages a minute.
import { type Clock, type Counter, type Counters, createThrottle, type FleetTime, type Log } from '#base'
import { type HostNote, KERNEL_MAX, NOTES_MAX, TOP_MAX } from '#wire'
import type { HttpCalls } from '../http-call.ts'
import type { PendingNote } from '../recorder/recall-notes.ts'

const PATH = '/api/v1/host-notes'
const TELL_EVERY_MS = 5000
const RETRY_MS_MAX = 20_000
const DEADLINE_MS = 5000
const ANSWER_BYTES_MAX = 64 * 1024
const LOG_EVERY_MS = 600_000
const MINUTE_MS = 60_000
/** Twenty minutes of looks, and a burst of the kernel: what the recorder holds at most. */
const WAITING_MAX = 1500
/** Requests that follow each other while a backlog is drained. */
const REQUESTS_A_TURN_MAX = 10

export interface HostNotesOptions {
  readonly controlUrl: string
  readonly authorization: string
  readonly calls: HttpCalls
  readonly fleet: FleetTime
  readonly counters: Counters
  readonly clock: Clock
  readonly log: Log
  /** Everything up to this BOOTTIME was taken, or refused for good. */
  readonly onSettled: (bootMs: number) => void
}

export class HostNotes {
  readonly #options: HostNotesOptions
  readonly #told: Counter
  readonly #throttle = createThrottle(LOG_EVERY_MS)
  #waiting: Waiting[] = []
  #dueMs = 0
  #failures = 0
  #telling = false
  #minute = { startMs: Number.NEGATIVE_INFINITY, messages: 0 }

  constructor(options: HostNotesOptions) {
    this.#options = options
    this.#told = options.counters.counter(
      'vitrine_agent_host_notes_total',
      'Seconds with top processes or kernel messages by what became of them. refused growing: see the log of this agent.',
    )
  }

  /** The oldest go when there are too many; the flight recorder has them still. */
  add(notes: readonly PendingNote[]): void {
    this.#waiting.push(...notes.map(note => this.#bounded(note)))
    const over = this.#waiting.length - WAITING_MAX
    if (over <= 0) return
    this.#waiting.splice(0, over)
    this.#told.add(over, { result: 'dropped' })
  }

  /** Tells what waits, unless it does already or it is not time yet. Never rejects. */
  async turn(): Promise<void> {
    const { clock, fleet } = this.#options
    if (this.#telling || this.#waiting.length === 0 || !fleet.known()) return
    if (clock.monotonicMs() < this.#dueMs) return
    this.#telling = true
    try {
      for (let request = 0; request < REQUESTS_A_TURN_MAX && this.#waiting.length > 0; request += 1) {
        if (!(await this.#tell(this.#waiting.slice(0, NOTES_MAX)))) return
      }
      this.#dueMs = clock.monotonicMs() + TELL_EVERY_MS
    } finally {
      this.#telling = false
    }
  }

  async #tell(pending: readonly Waiting[]): Promise<boolean> {
    const { calls, controlUrl, authorization, clock } = this.#options
    // Stamped once: the same second told again carries the same time.
    const stamped = pending.map(note => ({ ...note, stampMs: this.#stampOf(note) }))
    const answer = await calls.send({
      method: 'POST',
      url: `${controlUrl.replace(/\/+$/, '')}${PATH}`,
      headers: { authorization, 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify({ notes: stamped.map(noteOf) })),
      deadlineMs: DEADLINE_MS,
      answerBytesMax: ANSWER_BYTES_MAX,
    })
    const status = answer.kind === 'answer' ? answer.status : null
    const refused = status !== null && status >= 400 && status < 500 && status !== 429
    if (status !== 200 && !refused) {
      this.#failures += 1
      const pauseMs = Math.min(RETRY_MS_MAX, TELL_EVERY_MS * 2 ** (this.#failures - 1))
      this.#dueMs = clock.monotonicMs() + pauseMs * (0.5 + Math.random() / 2)
      const gone = new Set(pending)
      this.#waiting = [...stamped, ...this.#waiting.filter(note => !gone.has(note))]
      return false
    }
    this.#failures = 0
    const gone = new Set(pending)
    this.#waiting = this.#waiting.filter(note => !gone.has(note))
    const last = pending.findLast(({ bootMs }) => bootMs !== null)?.bootMs
    if (last != null) this.#options.onSettled(last)
    this.#told.add(pending.length, { result: refused ? 'refused' : 'told' })
    if (refused && this.#throttle('notes', clock.monotonicMs()).pass) {
      this.#options.log.warn('host-notes-refused', { status })
    }
    return true
  }

  #stampOf({ stampMs, bootMs }: PendingNote): number {
    return Math.round(stampMs ?? this.#options.fleet.fromBootMs(bootMs ?? 0))
  }

  /** Sixty kernel messages a minute, the first ones: they say how it began. */
  #bounded(note: PendingNote): Waiting {
    const { kernel = [], bootMs, stampMs } = note
    const atMs = stampMs ?? bootMs ?? 0
    if (Math.abs(atMs - this.#minute.startMs) >= MINUTE_MS) this.#minute = { startMs: atMs, messages: 0 }
    const kept = kernel.slice(0, Math.max(0, KERNEL_MAX - this.#minute.messages))
    this.#minute.messages += kept.length
    return { ...note, kernel: kept, leftOut: kernel.length - kept.length }
  }
}

/** Beyond the kernel's messages of a minute, only their number is told. */
interface Waiting extends PendingNote {
  readonly leftOut: number
}

function noteOf({ stampMs, top, kernel = [], kernelRead, leftOut }: Waiting): HostNote {
  return {
    at: stampMs ?? 0,
    kernelRead,
    ...(top === undefined ? {} : { top: top.slice(0, TOP_MAX) }),
    ...(kernel.length === 0 ? {} : { kernel: [...kernel] }),
    ...(leftOut === 0 ? {} : { kernelLeftOut: leftOut }),
  }
}
