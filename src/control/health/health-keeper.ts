// Owns the states of all servers: gathers evidence four times a second, judges, stores each change for good.
import type { Clock, Closable, FleetTime, Log } from '#base'
import { type Evidence, isSimulated, type ServerState } from '#wire'
import { CONTROL_ID, type Fleet, type ServerRecord } from '../fleet/fleet.ts'
import type { PlayLook } from '../probes/play-log.ts'
import type { Servers } from '../state/servers.ts'
import {
  type HealthInput,
  judge,
  type OutsideView,
  type PlayView,
  qualityOf,
  type Verdict,
  type ViewersView,
} from './judge.ts'
import { judgeHost } from './judge-host.ts'
import { PeerMedians } from './peer-medians.ts'
import { settle } from './settle.ts'

/** A player that steers has left within half a minute; an hour of video is not waited for. */
const DRAIN_MAX_S = 600
/** 4 times a second: a frozen edge is called so within 3.5 s, 3 s of which are the silence itself. */
const EVERY_MS = 250
/** After a start nobody is called unreachable until everybody had the time to come back. */
const GRACE_MS = 5000
/** So long for one that was well and of which nobody has heard since: it may start together with the control room. */
const UNHEARD_GRACE_MS = 15_000
/** An observer that had no answer from anybody for this long is the suspect itself. */
const TRUSTED_MS = 3000
/** With one other machine its loss and one's own look the same: then what is near counts too. */
const MACHINES_MIN = 2
/** In a full mesh of 20 an edge plays from each other one every three minutes. */
const PLAY_SHOWN_MS = 200_000
const OTHERS_PLAY_MS = 200_000
/** Ten looks, and some that were late; what an observer saw before it fell silent itself says nothing about now. */
const QUALITY_MS_MAX = 15_000
/** So long an observer that has fallen silent is still shown with what it saw last. */
const WITNESS_AGE_MS_MAX = 60_000

export interface HealthKeeperOptions {
  readonly fleet: Fleet
  readonly servers: Servers
  readonly fleetTime: FleetTime
  readonly clock: Clock
  readonly log: Log
  /** Of the machine that the control room is on; left out: not known. */
  readonly hostId?: string
  /** What is wrong with the figures of a server, in words; null: nothing. */
  readonly counterFault?: (server: string) => string | null
  /** After an evaluation that changed a state or a server's doubts. */
  readonly onChange: () => void
}

export interface HealthKeeper extends Closable {
  /** One evaluation now; the timer does it four times a second. */
  evaluate(this: void): void
}

export function startHealthKeeper(options: HealthKeeperOptions): HealthKeeper {
  let graceFromMs = options.clock.monotonicMs()
  options.fleet.listeningSinceMs(graceFromMs)
  let lastMs = graceFromMs
  /** Writes follow each other, so that a server's history is in order. */
  let writes: Promise<void> = Promise.resolve()
  const save = (record: ServerRecord, from: ServerRecord['standing']['state'] | null): void => {
    if (isSimulated(record.id)) return // nothing of it is kept
    const { since, reason, evidence } = record
    const next = { state: record.standing.state, since, reason, evidence }
    writes = writes
      .then(() => options.servers.change(record.id, from, next))
      .catch((error: unknown) => options.log.error('state-not-stored', { server: record.id, error }))
  }
  const evaluate = (): void => {
    const nowMs = options.clock.monotonicMs()
    const listeningSinceMs = options.fleet.listeningSinceMs(nowMs)
    if (listeningSinceMs > graceFromMs) {
      options.log.warn('control-paused', { pausedMs: Math.round(nowMs - lastMs) })
      graceFromMs = listeningSinceMs
    }
    lastMs = nowMs
    const passedMs = nowMs - graceFromMs
    const trusted = trustedObservers(options.fleet, nowMs, options.hostId ?? '')
    const peers = new PeerMedians(options.fleet.all())
    let changed = false
    for (const record of options.fleet.all()) {
      if (record.role === 'control') continue
      const grace = passedMs < (isUnheard(record) ? UNHEARD_GRACE_MS : GRACE_MS)
      changed = evaluateOne({ options, record, nowMs, grace, trusted, peers, save }) || changed
    }
    if (changed) options.onChange()
  }
  const timer = setInterval(() => {
    try {
      evaluate()
    } catch (error) {
      options.log.error('health-broken', { error })
    }
  }, EVERY_MS)
  return {
    evaluate,
    close: async () => {
      clearInterval(timer)
      await writes
    },
  }
}

interface Turn {
  readonly options: HealthKeeperOptions
  readonly record: ServerRecord
  readonly nowMs: number
  readonly grace: boolean
  readonly trusted: ReadonlySet<string>
  readonly peers: PeerMedians
  readonly save: (record: ServerRecord, from: ServerRecord['standing']['state'] | null) => void
}

