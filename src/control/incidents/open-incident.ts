// Owns one incident in memory: who joined, what it is called, whom it hurts, and what of it is not stored yet.
// It decides nothing about time: the keeper tells it when.
import type { IncidentEventKind, IncidentView, NoticeReason } from '#wire'
import { actorNow } from '../state/acting.ts'
import type { StoredAlert } from '../state/alerts.ts'
import type { AuditNote } from '../state/database.ts'
import type {
  IncidentAlert,
  IncidentChange,
  IncidentMemo,
  NewEvent,
  NewNotice,
  StoredIncident,
} from '../state/incidents.ts'
import { familyOf, type Labels, type ServerFacts, serverOf, severityOf } from './facts.ts'
import type { Group, Topology } from './group.ts'
import { titleOf } from './title.ts'
import type { Trend } from './verdict.ts'

export const VITRINE = 'vitrine'
/** A flood that joins one incident: beyond it alerts are counted in it by their names only. */
export const ALERTS_MAX = 10_000
/** What waits for a disk that fails; beyond it the oldest events are lost, notices never. */
const EVENTS_WAITING_MAX = 2000
/** One event for each of so many alerts that join in one turn; of more there is one event for all. */
export const EVENTS_A_TURN = 25
const TREND_MS = 60_000
/** The last ones say enough of what they have in common. */
const MEMBERS_MAX = 300

/** What people do, and what the audit calls it. */
export const actions = {
  acknowledged: 'incident-acknowledge',
  comment: 'incident-comment',
  assigned: 'incident-assign',
  waiting: 'incident-wait',
  resolved: 'incident-resolve',
} as const
type ActKind = keyof typeof actions

const ranks = { info: 0, warning: 1, critical: 2 } as const

export class OpenIncident {
  stored: StoredIncident
  readonly #alerts: Map<string, IncidentAlert>
  readonly #firing = new Set<string>()
  #changedAlerts = new Map<string, IncidentAlert>()
  #events: NewEvent[] = []
  #notices: NewNotice[] = []
  #acts: AuditNote[] = []
  #dirty = false
  /** Viewers hurt of the last two minutes, oldest first. */
  #hurt: { readonly at: number; readonly value: number }[] = []
  #measuredAt: number | null = null
  #hurtSince: number | null = null

  constructor(stored: StoredIncident, alerts: readonly IncidentAlert[]) {
    this.stored = stored
    this.#alerts = new Map(alerts.map(alert => [alert.alertId, alert]))
    for (const { alertId, resolvedAt } of alerts) if (resolvedAt === null) this.#firing.add(alertId)
  }

  get id(): string {
    return this.stored.id
  }

