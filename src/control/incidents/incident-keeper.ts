// Owns the incidents: from alerts that fire and end to as few incidents as there are likely causes, to what is told of
// them. It looks at what fires, each second and whenever an alert changes, so that nothing hangs on one message; what
// it decides is stored in one transaction with the notice of it.
import type { Closable, Counters, Log } from '#base'
import type { IncidentView } from '#wire'
import { CONTROL_ID } from '../fleet/fleet.ts'
import type { StoredAlert } from '../state/alerts.ts'
import type { IncidentChange, Incidents } from '../state/incidents.ts'
import { ID_PREFIX, NEW_MEMO } from '../state/incidents.ts'
import { IncidentActions } from './actions.ts'
import { cannotTell, causesOf, RESTART_MS } from './cause.ts'
import { familyOf, type IncidentSources, type ServerFigures, serverOf } from './facts.ts'
import { belongs, type Topology, topologyOf } from './group.ts'
import { EVENTS_A_TURN, hurtBy, OpenIncident, VITRINE } from './open-incident.ts'
import { OwnerWatch } from './owner-watch.ts'
import { isQuiet, resolvedWords } from './quiet.ts'
import {
  isLongOver,
  named,
  noteJoined,
  tellAfterAbsence,
  tellGroup,
  tellOfChanges,
  tellResolved,
} from './telling.ts'
import { type Trend, type VerdictInput, verdictOf } from './verdict.ts'
import type { WakePolicy } from './wake.ts'

const TURN_MS = 1000
/** One that comes back within this is the same. */
const REOPEN_MS = 10 * 60_000
/** Quiet for so long it is over; twice as long after each time that it came back. */
const QUIET_MS = 10_000
const QUIET_MS_MAX = REOPEN_MS
/** Figures and counts are asked for so often, while an incident is open. */
const LOOK_MS = 5000
const AHEAD_MS = 12 * 3_600_000
/** Open at once; beyond it alerts join the newest one. */
const OPEN_MAX = 200
const FLOOD = 200
/** What a cause is named from, and one turn may look at. */
const CAUSE_ALERTS_MAX = 1000

export interface IncidentKeeperOptions {
  readonly incidents: Incidents
  readonly sources: IncidentSources
  readonly policy: WakePolicy
  readonly counters: Counters
  readonly log: Log
  nowMs(this: void): number
}

export class IncidentKeeper implements Closable {
  readonly #options: IncidentKeeperOptions
  /** Open ones, and those that may be opened again; oldest first. */
  readonly #kept = new Map<string, OpenIncident>()
  /** Looked at last, by incident. */
  readonly #looked = new Map<
    string,
    { readonly at: number; readonly figures: ReadonlyMap<string, ServerFigures> }
  >()
  /** They fired and ended between two turns. */
  #missed: StoredAlert[] = []
  /** Of those that were over before anybody could look. */
  readonly #endedAt = new Map<string, number>()
  /** Alerts that a person's "it is over" left firing. */
  readonly #dismissed = new Set<string>()
  readonly #owners = new OwnerWatch()
  #number = 0
  #timer: NodeJS.Timeout | null = null
  #turns: Promise<void> = Promise.resolve()
  #asked = false
  readonly actions: IncidentActions

  private constructor(options: IncidentKeeperOptions) {
    this.#options = options
    const gauge = options.counters.gauge(
      'vitrine_control_incidents_open',
      'Incidents that are open. The page Incidents shows them.',
    )
    const hurt = options.counters.gauge(
      'vitrine_incident_viewers_hurt',
      'Viewers that an open incident hurts now. Its page draws them above CPU; they end with the incident.',
    )
    let shown: readonly string[] = []
    options.counters.beforeCollect(() => {
      const open = this.open()
      gauge.set(open.length)
      const known = open.filter(({ viewers }) => viewers.hurtNow !== null)
      for (const incident of shown) if (!known.some(({ id }) => id === incident)) hurt.remove({ incident })
      for (const { id, viewers } of known) hurt.set(viewers.hurtNow ?? 0, { incident: id })
      shown = known.map(({ id }) => id)
    })
    this.actions = new IncidentActions({
      find: id => this.#kept.get(id) ?? null,
      incidents: options.incidents,
      nowMs: options.nowMs,
      save: () => this.#queue(() => this.#save()),
      dismiss: ids => {
        for (const id of ids) this.#dismissed.add(id)
      },
    })
  }

