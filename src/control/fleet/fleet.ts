// Owns what the control room knows of each server right now: evidence, state, titles, sessions.
// It is the one place with mutable knowledge of the fleet; everything durable goes through state/.
import {
  type Evidence,
  type Heartbeat,
  type Hello,
  isSimulated,
  type OverrideView,
  type ProbeReport,
  type ServerRole,
  type ServerTags,
  type TitleReport,
} from '#wire'
import type { Standing } from '../health/settle.ts'
import { PlayLog, type PlayLook } from '../probes/play-log.ts'
import { ProbeLog } from '../probes/probe-log.ts'
import type { StoredServer, StoredState } from '../state/servers.ts'
import type { ViewersWord } from '../viewers/compare/verdict-words.ts'
import { SessionBook } from './session-book.ts'

/** An observer's own id for the control room. */
export const CONTROL_ID = 'control'

export interface ServerRecord {
  readonly id: string
  role: ServerRole
  region: string
  tokenSha256: string
  /** '' before the first contact ever. */
  url: string
  version: string
  hostId: string
  /** Of a foreign server, else ''. */
  stream: string
  /** Of a foreign server: its share of new viewers. */
  entryWeight: number
  /** Of an edge: the part of all new sessions that it may get. */
  sharePercent: number
  /** While it comes back after a drain: the part of new sessions that it may get; null: it does not. */
  returnPercent: number | null
  /** Its drain has lasted as long as it may: who is still fed is sent to another edge. */
  drainOver: boolean
  /** The most that it has sent for a minute while healthy; null: nothing yet. */
  measuredBps: number | null
  /** What it sends now; null: not known. */
  throughputBps: number | null
  /** How full that makes it, see steering/fill. */
  fillStep: number
  /** What an operator says of it. */
  tags: ServerTags
  /** What a person ordered; it may have expired since. */
  override: OverrideView | null
  /** Monotonic time of the last message of its agent; null: not since this start. */
  agentHeardMs: number | null
  /** The same in fleet time, for people. */
  agentSeen: number | null
  watched: Heartbeat['watched'] | null
  /** The agent's own looks at GET /healthz. */
  readonly inside: ProbeLog
  /** By observer: the control room, and edges. */
  readonly outside: Map<string, ProbeLog>
  /** By observer: what it met when it played from here. */
  readonly plays: Map<string, PlayLog>
  /** Its server process has been here since this start. */
  isLinked: boolean
  /** Monotonic time of its first hello since this start; null: none. Its agent cannot have been missed before. */
  linkedMs: number | null
  titles: readonly TitleReport[]
  /** Media that it said it gave to sessions, since this start. */
  sessionBytes: number
  standing: Standing
  /** Fleet time of the last change of state. */
  since: number
  reason: string
  evidence: readonly Evidence[]
  doubts: number
  /** What its viewers say against their peers and its past; null: nothing yet. */
  viewersWord: ViewersWord | null
}

/** Two measurements of silence so far apart mean that this process did not run between them. */
const PAUSE_MS = 2000
/** Observers whose looks at one server are kept: a full mesh up to 20 edges, and some to spare. */
const OBSERVERS_MAX = 64

export class Fleet {
  readonly #servers = new Map<string, ServerRecord>()
  readonly sessions: SessionBook = new SessionBook()
  #listeningSinceMs = 0
  #lastTurnMs = 0

