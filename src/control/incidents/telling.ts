// Owns when an incident is told of, and with what words; the notice is written with it, sending it is another's work.
import { clockWords } from '#receivers'
import type { NoticeReason } from '#wire'
import type { StoredAlert } from '../state/alerts.ts'
import { familyOf, serverOf, severityOf } from './facts.ts'
import type { Topology } from './group.ts'
import type { OpenIncident } from './open-incident.ts'
import { verdictRank } from './verdict.ts'
import { tellAtOf, type WakePolicy, wakeOf } from './wake.ts'

/** Two turns and what may be late of one: what ended before was not seen. */
const LONG_OVER_MS = 10_000

/** What has become worse since somebody was told is told again. */
export function tellOfChanges(
  incident: OpenIncident,
  topology: Topology,
  policy: WakePolicy,
  now: number,
): void {
  const { memo, verdict, waitUntil } = incident.stored
  if (waitUntil !== null && waitUntil <= now) {
    incident.set({ waitUntil: null })
    if (memo.tellAt === null) incident.remember({ tellAt: now, tellReason: 'reminder' })
    return
  }
  const isWaiting = memo.tellAt !== null && memo.tellReason === 'reminder' && memo.tellAt > now
  // What was to wait for the morning, or was told quietly, is not what it was then.
  if (isWaiting && wouldRing(incident, policy, now)) {
    incident.remember({ tellAt: now, tellReason: memo.toldAt === null ? 'opened' : 'worse' })
    return
  }
  if (memo.toldAt === null || memo.tellAt !== null) return
  if (verdictRank[verdict.class] > memo.toldRank) {
    incident.remember({ tellAt: now, tellReason: 'worse' })
  } else if (lostEdges(incident, topology).some(id => !memo.toldServers.includes(id))) {
    incident.remember({ tellAt: now, tellReason: 'edge-lost' })
  } else if (memo.rings === 0 && wouldRing(incident, policy, now)) {
    incident.remember({ tellAt: now, tellReason: 'worse' })
  }
}

function wouldRing(incident: OpenIncident, policy: WakePolicy, now: number): boolean {
  const isBack = incident.stored.memo.reopened > 0
  const severity = isBack ? severityNow(incident) : incident.stored.severity
  return wakeOf(policy, { ...incident.stored, severity }, now, isBack).kind === 'ring'
}

/** Servers that do not serve as they should: of these the loss is no news. */
function failing(incident: OpenIncident, { servers }: Topology): string[] {
  return incident.alerts().flatMap(({ labels }) => {
    const id = serverOf(labels, one => servers.has(one))
    const fails = labels['alertname'] !== 'AgentSilent' && ['gone', 'ill'].includes(familyOf(labels))
    return fails && id !== null ? [id] : []
  })
}

function lostEdges(incident: OpenIncident, { servers }: Topology): string[] {
  return incident.firing().flatMap(({ labels }) => {
    const id = serverOf(labels, one => servers.has(one))
    const isLost = labels['alertname'] !== 'AgentSilent' && familyOf(labels) === 'gone'
    return isLost && id !== null && servers.get(id)?.role === 'edge' ? [id] : []
  })
}

/** Tells of a group that has come together. */
export function tellGroup(incident: OpenIncident, topology: Topology, policy: WakePolicy, now: number): void {
  const { memo } = incident.stored
  const { tellAt, tellReason } = memo
  if (tellAt === null || tellReason === null) return
  const due = isGrouped(tellReason) ? tellAtOf(policy, tellAt, incident.group().lastAt) : tellAt
  if (now < due) return
  // A drill that rings nobody tells nobody: a chat would take it for a real night.
  if (memo.drill !== null && !memo.drill.rings) {
    incident.remember({ tellAt: null, tellReason: null })
    incident.note(now, 'waiting', 'nobody is told: it is a drill')
    return
  }
  const isBack = memo.reopened > 0 && tellReason === 'opened'
  const severity = isBack ? severityNow(incident) : incident.stored.severity
  const wake = wakeOf(policy, { ...incident.stored, severity }, now, isBack)
  if (wake.kind === 'wait') {
    if (tellAt === wake.until && tellReason === 'reminder') return
    incident.remember({ tellAt: wake.until, tellReason: 'reminder' })
    incident.note(now, 'waiting', `nobody is told before the morning: ${wake.why}`)
    return
  }
  const rings = wake.kind === 'ring'
  incident.tell(now, tellReason, rings, words(incident, tellReason))
  const { verdict } = incident.stored
  // Who was rung while nothing could be told is up already.
  const rank = rings && verdict.class === 'cannot-tell' ? verdictRank['get-up'] : verdictRank[verdict.class]
  incident.remember({
    tellAt: null,
    tellReason: null,
    toldAt: now,
    toldRank: Math.max(memo.toldRank, rank),
    toldServers: [...new Set([...memo.toldServers, ...failing(incident, topology)])],
    ...(rings ? { rungAt: now, rings: memo.rings + 1 } : {}),
  })
}

