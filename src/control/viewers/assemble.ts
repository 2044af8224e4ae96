// Owns what one record does to its session. Pure: the same records give the same session in any order, but for what
// comes after the bounds of session.ts were passed, and that is counted as late.
import { cmcdEvents, type ViewerEvent, type ViewerRequest, viewerLateKey, viewerRefKey } from '#wire'
import { SLOW_MS } from './blame.ts'
import { noteEdge } from './edge-runs.ts'
import { deliver, noDelivery } from './estimate.ts'
import { noPlayback, step } from './playback.ts'
import { hear, noClock } from './player-clock.ts'
import { playerFamily } from './player-family.ts'
import { type ProveWords, takeGrant } from './prove.ts'
import { dropLeast, insertRow, overflow } from './rows.ts'
import { BITRATE_KBPS_MAX } from './sane.ts'
import { markSeen, nothingSeen } from './seen.ts'
import {
  ANSWER,
  DELAY,
  DELAY_BY,
  DELAYS_MAX,
  EVIDENCE_MAX,
  POINT,
  POINTS_MAX,
  REPLY,
  readState,
  SEGMENT,
  SEGMENTS_MAX,
  type Session,
  SLOW_KEPT_MS,
  STALLS_MAX,
} from './session.ts'

/** `clock`: taken, by the time at which it came, because the player's own stamp cannot be. */
export type Taken = 'taken' | 'clock' | 'duplicate' | 'late'

/** What the session is made with: who the names of hosts are, and how references are stored. */
export interface AssembleWords extends ProveWords {
  edgeOfHost(this: void, host: string): string | null
  /** Null: no edge is called so. */
  edgeOfName(this: void, name: string): string | null
}

/** Answers say that playing goes on; of more than one in this time it is said once. */
const ALIVE_MS = 30_000
const EDGES_MAX = 16
const TITLE = /^[a-z0-9][a-z0-9-]{0,126}$/
const REFERENCE_CHARACTERS_MAX = 128
const DAY_S = 86_400
const ANSWER_FAILED = 500
/** No player waits longer; one that says so does not keep its word for ever. */
const TOOK_MS_MAX = 60_000

export function newSession(sid: string, at: number): Session {
  return {
    sid,
    title: null,
    player: null,
    viewerRegion: null,
    network: null,
    viewerRef: null,
    heardAt: at,
    knownAt: at,
    firstAt: at,
    lastAt: at,
    lastAnswerAt: Number.NaN,
    events: 0,
    requests: 0,
    duplicates: 0,
    late: 0,
    errors: 0,
    lastError: null,
    startS: Number.NaN,
    clock: noClock(),
    seen: nothingSeen(),
    base: noPlayback(),
    points: [],
    replies: [],
    answers: [],
    delays: [],
    delivery: noDelivery(),
    segments: [],
    edgeNames: [],
    runs: [],
    said: [],
    stalls: [],
    judged: [],
    told: {
      sessions: 0,
      started: 0,
      exits: 0,
      startFailures: 0,
      failures: 0,
      watchedS: 0,
      rebufferS: 0,
      rebuffers: 0,
      switches: 0,
      errors: 0,
      ratedS: 0,
      ratedBits: 0,
    },
    endedAt: null,
  }
}

export function takeEvent(session: Session, event: ViewerEvent, words: AssembleWords): Taken {
  const { keys } = event
  if (event.sn !== null && !markSeen(session.seen, event.sn)) {
    session.duplicates += 1
    return 'duplicate'
  }
  touch(session, event.at)
  const { ts, wild } = hear(session.clock, event.ts, event.at)
  session.events += 1
  facts(session, keys, words)
  takeGrant(session, event, words)
  takeLateness(session, keys, ts)
  const isReply = event.e === 'rr'
  const edge = namedEdge(keys, words)
  if (edge !== null) noteEdge(session.said, edge.edge, ts, edge.by)
  if (isReply) takeReply(session, keys, ts, edge?.edge ?? null)
  if (event.e === 'e') {
    session.errors += 1
    session.lastError = codeOf(keys['ec']) ?? session.lastError
  }
  const point = isReply
    ? [Math.floor(ts / ALIVE_MS) * ALIVE_MS, -1, 0, 0, Number.NaN, Number.NaN]
    : [
        ts,
        event.sn ?? -1,
        readState(keys['sta']),
        cmcdEvents.indexOf(event.e),
        number(keys['bl']),
        bitrateOf(keys['br']),
      ]
  const taken = takePoint(session, point, isReply)
  return taken === 'taken' && wild ? 'clock' : taken
}

