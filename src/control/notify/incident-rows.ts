// Owns what the notifier reads of incidents: a row, its alerts, and the sets of labels that routes look at. It changes
// nothing.
import type { MessageAlert, NoticeMessage } from '#receivers'
import type { NoticeReason } from '#wire'
import type { Db } from '../state/database.ts'
import type { Tables } from '../state/tables.ts'
import {
  ALERTS_MAX,
  type IncidentRow,
  messageOfIncident,
  type NoticeFacts,
  readCause,
  readJson,
  readVerdict,
} from './message.ts'

type Labels = Readonly<Record<string, string>>
type FullRow = Tables['incidents']

/** Routes look at the labels of this many alerts. */
const ROUTED_ALERTS_MAX = 1000

export async function incidentOf(db: Db, id: string | null): Promise<FullRow | null> {
  if (id === null) return null
  return (await db.selectFrom('incidents').selectAll().where('id', '=', id).executeTakeFirst()) ?? null
}

export interface IncidentFacts {
  readonly row: IncidentRow | null
  readonly alerts: readonly MessageAlert[]
  readonly alertsMore: number
  readonly labelSets: readonly Labels[]
}

/** The incident as it is now. Firing alerts come first. */
export async function factsOf(db: Db, row: FullRow | null): Promise<IncidentFacts> {
  if (row === null) return { row, alerts: [], alertsMore: 0, labelSets: [{}] }
  const rows = await db
    .selectFrom('incident_alerts')
    .select(['labels', 'annotations', 'joined_at', 'resolved_at'])
    .where('incident_id', '=', row.id)
    .orderBy('resolved_at', 'desc')
    .orderBy('joined_at')
    .limit(ROUTED_ALERTS_MAX)
    .execute()
  const own = {
    severity: row.severity,
    verdict: readVerdict(row)?.class ?? '',
    cause: readCause(row)?.kind ?? '',
  }
  const alerts = rows
    .toSorted((a, b) => Number(a.resolved_at !== null) - Number(b.resolved_at !== null))
    .map(alert => ({
      labels: labelsOf(alert.labels),
      annotations: labelsOf(alert.annotations),
      startsAt: alert.joined_at,
      endsAt: alert.resolved_at,
    }))
  return {
    row,
    alerts: alerts.slice(0, ALERTS_MAX),
    alertsMore: Math.max(0, alerts.length - ALERTS_MAX),
    labelSets: alerts.length === 0 ? [own] : alerts.map(({ labels }) => ({ ...labels, ...own })),
  }
}

/** With what only this notice knows. */
export function labelSetsFor(facts: IncidentFacts, reason: NoticeReason, rings: boolean): readonly Labels[] {
  return facts.labelSets.map(labels => ({ ...labels, reason, rings: rings ? 'yes' : 'no' }))
}

export function messageFor(facts: IncidentFacts, notice: NoticeFacts): NoticeMessage {
  return messageOfIncident(facts.row, notice, facts.alerts, facts.alertsMore)
}

function labelsOf(text: string): Labels {
  const value = readJson(text)
  if (typeof value !== 'object' || value === null) return {}
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, label]) => (typeof label === 'string' ? [[name, label]] : [])),
  )
}
