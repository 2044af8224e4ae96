// Owns the stored incidents with their alerts, events and notices. What belongs together is written in one
// transaction: an event that tells somebody, and the notice that does.
import { type RawBuilder, sql } from 'kysely'
import type { Cause, IncidentEvent, IncidentEventKind, IncidentView, NoticeReason, Verdict } from '#wire'
import { type AuditNote, audit, type Db, type StateDb } from './database.ts'
import type { Tables } from './tables.ts'

const DAY_MS = 86_400_000
const KEPT_MS = 365 * DAY_MS
const KEPT_MAX = 10_000
const LIST_MAX = 500
/** A flood of alerts and a person's notes; older ones stay stored and are asked for in pages of this size. */
const EVENTS_MAX = 1000
const ALERTS_MAX = 10_000
const ROWS_AT_ONCE = 200

/** What the keeper has to know after a restart and nobody else asks for. */
export interface IncidentMemo {
  /** It came back after it was resolved. */
  readonly reopened: number
  /** Nothing of it has fired since; null: something fires. */
  readonly quietSince: number | null
  /** Somebody is told then; null: there is nothing to tell. */
  readonly tellAt: number | null
  readonly tellReason: NoticeReason | null
  readonly toldAt: number | null
  readonly rungAt: number | null
  readonly rings: number
  /** The highest rank of the verdict, and the servers, of which somebody was told. */
  readonly toldRank: number
  readonly toldServers: readonly string[]
  /** A person resolved it: until its alerts have ended they open nothing. */
  readonly byHand: boolean
  /** Of a drill, which rings nobody unless it was told to; null: it is real. */
  readonly drill: { readonly id: string; readonly rings: boolean } | null
}

export interface StoredIncident {
  readonly id: string
  readonly groupKey: string
  readonly title: string
  readonly severity: IncidentView['severity']
  readonly openedAt: number
  readonly resolvedAt: number | null
  readonly servers: readonly string[]
  readonly cause: Cause
  readonly verdict: Verdict
  readonly viewers: IncidentView['viewers']
  readonly acknowledgedBy: string | null
  readonly acknowledgedAt: number | null
  readonly assignedTo: string | null
  readonly waitUntil: number | null
  readonly memo: IncidentMemo
}