  /**
   * Since when this process has listened without a pause. Whoever measures silence asks here first: after a pause
   * (stopped, suspended, starved) it begins anew, because silence before is nobody's fault.
   */
  listeningSinceMs(nowMs: number): number {
    if (nowMs - this.#lastTurnMs > PAUSE_MS) this.#listeningSinceMs = nowMs
    this.#lastTurnMs = nowMs
    return this.#listeningSinceMs
  }

  /** How long an agent has been silent while somebody listened; `sinceMs` stands in for one that was never heard. */
  agentSilentMs(record: ServerRecord, nowMs: number, sinceMs: number): number {
    return nowMs - Math.max(record.agentHeardMs ?? sinceMs, this.listeningSinceMs(nowMs))
  }

  /** Before an order's end is read: somebody wants the server back without the steps. */
  returnsAtOnce(id: string): void {
    const record = this.#servers.get(id)
    if (record !== undefined) record.override = null
  }

  /** Takes over the enrolled servers: at start, and when another process enrolled some. */
  load(
    stored: readonly StoredServer[],
    states: ReadonlyMap<string, StoredState>,
    overrides: ReadonlyMap<string, OverrideView>,
    now: number,
  ): void {
    for (const server of stored) {
      const known = this.#servers.get(server.id)
      if (known === undefined) this.#servers.set(server.id, newRecord(server, states.get(server.id), now))
      else
        Object.assign(known, {
          role: server.role,
          region: server.region,
          tokenSha256: server.tokenSha256,
          tags: server.tags,
          sharePercent: server.sharePercent,
          ...(server.role === 'foreign' ? foreignPart(server) : {}),
        })
    }
    const ids = new Set(stored.map(server => server.id))
    for (const id of this.#servers.keys()) if (!ids.has(id)) this.#servers.delete(id)
    for (const record of this.#servers.values()) {
      const order = overrides.get(record.id) ?? null
      // Nobody is let in before it is known in which steps it returns, which is a second later.
      if (isOut(record.override) && order === null && record.role === 'edge') record.returnPercent ??= 1
      record.override = order
    }
  }

  all(): ServerRecord[] {
    return [...this.#servers.values()]
  }

  get(id: string): ServerRecord | null {
    return this.#servers.get(id) ?? null
  }

  foreign(): ServerRecord[] {
    return this.all().filter(server => server.role === 'foreign')
  }

  /** Those that viewers may be sent to, and that are looked at: simulated ones are not there. */
  edges(): ServerRecord[] {
    return this.all().filter(server => server.role === 'edge' && !isSimulated(server.id))
  }

  /** The whole library: every origin's list, the first one wins where two name the same title. */
  titles(): TitleReport[] {
    const byId = new Map<string, TitleReport>()
    for (const { titles } of this.#servers.values()) {
      for (const title of titles) if (!byId.has(title.id)) byId.set(title.id, title)
    }
    return [...byId.values()]
  }

  /** Forgets sessions that have ended and counts the rest; called each second. */
  sweepSessions(nowMs: number): void {
    const classes = new Map(this.titles().map(title => [title.id, title.class]))
    this.sessions.sweep(nowMs, title => classes.get(title) ?? 'other')
  }

  /** True when the url, version or host is news. */
  hello(record: ServerRecord, hello: Hello, nowMs: number): boolean {
    if (hello.process !== 'server') return false
    record.isLinked = true
    record.linkedMs ??= nowMs
    const { url, version, hostId } = hello
    if (record.url === url && record.version === version && record.hostId === hostId) return false
    Object.assign(record, { url, version, hostId })
    return true
  }

  heartbeat(
    record: ServerRecord,
    beat: Heartbeat,
    now: { readonly monotonicMs: number; readonly fleetMs: number },
  ): void {
    record.agentHeardMs = now.monotonicMs
    record.agentSeen = now.fleetMs
    if (beat.watched === undefined) return
    record.watched = beat.watched
    const { httpOk, httpMs } = beat.watched
    const answeredMs = httpOk ? httpMs : null
    record.inside.add({ atMs: now.monotonicMs, connectMs: null, httpMs: answeredMs, error: null })
  }

  /** What one observer met when it played; a report about nobody is dropped. */
  play(target: string, observer: string, look: PlayLook): void {
    const record = this.#servers.get(target)
    if (record === undefined || target === observer) return
    playLogOf(record, observer, look.atMs)?.add(look)
  }

  /** What one observer saw; a report of an unknown target is dropped. */
  probe(observer: string, report: ProbeReport, nowMs: number): void {
    const target = this.#servers.get(report.target)
    if (target === undefined || report.target === observer) return
    const atMs = nowMs - report.agoMs
    const log = logOf(target, observer, nowMs)
    const last = log?.last() ?? null
    // A reporter repeats its last look until it has a new one.
    if (log === null || (last !== null && atMs - last.atMs < LOOK_APART_MS_MIN)) return
    const { connectMs, error, tls, icmp, clockOffsetS } = report
    // What a foreign server answers with is for those who play from it.
    const isAnswer = target.role === 'foreign' ? (report.httpStatus ?? 500) < 500 : report.httpStatus === 200
    const httpMs = isAnswer ? report.httpMs : null
    log.add({ atMs, connectMs, httpMs, error, tls, icmp, clockOffsetS })
  }
}

/** What may wait for the last of these to be forgotten is bounded by the plan of probes. */
function playLogOf({ plays }: ServerRecord, observer: string, nowMs: number): PlayLog | null {
  const known = plays.get(observer)
  if (known !== undefined) return known
  for (const [id, log] of plays) if (nowMs - (log.last()?.atMs ?? nowMs) > PLAYER_GONE_MS) plays.delete(id)
  if (plays.size >= OBSERVERS_MAX) return null
  const log = new PlayLog()
  plays.set(observer, log)
  return log
}

/** In a full mesh of 20 an edge plays from each other one every three minutes. */
const PLAYER_GONE_MS = 600_000

/** Looks come each second; closer ones are the same look, reported twice with a jitter. */
const LOOK_APART_MS_MIN = 300

/** Neighbours change every ten minutes; who has not looked for so long does not look any more. */
const OBSERVER_GONE_MS = 60_000

function logOf(target: ServerRecord, observer: string, nowMs: number): ProbeLog | null {
  const known = target.outside.get(observer)
  if (known !== undefined) return known
  for (const [id, log] of target.outside) {
    if (nowMs - (log.last()?.atMs ?? nowMs) > OBSERVER_GONE_MS) target.outside.delete(id)
  }
  if (target.outside.size >= OBSERVERS_MAX) return null
  const log = new ProbeLog()
  target.outside.set(observer, log)
  return log
}

/** What commands may change of a foreign server; others say themselves where they are. */
function foreignPart({
  url,
  stream,
  entryWeight,
}: StoredServer): Pick<StoredServer, 'url' | 'stream' | 'entryWeight'> {
  return { url, stream, entryWeight }
}

const NEVER_SEEN = 'enrolled, not seen yet'
export const THIS_ONE = 'this control room'

function newRecord(server: StoredServer, stored: StoredState | undefined, now: number): ServerRecord {
  const { id, role, region, tokenSha256, url, version, hostId, tags, stream, entryWeight } = server
  const { sharePercent, measuredBps } = server
  return {
    id,
    role,
    region,
    tokenSha256,
    url,
    version,
    hostId,
    tags,
    stream,
    entryWeight,
    sharePercent,
    returnPercent: null,
    drainOver: false,
    measuredBps,
    throughputBps: null,
    fillStep: 0,
    override: null,
    agentHeardMs: null,
    agentSeen: null,
    watched: null,
    inside: new ProbeLog(),
    outside: new Map(),
    plays: new Map(),
    isLinked: false,
    linkedMs: null,
    titles: [],
    sessionBytes: 0,
    standing: {
      // A server that never came is not an outage: it has not joined.
      state: role === 'control' ? 'healthy' : (stored?.state ?? 'maintenance'),
      betterSinceMs: null,
      qualityFromMs: 0,
    },
    since: stored?.since ?? now,
    reason: role === 'control' ? THIS_ONE : (stored?.reason ?? NEVER_SEEN),
    evidence: stored?.evidence ?? [],
    doubts: 0,
    viewersWord: null,
  }
}

function isOut(order: OverrideView | null): boolean {
  return order?.kind === 'drain' || order?.kind === 'maintenance'
}