  /** Goes on where the last one stopped: `recent` are alerts that ended of late, some of them unseen. */
  static async open(
    options: IncidentKeeperOptions,
    recent: readonly StoredAlert[] = [],
  ): Promise<IncidentKeeper> {
    const keeper = new IncidentKeeper(options)
    const stored = await options.incidents.list(options.nowMs() - REOPEN_MS)
    for (const { incident, alerts } of stored.toReversed()) {
      keeper.#kept.set(incident.id, new OpenIncident(incident, alerts))
      keeper.#owners.stored(incident.id, incident)
      if (!incident.memo.byHand) continue
      for (const { alertId, resolvedAt } of alerts) if (resolvedAt === null) keeper.#dismissed.add(alertId)
    }
    keeper.#number = await options.incidents.lastNumber()
    const known = await options.incidents.joined(recent.map(({ id }) => id))
    keeper.#missed = recent.filter(({ id, firedAt }) => firedAt !== null && !known.has(id))
    return keeper
  }

  start(): void {
    this.#timer = setInterval(() => this.kick(), TURN_MS)
    this.#timer.unref()
    this.kick()
  }

  /** Alerts that were stored just now. */
  observe = (changed: readonly StoredAlert[]): void => {
    for (const alert of changed) {
      if (alert.state !== 'resolved' || alert.firedAt === null) continue
      if (alert.resolvedAt !== null && isLongOver(alert, this.#options.nowMs()))
        this.#endedAt.set(alert.id, alert.resolvedAt)
      if (this.#holding(alert.id) === null) this.#missed.push(alert)
    }
    this.kick()
  }

  /** A turn soon; one that waits already is enough. */
  kick = (): void => {
    if (this.#asked) return
    this.#asked = true
    void this.turn()
  }

  /** One turn, after those that run. */
  turn(): Promise<void> {
    return this.#queue(async () => {
      this.#asked = false
      await this.#turn()
    })
  }

  /** Nobody looked from then to then: what still fires is told again, so that nobody takes silence for its end. */
  remindAfter({ from, to }: { readonly from: number; readonly to: number }): Promise<void> {
    const { policy, nowMs } = this.#options
    return this.#queue(async () => {
      await this.#turn()
      const now = nowMs()
      for (const incident of this.#openOnes())
        tellAfterAbsence(incident, { from, to, zone: policy.zone }, now)
      await this.#save()
    })
  }

  open(): IncidentView[] {
    return this.#openOnes().map(incident => incident.view())
  }

  /** An open one, or one that was resolved a moment ago; null: look into the stored ones. */
  get(id: string): IncidentView | null {
    return this.#kept.get(id)?.view() ?? null
  }

  /** Of viewers hurt, over a minute; null: it is over, too new, or not known. */
  trend(id: string): Trend | null {
    const incident = this.#kept.get(id)
    return incident?.stored.resolvedAt === null ? incident.trend(this.#options.nowMs()) : null
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer)
    await this.#turns
  }

  #queue(run: () => Promise<void>): Promise<void> {
    const done = this.#turns.then(run)
    this.#turns = done.catch((error: unknown) => this.#options.log.error('incidents-broken', { error }))
    return done
  }

  #openOnes(): OpenIncident[] {
    return [...this.#kept.values()].filter(({ stored }) => stored.resolvedAt === null)
  }

  #holding(alertId: string): OpenIncident | null {
    return [...this.#kept.values()].find(incident => incident.has(alertId)) ?? null
  }