  alerts(): IncidentAlert[] {
    return [...this.#alerts.values()]
  }

  has(alertId: string): boolean {
    return this.#alerts.has(alertId)
  }

  firing(): IncidentAlert[] {
    return [...this.#firing].flatMap(id => this.#alerts.get(id) ?? [])
  }

  firingIds(): ReadonlySet<string> {
    return this.#firing
  }

  group(): Group {
    const members = [...this.#alerts.values()].slice(-MEMBERS_MAX)
    const { openedAt, resolvedAt } = this.stored
    const lastAt = this.lastJoinedAt()
    return { members, openedAt, lastAt, isResolved: resolvedAt !== null, endedAt: resolvedAt }
  }

  lastJoinedAt(): number {
    return [...this.#alerts.values()].at(-1)?.joinedAt ?? this.stored.openedAt
  }

  join(alert: StoredAlert, at: number, topology: Topology): void {
    if (this.#alerts.size >= ALERTS_MAX) return
    const { id: alertId, labels, annotations } = alert
    this.#setAlert({ alertId, joinedAt: at, resolvedAt: null, labels, annotations })
    this.#firing.add(alertId)
    const server = serverOf(labels, id => topology.servers.has(id))
    const { servers, severity } = this.stored
    const given = severityOf(labels)
    this.set({
      servers: server === null || servers.includes(server) ? servers : [...servers, server],
      severity: ranks[given] > ranks[severity] ? given : severity,
    })
  }

  end(alertId: string, at: number): void {
    const alert = this.#alerts.get(alertId)
    if (alert === undefined || !this.#firing.delete(alertId)) return
    this.#setAlert({ ...alert, resolvedAt: at })
  }

  #setAlert(alert: IncidentAlert): void {
    this.#alerts.set(alert.alertId, alert)
    this.#changedAlerts.set(alert.alertId, alert)
    this.#dirty = true
  }

  set(part: Partial<StoredIncident>): void {
    this.stored = { ...this.stored, ...part }
    this.#dirty = true
  }

  remember(part: Partial<IncidentMemo>): void {
    this.set({ memo: { ...this.stored.memo, ...part } })
  }

  note(at: number, kind: IncidentEventKind, text: string, by: string = VITRINE): void {
    if (this.#events.length >= EVENTS_WAITING_MAX) this.#events.shift()
    this.#events.push({ at, kind, by, text })
    this.#dirty = true
  }

  tell(at: number, reason: NoticeReason, rings: boolean, text: string): void {
    this.#notices.push({ at, reason, rings, text })
    this.note(at, 'notified', `${rings ? 'rings' : 'told quietly'}: ${text}`)
  }

  /** What a person did: on the timeline and in the audit, both stored with what it changed. */
  act(at: number, kind: ActKind, text: string, by: string, facts: Record<string, unknown> = {}): void {
    this.note(at, kind, text, by)
    // It may be stored by a turn that somebody else began.
    const act = { at, by, action: actions[kind], subject: this.id, facts, as: actorNow(by) }
    if (this.#acts.length >= EVENTS_WAITING_MAX) this.#acts.shift()
    this.#acts.push(act)
  }

  /** By its alerts; of a control room that is cut off they say nothing of the servers, and its name stays. */
  name(topology: Topology): void {
    if (this.stored.cause.kind === 'observer-cut-off') return
    const drill = this.stored.memo.drill === null ? '' : 'Drill: '
    const title = `${drill}${titleOf(this.alerts(), topology)}`
    if (title !== this.stored.title) this.set({ title })
  }

  /** What was not stored yet; null: nothing. `stored` or `failed` must be told afterwards. */
  take(): IncidentChange | null {
    if (!this.#dirty) return null
    const change = {
      incident: this.stored,
      alerts: [...this.#changedAlerts.values()],
      events: this.#events,
      notices: this.#notices,
      acts: this.#acts,
    }
    this.#changedAlerts = new Map()
    this.#events = []
    this.#notices = []
    this.#acts = []
    this.#dirty = false
    return change
  }

  /** It could not be stored: it goes with what comes next, before it. */
  giveBack({ alerts, events, notices, acts = [] }: IncidentChange): void {
    for (const alert of alerts)
      if (!this.#changedAlerts.has(alert.alertId)) this.#changedAlerts.set(alert.alertId, alert)
    this.#events = [...events, ...this.#events].slice(-EVENTS_WAITING_MAX)
    this.#notices = [...notices, ...this.#notices]
    this.#acts = [...acts, ...this.#acts].slice(-EVENTS_WAITING_MAX)
    this.#dirty = true
  }

  /** Adds up viewers x time; `hurtNow` null: not known. */
  measure(hurtNow: number | null, now: number): void {
    const { viewers } = this.stored
    const lastedMs = this.#measuredAt === null ? 0 : Math.max(0, now - this.#measuredAt)
    this.#measuredAt = now
    // After a restart nobody knows since when: then since it was opened.
    if (hurtNow === 0) this.#hurtSince = null
    else if (hurtNow !== null) this.#hurtSince ??= (viewers.hurtNow ?? 0) > 0 ? this.stored.openedAt : now
    if (hurtNow !== null) this.#hurt.push({ at: now, value: hurtNow })
    while ((this.#hurt[0]?.at ?? now) < now - 2 * TREND_MS) this.#hurt.shift()
    const peak = hurtNow === null ? viewers.peak : Math.max(viewers.peak ?? 0, hurtNow)
    const lostViewerSeconds = viewers.lostViewerSeconds + ((hurtNow ?? 0) * lastedMs) / 1000
    if (
      hurtNow === viewers.hurtNow &&
      peak === viewers.peak &&
      lostViewerSeconds === viewers.lostViewerSeconds
    )
      return
    this.set({ viewers: { ...viewers, hurtNow, peak, lostViewerSeconds } })
  }

  /** Since when somebody is hurt without a pause; of one that hurts nobody, since it was opened. */
  hurtSince(): number {
    return this.#hurtSince ?? this.stored.openedAt
  }

  /** Now against a minute ago; null: too early, or not known. */
  trend(now: number): Trend | null {
    const before = this.#hurt.findLast(({ at }) => at <= now - TREND_MS)
    const last = this.#hurt.at(-1)
    if (before === undefined || last === undefined || this.stored.viewers.hurtNow === null) return null
    const change = last.value - before.value
    if (Math.abs(change) <= 0.1 * Math.max(before.value, last.value)) return 'steady'
    return change > 0 ? 'rising' : 'falling'
  }

  view(): IncidentView {
    const { memo, groupKey: _group, servers, ...rest } = this.stored
    const drill = memo.drill === null ? {} : { drill: memo.drill.id }
    return { ...rest, ...drill, servers: [...servers], firing: this.#firing.size, alerts: this.#alerts.size }
  }
}

/** Viewers that those alerts which fire now hurt; null: nobody can know. */
export function hurtBy(incident: OpenIncident, { servers }: Topology): number | null {
  const firing = incident.firing().map(({ labels }) => ({ labels, server: server(labels, servers) }))
  const edges = [...servers.values()].filter(({ role }) => role === 'edge')
  const all = edges.reduce((sum, { viewers }) => sum + viewers, 0)
  if (incident.stored.cause.kind === 'observer-cut-off') return null
  const isFleet = firing.some(
    ({ labels, server: one }) =>
      labels['alertname'] === 'SteeringExhausted' || (one?.role === 'origin' && one.state === 'unreachable'),
  )
  if (isFleet) return all
  // What is about no server of ours hurts nobody that is known of.
  if (incident.stored.servers.length === 0) return null
  const hurt = new Map<string, number>()
  for (const { labels, server: one } of firing) {
    if (one === null) continue
    const isIll = one.state === 'unreachable' || one.state === 'degraded'
    const fails = familyOf(labels) === 'ill' && labels['alertname'] !== 'HitRatioLow'
    if (isIll || fails) hurt.set(one.id, one.viewers)
  }
  return [...hurt.values()].reduce((sum, viewers) => sum + viewers, 0)
}

function server(labels: Labels, servers: ReadonlyMap<string, ServerFacts>): ServerFacts | null {
  const id = serverOf(labels, one => servers.has(one))
  return id === null ? null : (servers.get(id) ?? null)
}