/** Of one that came back: what fires now counts, not what it was when it was lost. */
function severityNow(incident: OpenIncident): OpenIncident['stored']['severity'] {
  const { severity, cause } = incident.stored
  const firing = incident.firing().map(({ labels }) => severityOf(labels))
  if (firing.length === 0 || cause.kind === 'observer-cut-off') return severity
  return (['critical', 'warning'] as const).find(one => firing.includes(one)) ?? 'info'
}

function isGrouped(reason: NoticeReason): boolean {
  return reason === 'opened' || reason === 'edge-lost'
}

/** Without ringing, and only if somebody was told that it began. */
export function tellResolved(incident: OpenIncident, now: number, by: string): void {
  const { memo, title, openedAt } = incident.stored
  incident.remember({ tellAt: null, tellReason: null })
  if (memo.toldAt === null) return
  const minutes = Math.max(1, Math.round((now - openedAt) / 60_000))
  incident.tell(
    now,
    'resolved',
    false,
    `resolved after ${minutes} min${by === 'vitrine' ? '' : ` by ${by}`}: ${title}`,
  )
}

function words(incident: OpenIncident, reason: NoticeReason): string {
  const { title, verdict, viewers } = incident.stored
  const before = {
    opened: '',
    worse: 'worse: ',
    'edge-lost': 'another edge is lost: ',
    reminder: 'still open: ',
    escalated: 'nobody has it yet: ',
    acknowledged: '',
    resolved: '',
    test: '',
  }
  const hurt =
    viewers.hurtNow === null ? '' : `, ${viewers.hurtNow} viewer${viewers.hurtNow === 1 ? '' : 's'} hurt now`
  return `${before[reason]}${title}; ${verdict.text}${hurt}`
}

/** It ended so long ago that nobody looked then. */
export function isLongOver({ state, resolvedAt }: StoredAlert, now: number): boolean {
  return state === 'resolved' && resolvedAt !== null && now - resolvedAt > LONG_OVER_MS
}

/** One that was found out about afterwards stands where it was. */
export function noteJoined(incident: OpenIncident, alert: StoredAlert, why: string, now: number): void {
  const text = alert.annotations['summary'] ?? named(alert.labels)
  if (!isLongOver(alert, now)) return incident.note(now, 'alert-joined', `${text} (${why})`)
  incident.note(alert.firedAt ?? now, 'alert-joined', `${text} (while the control room was away)`)
}

/** Rings as it rang before, unless somebody has it or it waits. */
export function tellAfterAbsence(
  incident: OpenIncident,
  { from, to, zone }: { readonly from: number; readonly to: number; readonly zone: string },
  now: number,
): void {
  const { memo, acknowledgedBy, waitUntil, openedAt } = incident.stored
  const away = `the control room was away from ${clockWords(from, zone)} to ${clockWords(to, zone)}`
  if (openedAt < to) incident.note(to, 'state', away)
  if (memo.toldAt === null || memo.toldAt >= to || incident.firingIds().size === 0) return
  if (waitUntil !== null && waitUntil > now) return
  const rings = memo.rings > 0 && acknowledgedBy === null
  incident.tell(now, 'reminder', rings, `still firing; ${away}: ${incident.stored.title}`)
  incident.remember({ toldAt: now, ...(rings ? { rungAt: now, rings: memo.rings + 1 } : {}) })
}

export function named(labels: Readonly<Record<string, string>>): string {
  const { alertname = 'an alert', instance } = labels
  return instance === undefined ? alertname : `${alertname} of ${instance}`
}