function takePoint(session: Session, point: readonly number[], isReply: boolean): Taken {
  if ((point[POINT.ts] ?? 0) < session.base.ts) {
    if (isReply) return 'taken'
    session.late += 1
    return 'late'
  }
  if (!insertRow(session.points, point)) {
    if (isReply) return 'taken'
    session.duplicates += 1
    return 'duplicate'
  }
  const oldest = overflow(session.points, POINT.width, POINTS_MAX)
  if (oldest !== null) {
    step(session.base, oldest, 0, ({ from, seconds }) => {
      session.stalls.push({ from, seconds })
      if (session.stalls.length > STALLS_MAX) session.stalls.shift()
    })
  }
  return 'taken'
}

function facts(session: Session, keys: ViewerEvent['keys'], { storedRef }: AssembleWords): void {
  const { cid, msd } = keys
  if (session.title === null && typeof cid === 'string' && TITLE.test(cid)) session.title = cid
  const startMs = number(msd)
  if (Number.isNaN(session.startS) && startMs / 1000 <= DAY_S) session.startS = startMs / 1000
  const reference = keys[viewerRefKey]
  if (session.viewerRef === null && typeof reference === 'string' && reference !== '') {
    session.viewerRef = storedRef(reference.slice(0, REFERENCE_CHARACTERS_MAX))
  }
}

function takeReply(session: Session, keys: ViewerEvent['keys'], ts: number, edge: string | null): void {
  const ms = (key: string): number => number(keys[key])
  const row = [ts, ms('ttfb'), ms('ttlb'), ms('bl'), ms('rc'), edgeIndex(session, edge)]
  insertRow(session.replies, row)
  dropLeast(session.replies, { width: REPLY.width, max: EVIDENCE_MAX }, worthOfReply)
}

/** A page that is busy hears of its answers and of its own stops late. */
function takeLateness(session: Session, keys: ViewerEvent['keys'], ts: number): void {
  const lateMs = number(keys[viewerLateKey])
  if (Number.isNaN(lateMs) || lateMs > DAY_S * 1000) return
  // Of an answer: after its last byte.
  const from = ts + (Number.isNaN(number(keys['ttlb'])) ? 0 : number(keys['ttlb']))
  takeDelay(session, [DELAY_BY.page, from, from + lateMs, lateMs])
}

function takeDelay(session: Session, row: readonly number[]): void {
  const { delays } = session
  insertRow(delays, row)
  const [by = 0] = row
  let [first, count] = [-1, 0]
  for (let at = 0; at < delays.length; at += DELAY.width) {
    if (delays[at + DELAY.by] !== by) continue
    if (first < 0) first = at
    count += 1
  }
  if (count > DELAYS_MAX) delays.splice(first, DELAY.width)
}

/** Its time, or a later one for what a stall would be judged by. */
function worthOfReply(rows: readonly number[], at: number): number {
  const read = (column: number): number => rows[at + column] ?? Number.NaN
  const [ttfbMs, ttlbMs] = [read(REPLY.ttfbMs) || 0, read(REPLY.ttlbMs) || 0]
  const tookMs = Math.max(ttfbMs, ttlbMs)
  const isSlow = tookMs >= SLOW_MS || read(REPLY.status) === 0
  return read(REPLY.ts) + (isSlow ? Math.min(tookMs, TOOK_MS_MAX) + SLOW_KEPT_MS : 0)
}

function worthOfAnswer(rows: readonly number[], at: number): number {
  const read = (column: number): number => rows[at + column] ?? Number.NaN
  const isSlow =
    read(ANSWER.firstByteMs) >= SLOW_MS ||
    read(ANSWER.durationMs) >= SLOW_MS ||
    read(ANSWER.status) >= ANSWER_FAILED
  return read(ANSWER.at) + (isSlow ? read(ANSWER.durationMs) + SLOW_KEPT_MS : 0)
}

/** By CMSD's `n` (CTA-5006), or by the host of the address. */
function namedEdge(
  keys: ViewerEvent['keys'],
  words: AssembleWords,
): { edge: string; by: 'cmsd' | 'host' } | null {
  for (const key of ['cmsdd', 'cmsds']) {
    const text = keys[key]
    const name = typeof text === 'string' ? (nameIn(text) ?? nameIn(fromBase64(text))) : undefined
    const edge = name === undefined ? null : words.edgeOfName(name)
    if (edge !== null) return { edge, by: 'cmsd' }
  }
  return hostEdge(keys, words)
}

function nameIn(cmsd: string): string | undefined {
  return /(?:^|[,;\s])n="([a-z0-9-]{1,63})"/.exec(cmsd)?.[1]
}

/** As CTA-5004-B has players echo it. */
function fromBase64(text: string): string {
  return /^[A-Za-z0-9+/]{4,1024}={0,2}$/.test(text) ? Buffer.from(text, 'base64').toString('latin1') : ''
}

