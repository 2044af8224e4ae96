// Owns how a session is shown: as the API's view, and with its time line.
import { cmcdEvents, type SessionView, type ViewerSessionAnswer } from '#wire'
import { runsOf } from './edge-runs.ts'
import { type Figures, STATE_NAMES, unattributedS } from './figures.ts'
import { type EdgeWitness, judged } from './judge-session.ts'
import { offsetOf } from './player-clock.ts'
import { proofOf } from './prove.ts'
import { eachRow } from './rows.ts'
import { ANSWER, POINT, REPLY, type Session, stateLetter } from './session.ts'

export function sessionWords(session: Session, figures: Figures, witness: EdgeWitness): SessionView {
  const { ratedS, ratedBits, startS, peak } = figures
  const known = new Map(session.judged.map(one => [one.from, one]))
  return {
    sid: session.sid,
    title: session.title,
    estimated: figures.estimated,
    startedAt: session.firstAt,
    lastAt: session.lastAt,
    endedAt: session.endedAt,
    state: figures.state,
    attempt: figures.attempt,
    startTimeS: orNull(startS),
    watchedS: figures.watchedS,
    rebufferS: figures.rebufferS,
    rebuffers: figures.rebuffers,
    bitrateBps: ratedS > 0 ? ratedBits / ratedS : null,
    bitratePeakBps: orNull(peak),
    switches: figures.switches,
    errors: figures.errors,
    viewerRegion: session.viewerRegion,
    player: session.player,
    viewerRef: session.viewerRef,
    viewerRefIs: proofOf(session),
    grantRefused: session.grant?.refused ?? null,
    edges: runsOf(session).map(({ edge, from, to, by }) => ({ id: edge, fromAt: from, toAt: to, by })),
    unattributedS: unattributedS(session, figures),
    stalls: figures.stalls.map(stall => {
      const { edge, blame, evidence } = known.get(stall.from) ?? judged(session, stall, witness)
      return { at: stall.at, seconds: stall.seconds, edge, blame, evidence }
    }),
  }
}

export function timelineWords(
  session: Session,
  figures: Figures,
  witness: EdgeWitness,
): Omit<ViewerSessionAnswer, 'now'> {
  const offset = offsetOf(session.clock)
  const { events, requests, duplicates, late } = session
  return {
    session: sessionWords(session, figures, witness),
    timeline: [...eachRow(session.points, POINT.width)]
      // Those that only say that answers came are no words of the player.
      .filter(row => (row[POINT.sn] ?? -1) >= 0 || (row[POINT.state] ?? 0) > 0)
      .map(row => ({
        at: (row[POINT.ts] ?? 0) + offset,
        event: cmcdEvents[row[POINT.event] ?? 0] ?? '',
        state: STATE_NAMES[stateLetter(row[POINT.state] ?? 0) || 'none'] ?? null,
        bufferS: inSeconds(row[POINT.bufferMs]),
        bitrateBps: orNull(row[POINT.bitrate]),
      })),
    answers: [...ownAnswers(session), ...seenAnswers(session, offset)].toSorted((a, b) => a.at - b.at),
    complete: Number.isNaN(session.base.ts),
    lastError: session.lastError,
    network: session.network,
    records: { events, requests, duplicates, late },
    clockOffsetMs: orNull(offset),
  }
}

function ownAnswers({ answers, edgeNames }: Session): ViewerSessionAnswer['answers'] {
  return [...eachRow(answers, ANSWER.width)].map(row => ({
    at: row[ANSWER.at] ?? 0,
    edge: edgeNames[row[ANSWER.edge] ?? -1] ?? null,
    seenBy: 'edge' as const,
    status: orNull(row[ANSWER.status]),
    firstByteMs: orNull(row[ANSWER.firstByteMs]),
    lastByteMs: orNull(row[ANSWER.durationMs]),
    upstreamMs: orNull(row[ANSWER.upstreamMs]),
    bufferS: inSeconds(row[ANSWER.bufferMs]),
  }))
}

function seenAnswers({ replies, edgeNames }: Session, offset: number): ViewerSessionAnswer['answers'] {
  return [...eachRow(replies, REPLY.width)].map(row => ({
    at: (row[REPLY.ts] ?? 0) + offset,
    edge: edgeNames[row[REPLY.edge] ?? -1] ?? null,
    seenBy: 'player' as const,
    status: orNull(row[REPLY.status]),
    firstByteMs: orNull(row[REPLY.ttfbMs]),
    lastByteMs: orNull(row[REPLY.ttlbMs]),
    upstreamMs: null,
    bufferS: inSeconds(row[REPLY.bufferMs]),
  }))
}

function orNull(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value
}

function inSeconds(ms: number | undefined): number | null {
  return ms === undefined || Number.isNaN(ms) ? null : ms / 1000
}
