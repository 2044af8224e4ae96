// Owns what state.db says of a moment in the past: which servers there were, their states, what people had ordered and
// said, and which alerts were on. It reads, and changes nothing.
import { sql } from 'kysely'
import { z } from 'zod'
import {
  type AlertView,
  type Evidence,
  evidence,
  type OverrideView,
  overrideKinds,
  type ServerRole,
  type ServerState,
  type ServerTags,
  serverRoles,
  serverTags,
} from '#wire'
import { fromRow } from './alerts.ts'
import type { StateDb } from './database.ts'

const ALERTS_MAX = 1000

export interface PastServer {
  readonly id: string
  readonly role: ServerRole
  readonly region: string
  readonly tags: ServerTags
  readonly override: OverrideView | null
  /** Of a foreign server; null: ours. */
  readonly foreign: { readonly url: string; readonly weight: number } | null
  readonly enrolledAt: number
  /** The last change of state until then; null: none, it had not been seen. */
  readonly change: PastChange | null
}

export interface PastChange {
  readonly at: number
  readonly state: ServerState
  readonly reason: string
  readonly evidence: readonly Evidence[]
}

export interface Past {
  /** As they were enrolled. */
  serversAt(this: void, at: number): Promise<PastServer[]>
  alertsAt(this: void, at: number): Promise<AlertView[]>
}

export function createPast(state: StateDb): Past {
  return { serversAt: at => serversAt(state, at), alertsAt: at => alertsAt(state, at) }
}

interface Told {
  readonly subject: string
  readonly action: string
  readonly by: string
  readonly facts: Readonly<Record<string, unknown>>
  readonly at: number
}

const ORDERS = overrideKinds.map(kind => `server-${kind}`)
const ENROLMENTS = ['server-add', 'server-join', 'server-watch', 'server-remove']

async function serversAt(state: StateDb, at: number): Promise<PastServer[]> {
  const { db } = state
  const rows = await db.selectFrom('servers').selectAll().orderBy(sql`rowid`).execute()
  const changes = await lastChanges(state, at)
  const orders = await lastTold(state, [...ORDERS, 'server-order-ended'], at)
  const said = await lastTold(state, ['server-tag'], at)
  const saidEver = await lastTold(state, ['server-tag'], Number.MAX_SAFE_INTEGER)
  const enrolments = await lastTold(state, ENROLMENTS, at)
  const present = rows
    .filter(row => row.created_at <= at && (row.retired_at === null || row.retired_at > at))
    .map(({ id, role, region, created_at: enrolledAt, tags, stream, entry_weight: weight }) => {
      // What was said of it later is not what was known then.
      const own = saidEver.has(id) ? (said.get(id)?.facts ?? {}) : JSON.parse(tags)
      const watched = enrolments.get(id)
      const foreign = role === 'foreign' ? (foreignOf(watched) ?? { url: stream, weight }) : null
      return { id, role, region, enrolledAt, tags: tagsOf(own), foreign }
    })
  const kept = new Set(rows.map(({ id }) => id))
  // Of one that was removed since, the audit alone remembers.
  const removed = [...enrolments.values()].flatMap(told => {
    const role = serverRoles.find(known => known === (told.facts['role'] ?? 'foreign'))
    if (kept.has(told.subject) || told.action === 'server-remove' || role === undefined) return []
    const tags = tagsOf(said.get(told.subject)?.facts ?? {})
    const region = textOf(told.facts['region'])
    return [{ id: told.subject, role, region, enrolledAt: told.at, tags, foreign: foreignOf(told) }]
  })
  return [...present, ...removed].map(server => ({
    ...server,
    override: overrideOf(orders.get(server.id), at),
    // Changes of one that had the id before it was removed are not its own.
    change: ownChange(changes.get(server.id), server.enrolledAt),
  }))
}

function ownChange(change: PastChange | undefined, enrolledAt: number): PastChange | null {
  return change === undefined || change.at < enrolledAt ? null : change
}

async function lastChanges({ db }: StateDb, at: number): Promise<Map<string, PastChange>> {
  const newest = db
    .selectFrom('state_changes')
    .select(({ fn }) => fn.max('id').as('id'))
    .where('at', '<=', at)
    .groupBy('server_id')
  const rows = await db.selectFrom('state_changes').selectAll().where('id', 'in', newest).execute()
  return new Map(
    rows.map(row => [
      row.server_id,
      {
        at: row.at,
        state: row.to_state,
        reason: row.reason,
        evidence: evidence.array().parse(JSON.parse(row.evidence)),
      },
    ]),
  )
}

/** By subject: the last of these actions until then. */
async function lastTold({ db }: StateDb, actions: readonly string[], at: number): Promise<Map<string, Told>> {
  const newest = db
    .selectFrom('audit')
    .select(({ fn }) => fn.max('id').as('id'))
    .where('action', 'in', actions)
    .where('at', '<=', at)
    .groupBy('subject')
  const rows = await db.selectFrom('audit').selectAll().where('id', 'in', newest).execute()
  return new Map(
    rows.map(row => [row.subject, { ...row, facts: JSON.parse(row.facts) as Record<string, unknown> }]),
  )
}

const orderFacts = z.object({ reason: z.string(), expiresInS: z.number().nullable() })

function overrideOf(told: Told | undefined, at: number): OverrideView | null {
  const kind = overrideKinds.find(known => told?.action === `server-${known}`)
  const facts = orderFacts.safeParse(told?.facts)
  if (told === undefined || kind === undefined || !facts.success) return null
  const { reason, expiresInS } = facts.data
  const expiresAt = expiresInS === null ? null : told.at + expiresInS * 1000
  return expiresAt !== null && expiresAt <= at
    ? null
    : { kind, reason, by: told.by, since: told.at, expiresAt }
}

function foreignOf(told: Told | undefined): PastServer['foreign'] {
  if (told?.action !== 'server-watch') return null
  return { url: textOf(told.facts['stream']), weight: Number(told.facts['weight'] ?? 0) }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function tagsOf(value: unknown): ServerTags {
  const parsed = serverTags.strip().safeParse(value)
  return parsed.success ? parsed.data : {}
}

/** Pending or firing then. Those that were resolved more than 30 days ago are gone. */
async function alertsAt({ db }: StateDb, at: number): Promise<AlertView[]> {
  const rows = await db
    .selectFrom('alerts')
    .selectAll()
    .where('active_at', '<=', at)
    .where(where => where.or([where('resolved_at', 'is', null), where('resolved_at', '>', at)]))
    .orderBy('active_at', 'desc')
    .limit(ALERTS_MAX)
    .execute()
  return rows.map(row => {
    const { keptSince: _, ...alert } = fromRow(row)
    const fired = alert.firedAt !== null && alert.firedAt <= at
    return {
      ...alert,
      state: fired ? ('firing' as const) : ('pending' as const),
      firedAt: fired ? alert.firedAt : null,
      resolvedAt: null,
      // Of its last evaluation, which came later.
      value: null,
    }
  })
}