export interface IncidentAlert {
  readonly alertId: string
  readonly joinedAt: number
  readonly resolvedAt: number | null
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

export interface NewEvent {
  readonly at: number
  readonly kind: IncidentEventKind
  readonly by: string
  readonly text: string
}

export interface NewNotice {
  readonly at: number
  readonly reason: NoticeReason
  readonly rings: boolean
  readonly text: string
}

/** One step of one incident. */
export interface IncidentChange {
  readonly incident: StoredIncident
  /** New ones, and those that ended or came again. */
  readonly alerts: readonly IncidentAlert[]
  readonly events: readonly NewEvent[]
  readonly notices: readonly NewNotice[]
  /** What people did, for the audit. */
  readonly acts?: readonly AuditNote[]
}

export interface IncidentWithAlerts {
  readonly incident: StoredIncident
  readonly alerts: readonly IncidentAlert[]
}

export type IncidentOwner = Pick<StoredIncident, 'acknowledgedBy' | 'acknowledgedAt' | 'assignedTo'>

export interface Incidents {
  /** All of it, or nothing. */
  save(this: void, changes: readonly IncidentChange[]): Promise<void>
  /** Open ones, and those that were resolved after `resolvedAfter`; newest first. */
  list(this: void, resolvedAfter: number): Promise<IncidentWithAlerts[]>
  get(this: void, id: string): Promise<IncidentWithAlerts | null>
  /** Oldest first; the newest thousand. */
  events(this: void, id: string): Promise<IncidentEvent[]>
  notices(this: void, id: string): Promise<(NewNotice & { readonly id: number })[]>
  /** Of these alerts, those that ever joined an incident. */
  joined(this: void, alertIds: readonly string[]): Promise<Set<string>>
  /** Who has the open ones: another process may have handed them over. */
  owners(this: void): Promise<(IncidentOwner & { readonly id: string })[]>
  /** The highest number that an incident was given. */
  lastNumber(this: void): Promise<number>
}

export const ID_PREFIX = 'I-'

export function createIncidents({ db, nowMs }: StateDb): Incidents {
  return {
    save: changes => save(db, changes, nowMs()),
    list: async resolvedAfter => {
      const rows = await db
        .selectFrom('incidents')
        .selectAll()
        .where(where =>
          where.or([where('resolved_at', 'is', null), where('resolved_at', '>', resolvedAfter)]),
        )
        .orderBy('opened_at', 'desc')
        .limit(LIST_MAX)
        .execute()
      return await withAlerts(db, rows)
    },
    get: async id => {
      const rows = await db.selectFrom('incidents').selectAll().where('id', '=', id).execute()
      return (await withAlerts(db, rows))[0] ?? null
    },
    events: id => events(db, id),
    notices: async id => {
      const rows = await db
        .selectFrom('notices')
        .selectAll()
        .where('incident_id', '=', id)
        .orderBy('id')
        .limit(EVENTS_MAX)
        .execute()
      return rows.map(row => ({
        id: row.id ?? 0,
        at: row.at,
        reason: row.reason,
        rings: row.rings === 1,
        text: row.text,
      }))
    },
    joined: async alertIds => {
      if (alertIds.length === 0) return new Set()
      const rows = await db
        .selectFrom('incident_alerts')
        .select('alert_id')
        .where('alert_id', 'in', among(alertIds))
        .execute()
      return new Set(rows.map(row => row.alert_id))
    },
    owners: async () => {
      const rows = await db
        .selectFrom('incidents')
        .select(['id', 'acknowledged_by', 'acknowledged_at', 'assigned_to'])
        .where('resolved_at', 'is', null)
        .limit(LIST_MAX)
        .execute()
      return rows.map(row => ({
        id: row.id,
        acknowledgedBy: row.acknowledged_by,
        acknowledgedAt: row.acknowledged_at,
        assignedTo: row.assigned_to,
      }))
    },
    lastNumber: async () => {
      const { last } = await db
        .selectFrom('incidents')
        .select(sql<number | null>`max(CAST(substr(id, 3) AS INTEGER))`.as('last'))
        .executeTakeFirstOrThrow()
      return last ?? 0
    },
  }
}

async function save(db: StateDb['db'], changes: readonly IncidentChange[], now: number): Promise<void> {
  if (changes.length === 0) return
  await db.transaction().execute(async tx => {
    for (const { incident, alerts, events: told, notices, acts = [] } of changes) {
      const row = toRow(incident)
      await tx
        .insertInto('incidents')
        .values(row)
        .onConflict(conflict => conflict.column('id').doUpdateSet(row))
        .execute()
      await saveAlerts(tx, incident.id, alerts)
      for (const event of told) {
        await tx
          .insertInto('incident_events')
          .values({ incident_id: incident.id, ...event })
          .execute()
      }
      for (const { rings, ...notice } of notices) {
        await tx
          .insertInto('notices')
          .values({ incident_id: incident.id, ...notice, rings: rings ? 1 : 0, done_at: null })
          .execute()
      }
      for (const act of acts) await audit(tx, act)
    }
    if (changes.some(({ events: told }) => told.some(({ kind }) => kind === 'opened'))) await prune(tx, now)
  })
}

async function saveAlerts(tx: Db, incident: string, alerts: readonly IncidentAlert[]): Promise<void> {
  for (let from = 0; from < alerts.length; from += ROWS_AT_ONCE) {
    const rows = alerts.slice(from, from + ROWS_AT_ONCE).map(alert => ({
      incident_id: incident,
      alert_id: alert.alertId,
      joined_at: alert.joinedAt,
      resolved_at: alert.resolvedAt,
      labels: JSON.stringify(alert.labels),
      annotations: JSON.stringify(alert.annotations),
    }))
    await tx
      .insertInto('incident_alerts')
      .values(rows)
      .onConflict(conflict =>
        conflict.columns(['incident_id', 'alert_id']).doUpdateSet(eb => ({
          joined_at: eb.ref('excluded.joined_at'),
          resolved_at: eb.ref('excluded.resolved_at'),
        })),
      )
      .execute()
  }
}

/** Resolved ones that are a year old, or more than are kept, with all that belongs to them. */
async function prune(tx: Db, now: number): Promise<void> {
  const over = await tx
    .selectFrom('incidents')
    .select('id')
    .where('resolved_at', 'is not', null)
    .orderBy('opened_at', 'desc')
    .offset(KEPT_MAX)
    .limit(LIST_MAX)
    .execute()
  const old = await tx
    .selectFrom('incidents')
    .select('id')
    .where('resolved_at', '<', now - KEPT_MS)
    .limit(LIST_MAX)
    .execute()
  const ids = [...over, ...old].map(({ id }) => id)
  if (ids.length === 0) return
  await tx.deleteFrom('incident_events').where('incident_id', 'in', ids).execute()
  await tx.deleteFrom('incident_alerts').where('incident_id', 'in', ids).execute()
  await tx.deleteFrom('notices').where('incident_id', 'in', ids).execute()
  await tx.deleteFrom('incidents').where('id', 'in', ids).execute()
}

async function withAlerts(db: Db, rows: readonly IncidentRow[]): Promise<IncidentWithAlerts[]> {
  if (rows.length === 0) return []
  const found = await db
    .selectFrom('incident_alerts')
    .selectAll()
    .where('incident_id', 'in', among(rows.map(({ id }) => id)))
    .orderBy('joined_at')
    .limit(ALERTS_MAX)
    .execute()
  const byIncident = new Map<string, IncidentAlert[]>()
  for (const row of found) {
    const list = byIncident.get(row.incident_id) ?? []
    byIncident.set(row.incident_id, list)
    list.push({
      alertId: row.alert_id,
      joinedAt: row.joined_at,
      resolvedAt: row.resolved_at,
      labels: JSON.parse(row.labels) as Record<string, string>,
      annotations: JSON.parse(row.annotations) as Record<string, string>,
    })
  }
  return rows.map(row => ({ incident: fromRow(row), alerts: byIncident.get(row.id) ?? [] }))
}

async function events(db: Db, id: string): Promise<IncidentEvent[]> {
  const rows = await db
    .selectFrom('incident_events')
    .selectAll()
    .where('incident_id', '=', id)
    .orderBy('id', 'desc')
    .limit(EVENTS_MAX)
    .execute()
  return rows.map(({ id: number, at, kind, by, text }) => ({ id: number ?? 0, at, kind, by, text })).reverse()
}

/** One bound value however many there are: SQLite takes 32,766 of them. */
function among(values: readonly string[]): RawBuilder<string> {
  return sql<string>`(SELECT value FROM json_each(${JSON.stringify(values)}))`
}

type IncidentRow = Tables['incidents']

function toRow(incident: StoredIncident): IncidentRow {
  return {
    id: incident.id,
    group_key: incident.groupKey,
    title: incident.title,
    severity: incident.severity,
    opened_at: incident.openedAt,
    resolved_at: incident.resolvedAt,
    servers: JSON.stringify(incident.servers),
    cause: JSON.stringify(incident.cause),
    verdict: JSON.stringify(incident.verdict),
    viewers: JSON.stringify(incident.viewers),
    acknowledged_by: incident.acknowledgedBy,
    acknowledged_at: incident.acknowledgedAt,
    assigned_to: incident.assignedTo,
    wait_until: incident.waitUntil,
    memo: JSON.stringify(incident.memo),
  }
}

function fromRow(row: IncidentRow): StoredIncident {
  return {
    id: row.id,
    groupKey: row.group_key,
    title: row.title,
    severity: row.severity,
    openedAt: row.opened_at,
    resolvedAt: row.resolved_at,
    servers: JSON.parse(row.servers) as string[],
    cause: JSON.parse(row.cause) as Cause,
    verdict: JSON.parse(row.verdict) as Verdict,
    viewers: JSON.parse(row.viewers) as IncidentView['viewers'],
    acknowledgedBy: row.acknowledged_by,
    acknowledgedAt: row.acknowledged_at,
    assignedTo: row.assigned_to,
    waitUntil: row.wait_until,
    memo: { ...NEW_MEMO, ...(JSON.parse(row.memo) as Partial<IncidentMemo>) },
  }
}

export const NEW_MEMO: IncidentMemo = {
  reopened: 0,
  quietSince: null,
  tellAt: null,
  tellReason: null,
  toldAt: null,
  rungAt: null,
  rings: 0,
  toldRank: 0,
  toldServers: [],
  byHand: false,
  drill: null,
}
