// Owns collecting the evidence of a session's stalls and judging those that are settled. It keeps what it has judged.
import { type Delay, judgeStall, type OwnAnswer, type SeenReply } from './blame.ts'
import { type Figures, type FleetStall, stallEdge } from './figures.ts'
import { offsetOf } from './player-clock.ts'
import { eachRow } from './rows.ts'
import {
  ANSWER,
  DELAY,
  DELAY_BY,
  type JudgedStall,
  POINT,
  REPLY,
  type Session,
  STALLS_MAX,
} from './session.ts'

/** What comes later than this after a stall is not waited for: an edge forwards within a second or two. */
export const SETTLE_MS = 10_000
/** The buffer that a player told so shortly before its stall still speaks of it. */
const BUFFER_NEAR_MS = 250
/** A process that stood still so long before has to do with it. */
const STOPPED_BEFORE_MS = 2000
/** It is called unreachable so long after it was. */
const UNREACHABLE_AFTER_MS = 5000

export interface EdgeWitness {
  /** Seconds for which its process stood still within that time (fleet time); null: nobody looked. */
  stoppedS(this: void, edge: string, fromMs: number, toMs: number): number | null
  /** Seconds for which those that watch it did not reach it; null: not known. */
  unreachableS(this: void, edge: string, fromMs: number, toMs: number): number | null
}

/** Gives those that were judged now; `waits`: others are not settled yet. */
export function judgeSession(
  session: Session,
  { stalls, state }: Figures,
  nowMs: number,
  witness: EdgeWitness,
): { readonly fresh: readonly JudgedStall[]; readonly waits: boolean } {
  const known = new Set(session.judged.map(({ from }) => from))
  const fresh: JudgedStall[] = []
  let waits = false
  for (const [at, stall] of stalls.entries()) {
    if (known.has(stall.from)) continue
    const goesOn = at === stalls.length - 1 && state === 'rebuffering'
    const end = stall.at + stall.seconds * 1000
    // A session that goes on has told of later moments: evidence does not get better, and is not kept for ever.
    const isComplete = nowMs - session.heardAt >= SETTLE_MS || session.lastAt - end >= SETTLE_MS
    if (goesOn || !isComplete || nowMs - end < SETTLE_MS) waits = true
    else fresh.push(judged(session, stall, witness))
  }
  session.judged.push(...fresh)
  if (session.judged.length > STALLS_MAX) session.judged.splice(0, session.judged.length - STALLS_MAX)
  return { fresh, waits }
}

/** As it looks now: also for a stall that is not settled. */
export function judged(session: Session, stall: FleetStall, witness: EdgeWitness): JudgedStall {
  const edge = stallEdge(session, stall.at)
  const to = stall.at + stall.seconds * 1000
  const { blame, evidence } = judgeStall({
    from: stall.at,
    to,
    replies: repliesOf(session),
    answers: answersOf(session),
    bufferMs: bufferIn(session, stall),
    delays: delaysOf(session),
    edgeStoppedS: edge === null ? null : witness.stoppedS(edge, stall.at - STOPPED_BEFORE_MS, to),
    edgeUnreachable:
      edge !== null && (witness.unreachableS(edge, stall.at, to + UNREACHABLE_AFTER_MS) ?? 0) > 0,
  })
  return { at: stall.at, seconds: stall.seconds, edge, blame, evidence, from: stall.from }
}

function repliesOf({ replies, clock }: Session): SeenReply[] {
  const offset = offsetOf(clock)
  return [...eachRow(replies, REPLY.width)].map(row => ({
    askedAt: (row[REPLY.ts] ?? 0) + offset,
    ttfbMs: row[REPLY.ttfbMs] ?? Number.NaN,
    ttlbMs: row[REPLY.ttlbMs] ?? Number.NaN,
    status: row[REPLY.status] ?? Number.NaN,
  }))
}

function answersOf({ answers }: Session): OwnAnswer[] {
  return [...eachRow(answers, ANSWER.width)].map(row => ({
    at: row[ANSWER.at] ?? 0,
    firstByteMs: row[ANSWER.firstByteMs] ?? Number.NaN,
    durationMs: row[ANSWER.durationMs] ?? 0,
    upstreamMs: row[ANSWER.upstreamMs] ?? Number.NaN,
    status: row[ANSWER.status] ?? 0,
  }))
}

function delaysOf({ delays, clock }: Session): Delay[] {
  const offset = offsetOf(clock)
  return [...eachRow(delays, DELAY.width)].map(row => {
    const [code = 0, from = 0, to = 0, ms = 0] = row
    const by = code === DELAY_BY.page ? 'page' : code === DELAY_BY.upstream ? 'upstream' : 'edge'
    const shift = by === 'page' ? offset : 0
    return { from: from + shift, to: to + shift, ms, by }
  })
}

/** The least that it told of its buffer from the stall's beginning on: media that came ends it. */
function bufferIn({ points }: Session, stall: FleetStall): number {
  let found = Number.NaN
  const end = stall.from + stall.seconds * 1000
  for (const row of eachRow(points, POINT.width)) {
    const [ts = 0] = row
    const bufferMs = row[POINT.bufferMs] ?? Number.NaN
    const isWithin = ts >= stall.from - BUFFER_NEAR_MS && (ts < end || ts === stall.from)
    if (isWithin && !Number.isNaN(bufferMs) && !(found <= bufferMs)) found = bufferMs
  }
  return found
}
