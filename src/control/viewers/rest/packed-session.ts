// Owns a session as bytes: so it rests in memory, and so it lies in the file. Nothing is lost; what an earlier version
// stored (V8's own form) is read too.
import { deserialize } from 'node:v8'
import { blames } from '#wire'
import type { Delivery } from '../estimate.ts'
import type { Playback } from '../playback.ts'
import type { SessionGrant } from '../prove.ts'
import {
  ANSWER,
  DELAY,
  type EdgeRun,
  type JudgedStall,
  POINT,
  REPLY,
  SEGMENT,
  type Session,
  type StateCode,
  type Told,
} from '../session.ts'
import { PackReader } from './pack-reader.ts'
import { PackWriter } from './pack-writer.ts'

/** Of this form; the first had no grants. V8's begins with 255. */
const VERSION = 2
const WITHOUT_GRANTS = 1
const V8_FIRST = 255
const BY = ['cmsd', 'host', 'access-log'] as const

const writer = new PackWriter()
const reader = new PackReader()

/** A view that holds until the next call. */
export function packSession(session: Session): Buffer {
  const to = writer
  to.begin()
  to.number(VERSION)
  to.text(session.sid)
  to.text(session.title)
  to.text(session.player)
  to.text(session.viewerRegion)
  to.text(session.network)
  to.text(session.viewerRef)
  to.text(session.lastError)
  to.text(session.grant === undefined ? null : JSON.stringify(session.grant))
  const { heardAt, knownAt, firstAt, lastAt, lastAnswerAt, endedAt } = session
  // Below each other: they lie near to each other.
  to.rows([heardAt, knownAt, firstAt, lastAt, lastAnswerAt, endedAt ?? Number.NaN], 1)
  to.number(session.events)
  to.number(session.requests)
  to.number(session.duplicates)
  to.number(session.late)
  to.number(session.errors)
  to.number(session.startS)
  to.rows(session.clock, session.clock.length)
  to.rows(session.seen, session.seen.length)
  writePlayback(session.base)
  writeDelivery(session.delivery)
  writeTold(session.told)
  to.rows(session.points, POINT.width)
  to.rows(session.replies, REPLY.width)
  to.rows(session.answers, ANSWER.width)
  to.rows(session.delays, DELAY.width)
  to.rows(session.segments, SEGMENT.width)
  to.number(session.edgeNames.length)
  for (const name of session.edgeNames) to.text(name)
  writeRuns(session.runs)
  writeRuns(session.said)
  to.rows(
    session.stalls.flatMap(({ from, seconds }) => [from, seconds]),
    2,
  )
  writeJudged(session.judged)
  return to.done()
}

export function unpackSession(bytes: Buffer): Session {
  if (bytes[0] === V8_FIRST) return fromV8(bytes)
  const from = reader
  from.begin(bytes)
  const version = from.number()
  if (version !== VERSION && version !== WITHOUT_GRANTS)
    throw new RangeError(`a session of form ${version}, expected ${VERSION}`)
  const texts = Array.from({ length: version === VERSION ? 8 : 7 }, () => from.text())
  const [sid, title = null, player = null, viewerRegion = null, network = null, viewerRef = null] = texts
  const [heardAt = 0, knownAt = 0, firstAt = 0, lastAt = 0, lastAnswerAt = Number.NaN, endedAt = Number.NaN] =
    from.rows(1)
  return {
    sid: sid ?? '',
    title,
    player,
    viewerRegion,
    network,
    viewerRef,
    lastError: texts[6] ?? null,
    ...(texts[7] == null ? {} : { grant: JSON.parse(texts[7]) as SessionGrant }),
    heardAt,
    knownAt,
    firstAt,
    lastAt,
    lastAnswerAt,
    endedAt: Number.isNaN(endedAt) ? null : endedAt,
    events: from.number(),
    requests: from.number(),
    duplicates: from.number(),
    late: from.number(),
    errors: from.number(),
    startS: from.number(),
    clock: from.rows(3),
    seen: from.rows(5),
    base: readPlayback(),
    delivery: readDelivery(),
    told: readTold(),
    points: from.rows(POINT.width),
    replies: from.rows(REPLY.width),
    answers: from.rows(ANSWER.width),
    delays: from.rows(DELAY.width),
    segments: from.rows(SEGMENT.width),
    edgeNames: times(from.number(), () => from.text() ?? ''),
    runs: readRuns(),
    said: readRuns(),
    stalls: readStalls(),
    judged: readJudged(),
  }
}

function fromV8(bytes: Buffer): Session {
  const session = deserialize(bytes) as Session
  // Stored before there were any.
  session.delays ??= []
  session.said ??= []
  session.knownAt ??= session.firstAt
  return session
}