  async #turn(): Promise<void> {
    const { sources, incidents, nowMs } = this.#options
    for (const row of await incidents.owners()) {
      const owner = this.#owners.changed(row.id, row)
      if (owner !== null) this.#kept.get(row.id)?.set(owner)
    }
    const now = nowMs()
    const topology = topologyOf(sources.servers())
    const firing = sources.firing().filter(alert => this.#counts(alert, now))
    const ids = new Set(firing.map(({ id }) => id))
    for (const id of this.#dismissed) if (!ids.has(id)) this.#dismissed.delete(id)
    this.#takeIn([...this.#missed.splice(0), ...firing], now, topology)
    const open = this.#openOnes()
    const around = {
      capacity: open.length === 0 ? null : await sources.capacity(),
      planned: open.length === 0 ? [] : sources.planned(now, now + AHEAD_MS),
    }
    for (const incident of open) {
      this.#endThose(incident, ids, now)
      incident.measure(hurtBy(incident, topology), now)
      await this.#judge(incident, topology, { now, ...around })
      this.#settle(incident, topology, now)
    }
    for (const [id, { stored }] of this.#kept) {
      if (stored.resolvedAt === null || now - stored.resolvedAt <= REOPEN_MS) continue
      this.#kept.delete(id)
      this.#owners.forget(id)
      this.#looked.delete(id)
    }
    await this.#save()
  }

  #counts({ labels, firedAt, activeAt }: StoredAlert, now: number): boolean {
    return (
      this.#options.sources.silencedBy(labels, now) === null ||
      this.#options.sources.silencedBy(labels, firedAt ?? activeAt) === null
    )
  }