/** Since this start, by anybody: its agent, its channel, those who look at it. */
function isUnheard({ agentHeardMs, linkedMs, outside }: ServerRecord): boolean {
  if (agentHeardMs !== null || linkedMs !== null) return false
  return [...outside.values()].every(log => log.okAtMs() === null)
}

/** True when its state or the doubts about it changed. */
function evaluateOne(turn: Turn): boolean {
  const { options, record, nowMs, grace, save } = turn
  const isHost = record.role === 'host'
  const before = record.standing
  const isUnseen = isHost ? record.agentHeardMs === null && before.state === 'maintenance' : record.url === ''
  if (isUnseen) return false // enrolled, not seen yet
  const fault = options.counterFault?.(record.id) ?? null
  const counters = fault === null ? null : { text: fault, ageMs: 0 }
  const input = { ...gather(turn), counters, viewers: viewersOf(record, nowMs) }
  const verdict = isHost ? judgeHost(input.inside) : judge(input)
  const judged =
    grace && verdict.state === 'unreachable' && before.state !== 'unreachable' ? 'healthy' : verdict.state
  const fleetMs = options.fleetTime.nowMs()
  const wasOver = record.drainOver
  record.drainOver = isDrainOver(record.override, fleetMs)
  const ordered = orderedState(record, options.fleet.sessions.of(record.id).watching, fleetMs)
  const joined = before.state === 'maintenance' && (isHost || isFirstAnswer(record))
  // What an order set, or a first answer, is left at once: hysteresis is for what witnesses say.
  const released = ordered === null && (joined || isOrdered(before.state))
  if (ordered !== null) record.standing = { ...before, state: ordered, betterSinceMs: null }
  else
    record.standing = released
      ? { ...before, state: judged }
      : settle(before, { ...verdict, state: judged }, nowMs)
  record.evidence = verdict.words.map(word => toEvidence(word, fleetMs))
  const doubtsChanged = record.doubts !== verdict.doubts
  record.doubts = verdict.doubts
  record.reason = ordered === null ? reasonOf(record, verdict, judged, nowMs) : orderInWords(record, verdict)
  if (record.standing.state === before.state) return doubtsChanged || wasOver !== record.drainOver
  record.since = fleetMs
  const change = { server: record.id, from: before.state, to: record.standing.state, reason: record.reason }
  options.log.info('server-state', change)
  save(record, before.state)
  return true
}

/** The state that a person ordered; null: nothing, or not any more. */
function orderedState(record: ServerRecord, watching: number, fleetMs: number): ServerState | null {
  const { override } = record
  if (override === null || (override.expiresAt !== null && override.expiresAt <= fleetMs)) return null
  if (override.kind === 'keep') return 'healthy'
  if (override.kind === 'maintenance') return 'maintenance'
  return watching === 0 || record.drainOver ? 'drained' : 'draining'
}

/** Who is still fed then is sent to another edge, and is not waited for. */
export function isDrainOver(override: ServerRecord['override'], fleetMs: number): boolean {
  if (override?.kind !== 'drain' || (override.expiresAt !== null && override.expiresAt <= fleetMs))
    return false
  return fleetMs - override.since >= (override.drainMaxS ?? DRAIN_MAX_S) * 1000
}

/** States that no witness leads to; maintenance is also that of a server that was never seen. */
function isOrdered(state: ServerState): boolean {
  return state === 'draining' || state === 'drained'
}

function orderInWords({ override }: ServerRecord, verdict: Verdict): string {
  const words = { drain: 'takes no new viewers', maintenance: 'in maintenance', keep: 'kept in service' }
  return override === null
    ? verdict.reason
    : `${words[override.kind]} by order of ${override.by}: ${override.reason}; seen: ${verdict.reason}`
}

/** A server in maintenance because it was never seen joins with its first answer to anybody outside. */
function isFirstAnswer(record: ServerRecord): boolean {
  // A simulated server answers nobody: its agent's word is all there is.
  if (isSimulated(record.id)) return record.agentHeardMs !== null
  return [...record.outside.values()].some(log => log.okAtMs() !== null)
}

function reasonOf(record: ServerRecord, verdict: Verdict, judged: Verdict['state'], nowMs: number): string {
  const { state, betterSinceMs } = record.standing
  if (betterSinceMs === null || judged === state) return verdict.reason
  const seconds = Math.round((nowMs - betterSinceMs) / 1000)
  return `coming back: well for ${seconds} s; ${verdict.reason}`
}