function writePlayback(playback: Playback): void {
  const to = writer
  to.number(playback.ts)
  to.number(playback.state)
  to.number(Number(playback.seeking))
  to.number(Number(playback.started))
  to.number(playback.askedTs)
  to.number(playback.startS)
  to.number(playback.watchedS)
  to.number(playback.rebufferS)
  to.number(playback.rebuffers)
  to.number(playback.stallTs)
  to.number(playback.bitrate)
  to.number(playback.peak)
  to.number(playback.switches)
  to.number(playback.ratedS)
  to.number(playback.ratedBits)
}

function readPlayback(): Playback {
  const from = reader
  return {
    ts: from.number(),
    state: from.number() as StateCode,
    seeking: from.number() === 1,
    started: from.number() === 1,
    askedTs: from.number(),
    startS: from.number(),
    watchedS: from.number(),
    rebufferS: from.number(),
    rebuffers: from.number(),
    stallTs: from.number(),
    bitrate: from.number(),
    peak: from.number(),
    switches: from.number(),
    ratedS: from.number(),
    ratedBits: from.number(),
  }
}

function writeDelivery(delivery: Delivery): void {
  const to = writer
  to.number(Number(delivery.started))
  to.number(delivery.startS)
  to.number(delivery.emptyAt)
  to.number(delivery.doneAt)
  to.number(delivery.deliveredS)
  to.number(delivery.rebufferS)
  to.number(delivery.rebuffers)
  to.number(delivery.number)
  to.number(delivery.bitrate)
  to.number(delivery.peak)
  to.number(delivery.switches)
  to.number(delivery.ratedS)
  to.number(delivery.ratedBits)
}

function readDelivery(): Delivery {
  const from = reader
  return {
    started: from.number() === 1,
    startS: from.number(),
    emptyAt: from.number(),
    doneAt: from.number(),
    deliveredS: from.number(),
    rebufferS: from.number(),
    rebuffers: from.number(),
    number: from.number(),
    bitrate: from.number(),
    peak: from.number(),
    switches: from.number(),
    ratedS: from.number(),
    ratedBits: from.number(),
  }
}

function writeTold(told: Told): void {
  const to = writer
  to.number(told.sessions)
  to.number(told.started)
  to.number(told.exits)
  to.number(told.startFailures)
  to.number(told.failures)
  to.number(told.watchedS)
  to.number(told.rebufferS)
  to.number(told.rebuffers)
  to.number(told.switches)
  to.number(told.errors)
  to.number(told.ratedS)
  to.number(told.ratedBits)
}

function readTold(): Told {
  const from = reader
  return {
    sessions: from.number(),
    started: from.number(),
    exits: from.number(),
    startFailures: from.number(),
    failures: from.number(),
    watchedS: from.number(),
    rebufferS: from.number(),
    rebuffers: from.number(),
    switches: from.number(),
    errors: from.number(),
    ratedS: from.number(),
    ratedBits: from.number(),
  }
}

function writeRuns(runs: readonly EdgeRun[]): void {
  writer.number(runs.length)
  for (const { edge, from, to, by } of runs) {
    writer.text(edge)
    writer.number(from)
    writer.number(to)
    writer.number(BY.indexOf(by))
  }
}

function readRuns(): EdgeRun[] {
  return times(reader.number(), () => {
    const edge = reader.text() ?? ''
    return { edge, from: reader.number(), to: reader.number(), by: BY[reader.number()] ?? 'access-log' }
  })
}

function readStalls(): Session['stalls'] {
  const rows = reader.rows(2)
  return times(rows.length / 2, at => ({ from: rows[2 * at] ?? 0, seconds: rows[2 * at + 1] ?? 0 }))
}

function writeJudged(judged: readonly JudgedStall[]): void {
  writer.number(judged.length)
  for (const { at, seconds, from, edge, blame, evidence } of judged) {
    writer.number(at)
    writer.number(seconds)
    writer.number(from)
    writer.text(edge)
    writer.number(blames.indexOf(blame))
    writer.text(evidence)
  }
}

function readJudged(): JudgedStall[] {
  return times(reader.number(), () => ({
    at: reader.number(),
    seconds: reader.number(),
    from: reader.number(),
    edge: reader.text(),
    blame: blames[reader.number()] ?? 'unknown',
    evidence: reader.text() ?? '',
  }))
}

function times<One>(count: number, make: (at: number) => One): One[] {
  const list: One[] = []
  for (let at = 0; at < count; at += 1) list.push(make(at))
  return list
}
