// Owns what keeps the audit useful: wrong passwords are noted without letting strangers fill it, and what is older than
// it is kept goes.
import { type Closable, every, type Log } from '#base'
import { audit, type StateDb } from '../state/database.ts'
import type { SessionPlace } from './web-sessions.ts'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
/** Wrong passwords: one entry a name in this time, with how many there were. */
const NOTED_EVERY_MS = 60_000
/** One transaction: some milliseconds. What is left goes an hour later, or sooner when there is much. */
const PRUNED_ROWS = 5000
export const AUDIT_DAYS = 400
/** Names that nobody has share one entry: what is typed there may be a password. */
const NOBODY = 'a name that nobody has'

interface Noted {
  readonly at: number
  /** Since that entry. */
  more: number
}

export class AuditKeeper {
  readonly #state: StateDb
  readonly #keptMs: number
  /** By name of a user: as many as there are users, and one. */
  readonly #noted = new Map<string, Noted>()

  constructor(state: StateDb, keptDays: number = AUDIT_DAYS) {
    this.#state = state
    this.#keptMs = keptDays * DAY_MS
  }

  async wrongPassword(typed: string, place: SessionPlace): Promise<void> {
    const { db, nowMs } = this.#state
    const user = await db.selectFrom('users').select('name').where('name', '=', typed).executeTakeFirst()
    const subject = user?.name ?? NOBODY
    const at = nowMs()
    const known = this.#noted.get(subject)
    if (known !== undefined && at - known.at < NOTED_EVERY_MS && at >= known.at) {
      known.more += 1
      return
    }
    this.#noted.set(subject, { at, more: 0 })
    const facts = {
      device: place.device,
      ...(known === undefined || known.more === 0 ? {} : { before: known.more }),
    }
    const as = { kind: 'anonymous', address: place.address } as const
    await audit(db, { at, by: 'sign-in', action: 'sign-in-refused', subject, facts, as })
  }

  /** Gives how many entries went. */
  async prune(): Promise<number> {
    const { db, nowMs } = this.#state
    let gone = 0
    for (;;) {
      const { numDeletedRows } = await db
        .deleteFrom('audit')
        .where('id', 'in', select =>
          select
            .selectFrom('audit')
            .select('id')
            .where('at', '<', nowMs() - this.#keptMs)
            .orderBy('at')
            .limit(PRUNED_ROWS)
            .$castTo<{ id: number }>(),
        )
        .executeTakeFirstOrThrow()
      gone += Number(numDeletedRows)
      if (Number(numDeletedRows) < PRUNED_ROWS) return gone
    }
  }

  /** Prunes now and each hour. */
  follow(log: Log): Closable {
    const run = async (): Promise<void> => {
      const gone = await this.prune()
      if (gone > 0) log.info('audit-pruned', { entries: gone })
    }
    const failed = (error: unknown): void => log.error('audit-not-pruned', { error })
    const first = run().catch(failed)
    const turns = every(HOUR_MS, run, failed)
    return {
      close: async () => {
        await first
        await turns.close()
      },
    }
  }
}
