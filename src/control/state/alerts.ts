// Owns the stored alerts: what is pending or firing outlives a restart, what is resolved is kept for a while.
import type { AlertView } from '#wire'
import type { Db, StateDb } from './database.ts'

/** Resolved alerts are shown for an hour and kept for 30 days. */
const KEPT_MS = 30 * 24 * 3_600_000
const ANSWER_MAX = 5000
/** As many as are taken from outside, and some that have ended. */
const FOREIGN_MAX = 20_000

/** An alert with what its rule needs to go on after a restart. */
export interface StoredAlert extends AlertView {
  /** Since when the condition no longer holds while `keep_firing_for` keeps it firing. */
  readonly keptSince: number | null
  /** Who sent it from outside; left out or null: a rule of ours. */
  readonly sender?: string | null
  /** Of one from outside: it ends then unless it is told again. */
  readonly endsAt?: number | null
}

export interface Alerts {
  save(this: void, alerts: readonly StoredAlert[]): Promise<void>
  /** Pending alerts that never fired leave no trace. */
  forget(this: void, ids: readonly string[]): Promise<void>
  /** Pending, firing, and those resolved after `resolvedAfter`; newest first. */
  list(this: void, resolvedAfter: number): Promise<StoredAlert[]>
  /** The same of those that others sent. */
  foreign(this: void, resolvedAfter: number): Promise<StoredAlert[]>
}

export function createAlerts({ db, nowMs }: StateDb): Alerts {
  return {
    save: async alerts => {
      if (alerts.length === 0) return
      await db.transaction().execute(async tx => {
        for (const alert of alerts) {
          const row = toRow(alert)
          await tx
            .insertInto('alerts')
            .values(row)
            .onConflict(conflict => conflict.column('id').doUpdateSet(row))
            .execute()
        }
        await tx
          .deleteFrom('alerts')
          .where('resolved_at', '<', nowMs() - KEPT_MS)
          .execute()
      })
    },
    forget: async ids => {
      if (ids.length > 0) await db.deleteFrom('alerts').where('id', 'in', ids).execute()
    },
    list: resolvedAfter => list(db, resolvedAfter, false),
    foreign: resolvedAfter => list(db, resolvedAfter, true),
  }
}

async function list(db: Db, resolvedAfter: number, isForeign: boolean): Promise<StoredAlert[]> {
  const rows = await db
    .selectFrom('alerts')
    .selectAll()
    .where('sender', isForeign ? 'is not' : 'is', null)
    .where(where => where.or([where('resolved_at', 'is', null), where('resolved_at', '>', resolvedAfter)]))
    .orderBy('active_at', 'desc')
    .limit(isForeign ? FOREIGN_MAX : ANSWER_MAX)
    .execute()
  return rows.map(fromRow)
}

type Row = Parameters<typeof fromRow>[0]

function toRow(alert: StoredAlert): Row {
  return {
    id: alert.id,
    rule: alert.rule,
    state: alert.state,
    labels: JSON.stringify(alert.labels),
    annotations: JSON.stringify(alert.annotations),
    value: alert.value,
    active_at: alert.activeAt,
    fired_at: alert.firedAt,
    resolved_at: alert.resolvedAt,
    kept_since: alert.keptSince,
    sender: alert.sender ?? null,
    ends_at: alert.endsAt ?? null,
  }
}

export function fromRow(row: {
  id: string
  rule: string
  state: StoredAlert['state']
  labels: string
  annotations: string
  value: number | null
  active_at: number
  fired_at: number | null
  resolved_at: number | null
  kept_since: number | null
  sender: string | null
  ends_at: number | null
}): StoredAlert {
  return {
    id: row.id,
    rule: row.rule,
    state: row.state,
    labels: JSON.parse(row.labels) as Record<string, string>,
    annotations: JSON.parse(row.annotations) as Record<string, string>,
    value: row.value,
    activeAt: row.active_at,
    firedAt: row.fired_at,
    resolvedAt: row.resolved_at,
    keptSince: row.kept_since,
    ...(row.sender === null ? {} : { sender: row.sender, endsAt: row.ends_at }),
  }
}
