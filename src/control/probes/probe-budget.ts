// Owns what looking at streams may cost: GB for each server and month, and at most 1 % of its line, spread evenly.
// It refuses a look before its bytes are spent; what was spent this month outlives a restart.
import { type Clock, type FleetTime, isoTime } from '#base'
import type { StateDb } from '../state/database.ts'

const MONTH_S = 30 * 86_400
/** So much may come at once: a full look needs some MB. */
const BURST_S = 3600
const CAPACITY_SHARE = 0.01
/** Of the month's bytes, so that they are not used up on its first day. */
const MONTHS_MAX = 24

export interface ProbeBudgetOptions {
  /** For one server and month. */
  readonly bytesMonth: number
  /** Of a server's line, bits a second; null: nobody said. */
  readonly capacityBps: (server: string) => number | null
  readonly clock: Clock
  readonly fleetTime: FleetTime
  readonly state: StateDb
}

interface Purse {
  month: string
  /** This month. */
  used: number
  /** Bytes that may be spent now. */
  left: number
  /** The most that `left` becomes. */
  room: number
  filledMs: number
  stored: number
}

export class ProbeBudget {
  readonly #options: ProbeBudgetOptions
  readonly #purses = new Map<string, Purse>()
  #refused = 0

  private constructor(options: ProbeBudgetOptions) {
    this.#options = options
  }

  static async open(options: ProbeBudgetOptions): Promise<ProbeBudget> {
    const budget = new ProbeBudget(options)
    const month = budget.#month()
    const { db } = options.state
    for (const row of await db.selectFrom('probe_use').selectAll().where('month', '=', month).execute()) {
      const purse = budget.#purseOf(row.server_id)
      purse.used = row.bytes
      purse.stored = row.bytes
    }
    return budget
  }

  get bytesMonth(): number {
    return this.#options.bytesMonth
  }

  /** Looks that were left out because there was no budget. */
  get refused(): number {
    return this.#refused
  }

  used(server: string): number {
    return this.#purseOf(server).used
  }

  /** Asks before a look that takes about so many bytes. */
  may(server: string, bytes: number): boolean {
    const purse = this.#purseOf(server)
    const may = purse.left >= bytes && purse.used + bytes <= this.#options.bytesMonth
    if (!may) this.#refused += 1
    return may
  }

  /** True when there is something left at all; for the plan of the edges. */
  isOpen(server: string): boolean {
    const purse = this.#purseOf(server)
    return purse.left > 0 && purse.used < this.#options.bytesMonth
  }

  /** Half of what may be spent at once is left: looks that nobody urgently needs leave the rest to suspicion. */
  isAmple(server: string): boolean {
    const purse = this.#purseOf(server)
    return this.isOpen(server) && purse.left >= purse.room / 2
  }

  spend(server: string, bytes: number): void {
    const purse = this.#purseOf(server)
    purse.used += bytes
    // What an observer spent without asking is waited for an hour at most; the month knows all of it.
    purse.left = Math.max(-purse.room, purse.left - bytes)
  }

  /** Each minute, and at the end. */
  async flush(): Promise<void> {
    const { db } = this.#options.state
    for (const [server_id, purse] of this.#purses) {
      if (purse.used === purse.stored) continue
      const { month, used: bytes } = purse
      await db
        .insertInto('probe_use')
        .values({ server_id, month, bytes })
        .onConflict(conflict => conflict.columns(['server_id', 'month']).doUpdateSet({ bytes }))
        .execute()
      purse.stored = bytes
    }
    await this.#dropOld()
  }

  async #dropOld(): Promise<void> {
    const { db } = this.#options.state
    const months = await db
      .selectFrom('probe_use')
      .select('month')
      .distinct()
      .orderBy('month', 'desc')
      .execute()
    const oldest = months[MONTHS_MAX - 1]?.month
    if (oldest !== undefined) await db.deleteFrom('probe_use').where('month', '<', oldest).execute()
  }

  /** Filled at the rate that uses the month up, or at 1 % of the line where that is less. */
  #purseOf(server: string): Purse {
    const { bytesMonth, capacityBps, clock } = this.#options
    const nowMs = clock.monotonicMs()
    const month = this.#month()
    const capacity = capacityBps(server)
    const perSecond = Math.min(
      bytesMonth / MONTH_S,
      capacity === null ? Number.POSITIVE_INFINITY : (capacity / 8) * CAPACITY_SHARE,
    )
    const room = perSecond * BURST_S
    const known = this.#purses.get(server)
    if (known === undefined) {
      const purse = { month, used: 0, left: room, room, filledMs: nowMs, stored: 0 }
      this.#purses.set(server, purse)
      return purse
    }
    known.room = room
    known.left = Math.min(room, known.left + (perSecond * (nowMs - known.filledMs)) / 1000)
    known.filledMs = nowMs
    if (known.month !== month) Object.assign(known, { month, used: 0, stored: 0 })
    return known
  }

  #month(): string {
    return isoTime(this.#options.fleetTime.nowMs()).slice(0, 7)
  }
}
