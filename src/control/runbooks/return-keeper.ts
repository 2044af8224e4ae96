// Owns edges that come back to viewers in steps: 1, 10, 100 percent of new sessions, each until there is evidence that
// it serves well. It refuses to go on when the evidence turns bad: the edge is drained again.
import type { Log } from '#base'
import type { Fleet, ServerRecord } from '../fleet/fleet.ts'
import { audit, type StateDb } from '../state/database.ts'

const STAGES = [1, 10, 100] as const
/** Each step lets at least so many sessions in. */
const SESSIONS_MIN = 5
/** Five sessions of twenty seconds. */
const VIEWER_MS_MIN = 100_000
/** Half of the fleet's sessions: a step is no return of everybody. */
const PERCENT_MAX = 50

export interface Returning {
  readonly server: string
  readonly percent: number
  readonly since: number
  readonly by: string
  readonly reason: string
  readonly stageMs: number
}

export interface StageEvidence {
  /** Seconds x sessions that it has fed since the step began, in ms. */
  readonly viewerMs: number
  readonly ageMs: number
  /** What speaks against it; null: nothing. */
  readonly bad: string | null
}

export type StageAnswer =
  | { readonly kind: 'stay' }
  | { readonly kind: 'fall-back'; readonly why: string }
  | { readonly kind: 'next'; readonly percent: number }
  | { readonly kind: 'over' }

/** Pure. */
export function judgeStage({ percent, stageMs }: Returning, evidence: StageEvidence): StageAnswer {
  if (evidence.bad !== null) return { kind: 'fall-back', why: evidence.bad }
  if (evidence.viewerMs < VIEWER_MS_MIN && evidence.ageMs < stageMs) return { kind: 'stay' }
  const next = STAGES.find(stage => stage > percent)
  return next === undefined ? { kind: 'over' } : { kind: 'next', percent: next }
}

/** The part of new sessions in a step: where few watch, as many as give evidence. */
export function stageShare(percent: number, watching: number): number {
  if (percent >= 100) return 100
  const enough = watching === 0 ? PERCENT_MAX : (100 * SESSIONS_MIN) / watching
  return Math.max(percent, Math.min(PERCENT_MAX, enough))
}

export interface ReturnKeeperOptions {
  readonly state: StateDb
  readonly fleet: Fleet
  readonly log: Log
  /** Orders or shares have changed. */
  readonly onChange: () => Promise<void>
  monotonicMs(this: void): number
}

export class ReturnKeeper {
  readonly #options: ReturnKeeperOptions
  readonly #viewerMs = new Map<string, number>()
  #lastMs: number

  constructor(options: ReturnKeeperOptions) {
    this.#options = options
    this.#lastMs = options.monotonicMs()
  }

  async of(server: string): Promise<Returning | null> {
    return (await this.#all()).find(one => one.server === server) ?? null
  }

  /** Ends the order and begins with the first step, in one transaction. */
  async begin(server: string, by: string, reason: string, stageMs: number): Promise<void> {
    const { db, nowMs } = this.#options.state
    await db.transaction().execute(async tx => {
      await tx.deleteFrom('overrides').where('server_id', '=', server).execute()
      const row = { percent: STAGES[0], since: nowMs(), by, reason, stage_ms: stageMs }
      await tx
        .insertInto('server_returns')
        .values({ server_id: server, ...row })
        .onConflict(conflict => conflict.column('server_id').doUpdateSet(row))
        .execute()
      const facts = { reason, percent: STAGES[0] }
      await audit(tx, { at: nowMs(), by, action: 'server-return', subject: server, facts })
    })
    this.#viewerMs.delete(server)
    await this.#options.onChange()
  }

  /** Each second. */
  async turn(): Promise<void> {
    const { fleet, state, monotonicMs } = this.#options
    const passedMs = Math.min(5000, monotonicMs() - this.#lastMs)
    this.#lastMs = monotonicMs()
    const returning = await this.#all()
    const ids = new Set(returning.map(({ server }) => server))
    for (const record of fleet.all()) if (!ids.has(record.id)) record.returnPercent = null
    const watching = fleet.edges().reduce((sum, { id }) => sum + fleet.sessions.of(id).watching, 0)
    for (const one of returning) {
      const record = fleet.get(one.server)
      if (record === null) {
        // Retired while it came back: should it ever join again, it does so as a new one.
        const gone = state.db.deleteFrom('server_returns').where('server_id', '=', one.server)
        await gone.execute()
        continue
      }
      record.returnPercent = stageShare(one.percent, watching)
      const viewerMs =
        (this.#viewerMs.get(one.server) ?? 0) + fleet.sessions.of(one.server).watching * passedMs
      this.#viewerMs.set(one.server, viewerMs)
      const ageMs = state.nowMs() - one.since
      await this.#apply(one, judgeStage(one, { viewerMs, ageMs, bad: badEvidence(record, ageMs) }), watching)
    }
  }

  async #apply(one: Returning, answer: StageAnswer, watching: number): Promise<void> {
    if (answer.kind === 'stay') return
    const { state, log } = this.#options
    const { db, nowMs } = state
    const at = nowMs()
    const { server, by } = one
    log.info('server-return', { ...one, answer: answer.kind })
    await db.transaction().execute(async tx => {
      const row = tx.deleteFrom('server_returns').where('server_id', '=', server)
      if (answer.kind === 'next') {
        const next = { percent: answer.percent, since: at }
        await tx.updateTable('server_returns').set(next).where('server_id', '=', server).execute()
        const evidence = watching === 0 ? 'on synthetic views: nobody watches' : 'on its viewers'
        const facts = { percent: answer.percent, evidence }
        await audit(tx, { at, by, action: 'server-return', subject: server, facts })
        return
      }
      await row.execute()
      if (answer.kind === 'over') {
        await audit(tx, { at, by, action: 'server-returned', subject: server, facts: {} })
        return
      }
      const reason = `its return was broken off: ${answer.why}`
      const order = { kind: 'drain' as const, reason, by: `return by ${by}`, since: at, expires_at: null }
      await tx
        .insertInto('overrides')
        .values({ server_id: server, ...order })
        .onConflict(conflict => conflict.column('server_id').doUpdateSet(order))
        .execute()
      await audit(tx, { at, by: order.by, action: 'server-drain', subject: server, facts: { reason } })
    })
    this.#viewerMs.delete(server)
    await this.#options.onChange()
  }

  async #all(): Promise<Returning[]> {
    const rows = await this.#options.state.db.selectFrom('server_returns').selectAll().execute()
    return rows.map(row => ({
      server: row.server_id,
      percent: row.percent,
      since: row.since,
      by: row.by,
      reason: row.reason,
      stageMs: row.stage_ms,
    }))
  }
}

/** What its witnesses say against it; a state that an order left is judged anew within moments. */
const SETTLE_MS = 3000

function badEvidence({ standing, reason, doubts, plays }: ServerRecord, ageMs: number): string | null {
  if (ageMs < SETTLE_MS) return null
  if (standing.state === 'unreachable' || standing.state === 'degraded') return `${standing.state}: ${reason}`
  if (doubts > 1) return reason
  const failing = [...plays].find(([, log]) => log.last()?.ok === false && log.failures() > 1)
  return failing === undefined
    ? null
    : `${failing[0]} cannot play from it: ${failing[1].last()?.problem ?? ''}`
}
