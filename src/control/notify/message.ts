// Owns how a notice of an incident is made from the incident's row. A part that cannot be read is missing, and holds
// nobody up.
import { type MessageAlert, type NoticeMessage, oneLine } from '#receivers'
import { type Cause, cause, type NoticeReason, type Verdict, verdict } from '#wire'

/** Of an incident with more, the rest is counted: ten thousand alerts are no message. */
export const ALERTS_MAX = 100

/** Read from the incident's row: a part that cannot be read is missing, and holds nobody up. */
export interface IncidentRow {
  readonly id: string
  readonly title: string
  readonly severity: NoticeMessage['severity']
  readonly opened_at: number
  readonly resolved_at: number | null
  readonly servers: string
  readonly cause: string
  readonly verdict: string
  readonly viewers: string
  readonly acknowledged_by: string | null
}

export function readVerdict(row: Pick<IncidentRow, 'verdict'>): Verdict | null {
  return verdict.safeParse(readJson(row.verdict)).data ?? null
}

export function readCause(row: Pick<IncidentRow, 'cause'>): Cause | null {
  return cause.safeParse(readJson(row.cause)).data ?? null
}

export function readServers(row: Pick<IncidentRow, 'servers'>): readonly string[] {
  const value = readJson(row.servers)
  return Array.isArray(value) ? value.filter(item => typeof item === 'string') : []
}

export function readViewers(
  row: Pick<IncidentRow, 'viewers'>,
): Pick<NoticeMessage, 'hurtNow' | 'peak' | 'moved'> {
  const value = readJson(row.viewers)
  const figure = (name: string): number | null => {
    const found = typeof value === 'object' && value !== null ? Reflect.get(value, name) : null
    return typeof found === 'number' && Number.isFinite(found) ? found : null
  }
  return { hurtNow: figure('hurtNow'), peak: figure('peak'), moved: figure('moved') }
}

export function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

export interface NoticeFacts {
  readonly reason: NoticeReason
  readonly rings: boolean
  readonly at: number
  readonly text: string
}

export function messageOfIncident(
  row: IncidentRow | null,
  notice: NoticeFacts,
  alerts: readonly MessageAlert[],
  alertsMore: number,
): NoticeMessage {
  const verdictNow = row === null ? null : readVerdict(row)
  const viewers = row === null ? { hurtNow: null, peak: null, moved: null } : readViewers(row)
  return {
    incident: row?.id ?? null,
    reason: notice.reason,
    rings: notice.rings,
    at: notice.at,
    title: oneLine(row?.title ?? (notice.reason === 'test' ? 'This is a test' : notice.text)),
    severity: row?.severity ?? 'info',
    class: verdictNow?.class ?? null,
    decideBy: verdictNow?.decideBy ?? null,
    why: oneLine(verdictNow?.reason ?? ''),
    cause: oneLine(row === null ? '' : (readCause(row)?.text ?? '')),
    since: row?.opened_at ?? null,
    resolvedAt: row?.resolved_at ?? null,
    ...viewers,
    servers: row === null ? [] : readServers(row),
    text: oneLine(notice.text),
    by: row?.acknowledged_by ?? null,
    alerts,
    alertsMore,
  }
}
