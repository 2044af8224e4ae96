// Owns what the page behind a link is made of: the incident's row and its newest events. A part of the row that cannot
// be read is missing, and holds nobody up.
import type { Screen } from '../incident-page/screen.ts'
import type { StateDb } from '../state/database.ts'
import { incidentOf } from './incident-rows.ts'
import type { LinkHolder } from './links.ts'
import { readCause, readServers, readVerdict, readViewers } from './message.ts'

const EVENTS_READ = 41

/** Null: the incident is no more. */
export async function linkFacts(
  { db, nowMs }: StateDb,
  holder: LinkHolder,
  zone: string,
  told: string | null,
): Promise<Screen | null> {
  const row = await incidentOf(db, holder.incident)
  if (row === null) return null
  const events = await db
    .selectFrom('incident_events')
    .selectAll()
    .where('incident_id', '=', row.id)
    .orderBy('id', 'desc')
    .limit(EVENTS_READ)
    .execute()
  return {
    id: row.id,
    title: row.title,
    severity: row.severity,
    openedAt: row.opened_at,
    resolvedAt: row.resolved_at,
    servers: readServers(row).map(id => ({ id, state: null })),
    verdict: readVerdict(row),
    cause: readCause(row),
    viewers: readViewers(row),
    acknowledgedBy: row.acknowledged_by,
    acknowledgedAt: row.acknowledged_at,
    assignedTo: row.assigned_to,
    waitUntil: row.wait_until,
    trend: null,
    recent: [],
    changes: [],
    showing: [],
    morning: null,
    events: events.map(({ id = 0, at, kind, by, text }) => ({ id, at, kind, by, text })),
    reader: { kind: 'link', recipient: holder.recipient, expiresAt: holder.expiresAt },
    now: nowMs(),
    zone,
    told,
  }
}