function hostEdge(
  keys: ViewerEvent['keys'],
  { edgeOfHost }: AssembleWords,
): { edge: string; by: 'host' } | null {
  const { h, url } = keys
  const host = typeof h === 'string' ? h : typeof url === 'string' ? hostOf(url) : null
  const edge = host === null ? null : edgeOfHost(host)
  return edge === null ? null : { edge, by: 'host' }
}

function hostOf(url: string): string | null {
  return /^https?:\/\/([^/?#@\s]{1,256})/.exec(url)?.[1] ?? null
}

export function takeRequest(session: Session, edge: string, request: ViewerRequest): Taken {
  touch(session, request.at)
  const { firstByteMs, durationMs, upstreamMs, bufferMs, status } = request
  const row = [
    request.at,
    firstByteMs ?? Number.NaN,
    durationMs,
    upstreamMs ?? Number.NaN,
    bufferMs ?? Number.NaN,
    status,
    edgeIndex(session, edge),
  ]
  if (!insertRow(session.answers, row)) {
    session.duplicates += 1
    return 'duplicate'
  }
  dropLeast(session.answers, { width: ANSWER.width, max: EVIDENCE_MAX }, worthOfAnswer)
  const { heldMs = 0, upstreamRestMs = 0 } = request
  if (upstreamRestMs >= SLOW_MS) {
    const doneAt = request.at + durationMs
    takeDelay(session, [DELAY_BY.upstream, request.at, doneAt, upstreamRestMs])
  }
  if (heldMs > 0) {
    takeDelay(session, [DELAY_BY.edge, request.at - heldMs, request.at + durationMs, heldMs])
  }
  session.requests += 1
  session.title ??= request.title
  session.viewerRegion ??= request.viewerRegion
  session.network ??= request.network
  session.player ??= playerFamily(request.player)
  const doneAt = request.at + durationMs
  if (!(session.lastAnswerAt >= doneAt)) session.lastAnswerAt = doneAt
  noteEdge(session.runs, edge, request.at, 'access-log')
  return takeSegment(session, request, doneAt)
}

/** Pictures alone: sound comes beside them. */
function takeSegment(session: Session, request: ViewerRequest, doneAt: number): Taken {
  const { object, media, mediaS, whole, status, at, segment, bitrateBps, starved } = request
  const isPicture = media === 'video' || media === 'muxed'
  if (object !== 'segment' || !isPicture || mediaS === null || !whole || status >= 300) return 'taken'
  if (doneAt < session.delivery.doneAt) {
    session.late += 1
    return 'late'
  }
  const row = [doneAt, at, mediaS, bitrateBps ?? Number.NaN, segment ?? Number.NaN, Number(starved)]
  insertRow(session.segments, row)
  const oldest = overflow(session.segments, SEGMENT.width, SEGMENTS_MAX)
  // Once events have come, what the estimate made of stalls is not asked any more.
  if (oldest !== null) {
    deliver(session.delivery, oldest, 0, session.firstAt, stall => {
      if (session.events > 0) return
      session.stalls.push({ ...stall })
      if (session.stalls.length > STALLS_MAX) session.stalls.shift()
    })
  }
  return 'taken'
}

function touch(session: Session, at: number): void {
  if (at < session.firstAt) session.firstAt = at
  if (at > session.lastAt) session.lastAt = at
  session.endedAt = null
}

function edgeIndex(session: Session, edge: string | null): number {
  if (edge === null) return -1
  const known = session.edgeNames.indexOf(edge)
  if (known >= 0 || session.edgeNames.length >= EDGES_MAX) return known
  return session.edgeNames.push(edge) - 1
}

/** A number, or the first of an inner list; NaN: none that could be. */
function number(value: unknown): number {
  const one = valueOf(Array.isArray(value) ? value[0] : value)
  return typeof one === 'number' && Number.isFinite(one) && one >= 0 ? one : Number.NaN
}

/** `br=(5000;v 128;a)`: what is shown together, in bits a second. */
function bitrateOf(value: unknown): number {
  const parts = (Array.isArray(value) ? value : [value]).slice(0, 8).map(number)
  const kbps = parts.reduce((sum, part) => (Number.isNaN(part) ? sum : sum + part), 0)
  return kbps > 0 && kbps <= BITRATE_KBPS_MAX ? kbps * 1000 : Number.NaN
}

/** Of an item with parameters its value. */
function valueOf(item: unknown): unknown {
  return typeof item === 'object' && item !== null && 'value' in item ? item.value : item
}

function codeOf(value: unknown): string | null {
  const code = valueOf(Array.isArray(value) ? value[0] : value)
  return typeof code === 'string' ? code.slice(0, 64) : null
}
