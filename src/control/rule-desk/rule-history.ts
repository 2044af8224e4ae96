// Owns what became of each rule's alerts in the last 30 days: fired, acted on, ignored. It reads what is stored of
// alerts and incidents, a page of rows at a time, and keeps the answer for a while.
import { setImmediate } from 'node:timers/promises'
import { sql } from 'kysely'
import type { RuleHistoryView } from '#wire'
import type { StateDb } from '../state/database.ts'

const HISTORY_MS = 30 * 86_400_000
/** Rows at once: some milliseconds of the thread. */
const PAGE_ROWS = 1000
/** Many pages ask each two seconds; the count of 30 days does not hurry. */
const KEPT_MS = 30_000

export class RuleHistory {
  readonly #state: StateDb
  #counted: ReadonlyMap<string, RuleHistoryView> = new Map()
  #countedAt = Number.NEGATIVE_INFINITY
  #counting: Promise<void> | null = null

  constructor(state: StateDb) {
    this.#state = state
  }

  /** By name of the alert: rules that share one share their past. */
  async all(): Promise<ReadonlyMap<string, RuleHistoryView>> {
    const now = this.#state.nowMs()
    if (now - this.#countedAt >= KEPT_MS || now < this.#countedAt) {
      this.#counting ??= this.#count(now).finally(() => {
        this.#counting = null
      })
      await this.#counting
    }
    return this.#counted
  }

  async #count(now: number): Promise<void> {
    const counts = new Map<string, { fired: number; actedOn: number; ignored: number }>()
    for await (const { rule, acted, ended } of firedSince(this.#state, now - HISTORY_MS)) {
      const count = counts.get(rule) ?? { fired: 0, actedOn: 0, ignored: 0 }
      counts.set(rule, count)
      count.fired += 1
      if (acted === 1) count.actedOn += 1
      else if (ended === 1) count.ignored += 1
    }
    this.#counted = counts
    this.#countedAt = now
  }
}

interface FiredRow {
  readonly place: number
  readonly rule: string
  readonly acted: number
  readonly ended: number
}

/** What others sent is theirs to count. */
async function* firedSince({ db }: StateDb, since: number): AsyncGenerator<FiredRow> {
  let after = 0
  for (;;) {
    const { rows } = await sql<FiredRow>`
      SELECT alerts.rowid AS place, alerts.rule AS rule, alerts.resolved_at IS NOT NULL AS ended, EXISTS (
        SELECT 1 FROM incident_alerts AS joined
        JOIN incident_events AS event ON event.incident_id = joined.incident_id
        WHERE joined.alert_id = alerts.id AND event.by <> 'vitrine'
          AND event.kind IN ('acknowledged', 'comment', 'assigned', 'waiting', 'resolved')
      ) AS acted
      FROM alerts
      WHERE alerts.rowid > ${after} AND alerts.sender IS NULL AND alerts.fired_at >= ${since}
      ORDER BY alerts.rowid LIMIT ${PAGE_ROWS}`.execute(db)
    yield* rows
    const last = rows.at(-1)
    if (last === undefined || rows.length < PAGE_ROWS) return
    after = last.place
    await setImmediate()
  }
}
