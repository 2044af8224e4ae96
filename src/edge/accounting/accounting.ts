// Owns the one moment at which an answer is accounted: when its last byte is with the kernel, or nobody wants the rest.
// Totals and access log say the same, because both are told here and nowhere else.
import { join } from 'node:path'
import { type Clock, type Closable, ensureFolder, type FleetTime, type Log } from '#base'
import { accessLine, type Served } from './access-line.ts'
import { AccessLog } from './access-log.ts'
import { Totals } from './totals.ts'

/** Lines are stamped with an offset that is looked up this often: reading fleet time costs more than the line's digits. */
const OFFSET_MS = 100

/** Sizes of the access log. */
export interface AccessLogLimits {
  /** A file that has reached this is renamed to access.1.log, and so on. */
  readonly bytesMax: number
  /** Files in all; the oldest is dropped. */
  readonly filesMax: number
}

export interface AccountingOptions {
  /** Of this edge; the files lie below it in `accounting/`. */
  readonly stateFolder: string
  readonly hostId: string
  /** Null: no access log. */
  readonly accessLog: AccessLogLimits | null
  readonly clock: Clock
  readonly log: Log
}

export class Accounting implements Closable {
  readonly totals: Totals
  readonly #clock: Clock
  readonly #accessLog: AccessLog | null
  #fleet: FleetTime | null = null
  #offsetMs = 0
  #offsetUntilMs = 0

  constructor({ stateFolder, hostId, accessLog, clock, log }: AccountingOptions) {
    const folder = ensureFolder(join(stateFolder, 'accounting'))
    this.#clock = clock
    this.totals = new Totals({ file: join(folder, 'totals'), hostId, clock })
    if (!this.totals.survives) log.warn('totals-begin-at-zero', { reason: 'files cannot be mapped here' })
    this.#accessLog = accessLog === null ? null : new AccessLog({ ...accessLog, folder, log })
  }

  /** Known once the edge is linked; until then the host's clock stands in. */
  useTime(fleet: FleetTime): void {
    this.#fleet = fleet
    this.#offsetUntilMs = 0
  }

  /** `monotonicMs`: now, which the caller has looked up anyway. */
  served(answer: Served, monotonicMs: number): void {
    this.totals.add(answer.kind, answer.status, answer.class, answer.bytes)
    if (this.#accessLog === null || answer.kind === 'internal') return
    this.#accessLog.add(accessLine(answer, this.#timeAt(monotonicMs)))
  }

  /** Lines of the access log that found no room. */
  get linesDropped(): number {
    return this.#accessLog?.dropped ?? 0
  }

  /** When all totals were zero, in seconds since 1970. */
  sinceS(): number {
    const { sinceBootMs } = this.totals
    const bootMs = this.#clock.bootMs()
    return (this.#fleet?.fromBootMs(sinceBootMs) ?? this.#clock.wallMs() - (bootMs - sinceBootMs)) / 1000
  }

  async close(): Promise<void> {
    await this.#accessLog?.close()
  }

  /** Fleet time moves against the monotonic clock by less than a ms in a second. */
  #timeAt(monotonicMs: number): number {
    if (monotonicMs >= this.#offsetUntilMs) {
      this.#offsetMs = (this.#fleet?.nowMs() ?? this.#clock.wallMs()) - monotonicMs
      this.#offsetUntilMs = monotonicMs + OFFSET_MS
    }
    return monotonicMs + this.#offsetMs
  }
}