function viewersOf({ viewersWord }: ServerRecord, nowMs: number): ViewersView | null {
  if (viewersWord === null) return null
  const { says, text, atMs } = viewersWord
  return { says, text, ageMs: nowMs - atMs }
}

function toEvidence(word: Verdict['words'][number], fleetMs: number): Evidence {
  const { ageMs, ...said } = word
  return { ...said, at: Math.round(fleetMs - ageMs) }
}

/**
 * Observers with an answer of late. One from a neighbour on its own machine says nothing of its way out, where there
 * are several machines to look at: a control room that is cut off still reaches the origin beside it.
 */
function trustedObservers(fleet: Fleet, nowMs: number, controlHost: string): Set<string> {
  const hostOf = (id: string): string => (id === CONTROL_ID ? controlHost : (fleet.get(id)?.hostId ?? ''))
  const anywhere = new Set<string>()
  const away = new Set<string>()
  const machines = new Map<string, Set<string>>()
  for (const { id, hostId, outside } of fleet.all()) {
    for (const [observer, log] of outside) {
      const own = hostOf(observer)
      const isAway = own === '' || hostId !== own
      if (isAway)
        machines.set(observer, (machines.get(observer) ?? new Set()).add(hostId === '' ? id : hostId))
      const okAtMs = log.okAtMs()
      if (okAtMs === null || nowMs - okAtMs >= TRUSTED_MS) continue
      anywhere.add(observer)
      if (isAway) away.add(observer)
    }
  }
  const fewMachines = [...anywhere].filter(observer => (machines.get(observer)?.size ?? 0) < MACHINES_MIN)
  return new Set([...away, ...fewMachines])
}

function gather({ options, record, nowMs, trusted, peers }: Turn): HealthInput {
  const { fleet } = options
  const fromMs = Math.max(record.standing.qualityFromMs, nowMs - QUALITY_MS_MAX)
  const outside: OutsideView[] = []
  for (const [witness, log] of record.outside) {
    const last = log.last()
    // Neighbours that look elsewhere by now are no witnesses.
    if (last === null || nowMs - last.atMs > WITNESS_AGE_MS_MAX) continue
    const failed = last.httpMs === null
    outside.push({
      witness,
      lookAgeMs: nowMs - last.atMs,
      silentMs: failed ? log.silentMs(nowMs) : 0,
      failed,
      connectMs: last.connectMs,
      error: last.error,
      tls: last.tls,
      icmp: last.icmp,
      clockOffsetS: last.clockOffsetS,
      trusted: trusted.has(witness),
      quality: qualityOf(log.looksSince(fromMs), peers.seenBy(witness, record)),
    })
  }
  // The control room first: its word is the one that people know.
  outside.sort((a, b) => Number(b.witness === CONTROL_ID) - Number(a.witness === CONTROL_ID))
  const heardAgeMs = record.agentHeardMs === null ? null : fleet.agentSilentMs(record, nowMs, nowMs)
  return {
    outside,
    plays: playsOf(fleet, record, nowMs),
    inside: {
      // A foreign server has one where somebody gave it one.
      isExpected: record.role !== 'foreign' || record.tokenSha256 !== '',
      heardAgeMs,
      watched: record.watched ?? null,
      httpMs: record.watched?.httpMs ?? null,
      quality: qualityOf(record.inside.looksSince(fromMs), peers.fromInside(record)),
    },
  }
}

/** What observers met who played from it; an old look says nothing about now. */
function playsOf(fleet: Fleet, record: ServerRecord, nowMs: number): PlayView[] {
  return [...record.plays].flatMap(([witness, log]) => {
    const last = log.last()
    // Who could not play during an outage has nothing to say of what came after.
    if (last === null || nowMs - last.atMs > PLAY_SHOWN_MS || last.atMs < record.standing.qualityFromMs)
      return []
    const othersPlay = fleet.all().some(other => {
      const isPeer = other.id !== record.id && (other.role === record.role || record.role === 'foreign')
      const okAtMs = !isPeer ? null : (other.plays.get(witness)?.okAtMs() ?? null)
      return okAtMs !== null && nowMs - okAtMs < OTHERS_PLAY_MS
    })
    const text = playText(last, log.speedRatio())
    return [{ witness, ageMs: nowMs - last.atMs, failures: log.failures(), text, othersPlay }]
  })
}

function playText({ ok, title, problem, startMs }: PlayLook, speedRatio: number | null): string {
  if (!ok) return `cannot play ${title}: ${problem ?? 'no answer'}`
  const start = startMs === null ? '' : ` in ${Math.round(startMs)} ms`
  const speed = speedRatio === null ? '' : `, ${speedRatio.toFixed(1)} times as fast as it plays`
  return `plays ${title}: a segment came${start}${speed}`
}