  #takeIn(alerts: readonly StoredAlert[], now: number, topology: Topology): void {
    const held = new Set([...this.#kept.values()].flatMap(incident => [...incident.firingIds()]))
    const news = alerts
      .filter(({ id }) => !held.has(id) && !this.#dismissed.has(id))
      .toSorted((a, b) => (a.firedAt ?? a.activeAt) - (b.firedAt ?? b.activeAt))
    const joined = new Map<OpenIncident, { readonly alert: StoredAlert; readonly why: string }[]>()
    // In a flood those of one family, which came at the same time, are not compared one by one.
    const flood = news.length > FLOOD ? new Map<string, OpenIncident>() : null
    for (const alert of news) {
      const known = flood?.get(familyOf(alert.labels))
      const { incident, why } =
        known === undefined ? this.#place(alert, now, topology) : { incident: known, why: 'at the same time' }
      flood?.set(familyOf(alert.labels), incident)
      incident.join(alert, now, topology)
      const list = joined.get(incident) ?? []
      list.push({ alert, why })
      joined.set(incident, list)
    }
    for (const [incident, list] of joined) {
      const shown = list.slice(0, EVENTS_A_TURN)
      for (const { alert, why } of shown) noteJoined(incident, alert, why, now)
      if (list.length > shown.length)
        incident.note(now, 'alert-joined', `${list.length - shown.length} more alerts joined`)
      incident.name(topology)
      incident.remember({ quietSince: null })
    }
  }

  #place(alert: StoredAlert, now: number, topology: Topology): { incident: OpenIncident; why: string } {
    const drill = this.#drillOf(alert, topology)
    // What is rehearsed and what is real are never one incident.
    const newestFirst = [...this.#kept.values()]
      .toReversed()
      .filter(({ stored }) => (stored.memo.drill?.id ?? null) === (drill?.id ?? null))
    for (const wanted of [null, 'resolved'] as const) {
      for (const incident of newestFirst) {
        const { resolvedAt, memo } = incident.stored
        if ((resolvedAt === null) !== (wanted === null) || memo.byHand) continue
        const why = belongs(alert.labels, now, incident.group(), topology)
        if (why === null) continue
        if (resolvedAt !== null) this.#reopen(incident, now)
        return { incident, why }
      }
    }
    const last = this.#openOnes().at(-1)
    if (last !== undefined && this.#openOnes().length >= OPEN_MAX)
      return { incident: last, why: 'too many are open' }
    return { incident: this.#create(alert, now, topology), why: 'the first' }
  }

  #drillOf({ labels }: StoredAlert, { servers }: Topology): OpenIncident['stored']['memo']['drill'] {
    const server = serverOf(labels, id => servers.has(id)) ?? labels['instance'] ?? null
    return this.#options.sources.drillOf?.(server) ?? null
  }

  #create(alert: StoredAlert, now: number, topology: Topology): OpenIncident {
    this.#number += 1
    const server = serverOf(alert.labels, id => topology.servers.has(id))
    const text = alert.annotations['summary'] ?? alert.rule
    const incident = new OpenIncident(
      {
        id: `${ID_PREFIX}${this.#number}`,
        groupKey: `${familyOf(alert.labels)}@${server ?? ''}`,
        title: text,
        severity: 'info',
        openedAt: isLongOver(alert, now) ? (alert.firedAt ?? now) : now,
        resolvedAt: null,
        servers: [],
        cause: { kind: 'cannot-tell', text: 'Not looked at yet.', confidence: 0, for: [], against: [] },
        verdict: {
          class: 'cannot-tell',
          text: 'cannot tell',
          decideBy: null,
          reason: 'Not looked at yet.',
          inputs: [],
          at: now,
        },
        viewers: { hurtNow: null, peak: null, moved: null, lostViewerSeconds: 0 },
        acknowledgedBy: null,
        acknowledgedAt: null,
        assignedTo: null,
        waitUntil: null,
        // What was over before anybody could look is no reason to tell.
        memo: {
          ...NEW_MEMO,
          drill: this.#drillOf(alert, topology),
          ...(isLongOver(alert, now) ? {} : { tellAt: now, tellReason: 'opened' as const }),
        },
      },
      [],
    )
    this.#kept.set(incident.id, incident)
    incident.note(incident.stored.openedAt, 'opened', text)
    return incident
  }

  #reopen(incident: OpenIncident, now: number): void {
    incident.set({ resolvedAt: null })
    const { reopened } = incident.stored.memo
    incident.remember({ reopened: reopened + 1, tellAt: now, tellReason: 'opened' })
    incident.note(
      now,
      'reopened',
      reopened === 0 ? 'it came back' : `it came back for the ${reopened + 1}th time`,
    )
  }

  #endThose(incident: OpenIncident, ids: ReadonlySet<string>, now: number): void {
    const ended = incident.firing().filter(({ alertId }) => !ids.has(alertId))
    const endedAt = new Map(ended.map(({ alertId }) => [alertId, this.#endedAt.get(alertId) ?? now]))
    for (const { alertId } of ended) {
      incident.end(alertId, endedAt.get(alertId) ?? now)
      this.#endedAt.delete(alertId)
    }
    for (const { labels, alertId } of ended.slice(0, EVENTS_A_TURN))
      incident.note(endedAt.get(alertId) ?? now, 'alert-resolved', `${named(labels)} ended`)
    if (ended.length > EVENTS_A_TURN)
      incident.note(now, 'alert-resolved', `${ended.length - EVENTS_A_TURN} more ended`)
    const { quietSince } = incident.stored.memo
    if (isQuiet(incident) && quietSince === null) incident.remember({ quietSince: now })
  }

  async #judge(
    incident: OpenIncident,
    topology: Topology,
    around: Pick<VerdictInput, 'now' | 'capacity' | 'planned'>,
  ): Promise<void> {
    const { now } = around
    const { sources, policy } = this.#options
    const { stored } = incident
    const last = this.#looked.get(incident.id)
    const isDue = last === undefined || now - last.at >= LOOK_MS
    const figures = isDue ? await sources.figures(stored.servers) : last.figures
    if (isDue) {
      this.#looked.set(incident.id, { at: now, figures })
      const moved = await sources.moved(stored.servers, stored.openedAt - LOOK_MS)
      if (moved !== stored.viewers.moved) incident.set({ viewers: { ...incident.stored.viewers, moved } })
    }
    // When all has ended the evidence has too: what was found stays.
    if (incident.firingIds().size > 0) {
      const alerts = incident
        .alerts()
        .slice(0, CAUSE_ALERTS_MAX)
        .map(({ labels }) => ({ labels, server: serverOf(labels, id => topology.servers.has(id)) }))
      const servers = stored.servers.flatMap(id => topology.servers.get(id) ?? [])
      const marks = await sources.marks(stored.openedAt + RESTART_MS)
      const fleet = [...topology.servers.values()]
      const given = { servers, fleet, alerts, figures, marks, openedAt: stored.openedAt }
      const named = causesOf(given)
      const [first = cannotTell(given)] = named
      const before = stored.cause
      const isSurer = first.kind === before.kind || first.confidence >= before.confidence
      // What was named is not forgotten because the evidence fades, but of whom it is true may change.
      const cause = isSurer ? first : named.find(({ kind }) => kind === before.kind)
      if (cause !== undefined) this.#takeCause(incident, cause, now)
    }
    const input: VerdictInput = {
      ...around,
      hurtSince: incident.hurtSince(),
      grewAt: incident.lastJoinedAt(),
      hurtNow: incident.stored.viewers.hurtNow,
      trend: incident.trend(now),
      moved: incident.stored.viewers.moved,
      blind: blindness(incident),
      zone: policy.zone,
    }
    const verdict = verdictOf(input)
    const before = incident.stored.verdict
    const isSame = before.class === verdict.class && before.text === verdict.text
    if (!isSame) incident.note(now, 'class-changed', `${verdict.text}: ${verdict.reason}`)
    if (!isSame || isDue) incident.set({ verdict })
  }

  #takeCause(incident: OpenIncident, cause: OpenIncident['stored']['cause'], now: number): void {
    const before = incident.stored.cause
    if (cause.kind !== before.kind) incident.note(now, 'cause-changed', cause.text)
    if (JSON.stringify(cause) !== JSON.stringify(before)) incident.set({ cause })
    if (cause.kind !== 'observer-cut-off' || before.kind === cause.kind) return
    // Nobody knows of anybody: that is no quiet night, and no viewer that was counted before counts.
    const viewers = { ...incident.stored.viewers, hurtNow: null, peak: null }
    incident.set({ severity: 'critical', viewers, title: 'The control room is cut off from its servers' })
  }

  #settle(incident: OpenIncident, topology: Topology, now: number): void {
    const { policy } = this.#options
    const { quietSince, reopened } = incident.stored.memo
    const quietMs = Math.min(QUIET_MS * 2 ** reopened, QUIET_MS_MAX)
    if (quietSince !== null && now - quietSince >= quietMs) {
      incident.set({ resolvedAt: now })
      const left = incident.firing()
      // They go on among the alerts, and make no incident of what has ended.
      for (const { alertId } of left) this.#dismissed.add(alertId)
      const names = left.slice(0, EVENTS_A_TURN).map(({ labels }) => named(labels))
      incident.note(now, 'resolved', resolvedWords(names))
      tellResolved(incident, now, VITRINE)
      return
    }
    tellOfChanges(incident, topology, policy, now)
    tellGroup(incident, topology, policy, now)
  }

  async #save(): Promise<void> {
    const changes: { readonly incident: OpenIncident; readonly change: IncidentChange }[] = []
    for (const incident of this.#kept.values()) {
      const change = incident.take()
      if (change !== null) changes.push({ incident, change })
    }
    if (changes.length === 0) return
    try {
      await this.#options.incidents.save(changes.map(({ change }) => change))
      for (const { change } of changes) this.#owners.stored(change.incident.id, change.incident)
    } catch (error) {
      for (const { incident, change } of changes) incident.giveBack(change)
      throw error
    }
  }
}

function blindness(incident: OpenIncident): string | null {
  const { cause, servers } = incident.stored
  if (cause.kind === 'observer-cut-off') return 'The control room is cut off: nothing is known of viewers.'
  const alerts = incident.alerts()
  if (servers.length === 0 && alerts.every(({ labels }) => labels['instance'] === CONTROL_ID))
    return 'It is about the control room itself: viewers are served without it, but what it misses is not known.'
  return servers.length === 0 ? 'It is about no server of ours: what it does to viewers is not known.' : null
}
