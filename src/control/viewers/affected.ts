// Owns who was affected by something: viewers who lost seconds or could not start within a time, measured and estimated
// apart, and how many more they are than among viewers of the same titles on other edges. Pure.
import type { AffectedAnswer, AffectedCounts, AffectedQuery, AffectedViewer, TitleClass } from '#wire'
import { runsOf } from './edge-runs.ts'
import { lastEdge, stallEdge } from './figures.ts'
import { proofOf } from './prove.ts'
import type { Session } from './session.ts'
import type { Found } from './session-search.ts'

/** A buffer of that length may still hold what an edge gave. */
const BUFFER_MS = 60_000
/** With fewer peers nothing is expected of anybody. */
const PEERS_MIN = 10
const SESSIONS_MAX = 200_000
export const SHOWN_MAX = 1000

interface Viewer {
  isPeer: boolean
  lostS: number
  couldNotStart: boolean
  worst: AffectedViewer
}

export interface Affected {
  readonly measured: AffectedCounts
  readonly estimated: AffectedCounts
  /** Most seconds lost first. */
  readonly viewers: readonly AffectedViewer[]
  readonly truncated: AffectedAnswer['truncated']
}

export async function affectedBy(
  query: AffectedQuery,
  sessions: AsyncIterable<Found>,
  classOf: (title: string | null) => TitleClass,
): Promise<Affected> {
  // Of each session only what is shown of it: whole ones would be many times as much memory.
  const own: AffectedViewer[] = []
  const others: AffectedViewer[] = []
  let truncated = false
  for await (const found of sessions) {
    if (query.class !== undefined && classOf(found.session.title) !== query.class) continue
    if (own.length + others.length >= SESSIONS_MAX) {
      truncated = true
      break
    }
    const isNear = query.region === undefined || regionOf(found.session) === query.region
    const isPeer = !(isNear && fedBy(found.session, query))
    // Peers differ in one thing: in the edge where one is named.
    if (isPeer && !isNear && query.edge !== undefined) continue
    ;(isPeer ? others : own).push(wordsOf(found, query, isPeer))
  }
  const titles = new Set(own.map(({ title }) => title))
  const peers = others.filter(({ title }) => titles.has(title))
  const all = [...viewersOf(own, false), ...viewersOf(peers, true)]
  return {
    measured: countsOf(all, false, query),
    estimated: countsOf(all, true, query),
    viewers: all
      .filter(viewer => !viewer.isPeer && isAffected(viewer, query))
      .map(({ worst, lostS, couldNotStart }) => ({ ...worst, lostS, couldNotStart }))
      .toSorted((a, b) => b.lostS - a.lostS || a.at - b.at),
    truncated,
  }
}

function regionOf({ viewerRegion }: Session): string {
  return viewerRegion ?? 'unknown'
}

/** Without an edge in the question everybody belongs to it. */
function fedBy(session: Session, { edge, from, to }: AffectedQuery): boolean {
  if (edge === undefined) return true
  return runsOf(session).some(run => run.edge === edge && run.from <= to && run.to + BUFFER_MS >= from)
}

/** One for each reference, or for each session that has none; measured and estimated ones are never one. */
function viewersOf(sessions: readonly AffectedViewer[], isPeer: boolean): Viewer[] {
  const viewers = new Map<string, Viewer>()
  for (const one of sessions) {
    const { viewerRef, viewerRefIs, sid, estimated } = one
    // Who claims somebody's reference takes nothing from who has proven it.
    const key = `${estimated} ${viewerRef === null ? `sid ${sid}` : `${viewerRefIs} ${viewerRef}`}`
    const known = viewers.get(key)
    if (known === undefined) {
      viewers.set(key, { isPeer, lostS: one.lostS, couldNotStart: one.couldNotStart, worst: one })
      continue
    }
    known.lostS += one.lostS
    known.couldNotStart ||= one.couldNotStart
    if (one.lostS > known.worst.lostS || (one.couldNotStart && !known.worst.couldNotStart)) {
      known.worst = { ...one, wantedS: one.wantedS + known.worst.wantedS }
    } else known.worst = { ...known.worst, wantedS: one.wantedS + known.worst.wantedS }
  }
  return [...viewers.values()]
}

function wordsOf({ session, figures }: Found, query: AffectedQuery, isPeer: boolean): AffectedViewer {
  const { from, to, edge } = query
  const mine = figures.stalls
    .map(stall => ({ ...stall, edge: stallEdge(session, stall.at), lostS: overlapS(stall, from, to) }))
    .filter(stall => stall.lostS > 0 && (isPeer || edge === undefined || stall.edge === edge))
  const lostS = mine.reduce((sum, stall) => sum + stall.lostS, 0)
  const couldNotStart = couldNotStartIn({ session, figures }, query)
  const worst = mine.toSorted((a, b) => b.lostS - a.lostS)[0]
  const judged = session.judged.find(one => one.from === worst?.from)
  return {
    viewerRef: session.viewerRef,
    viewerRefIs: proofOf(session),
    sid: session.sid,
    title: session.title,
    at: worst?.at ?? session.firstAt,
    wantedS: figures.watchedS + figures.rebufferS,
    lostS,
    couldNotStart,
    edge: worst?.edge ?? edge ?? lastEdge(session),
    estimated: figures.estimated,
    evidence: couldNotStart
      ? `${figures.attempt === 'failure' ? 'playing failed' : 'left'} before the first frame, after ${waitedS(session).toFixed(1)} s`
      : judged === undefined
        ? ''
        : `${judged.blame}: ${judged.evidence}`,
  }
}

/** A failure, or who left after waiting for long enough; who leaves at once may have changed their mind. */
function couldNotStartIn({ session, figures }: Found, { from, to, waitedSMin }: AffectedQuery): boolean {
  if (session.firstAt > to || session.lastAt < from) return false
  if (figures.attempt === 'failure') return true
  return figures.attempt === 'exit' && waitedS(session) >= waitedSMin
}

function waitedS({ firstAt, lastAt }: Session): number {
  return (lastAt - firstAt) / 1000
}

function overlapS({ at, seconds }: { at: number; seconds: number }, from: number, to: number): number {
  return Math.max(0, Math.min(to, at + seconds * 1000) - Math.max(from, at)) / 1000
}

function isAffected({ lostS, couldNotStart }: Viewer, { lostSMin }: AffectedQuery): boolean {
  return couldNotStart || (lostS > 0 && lostS >= lostSMin)
}

function countsOf(all: readonly Viewer[], estimated: boolean, query: AffectedQuery): AffectedCounts {
  const viewers = all.filter(({ worst }) => worst.estimated === estimated)
  const own = viewers.filter(({ isPeer }) => !isPeer)
  const peers = viewers.filter(({ isPeer }) => isPeer)
  const affected = own.filter(viewer => isAffected(viewer, query))
  const peersAffected = peers.filter(viewer => isAffected(viewer, query)).length
  const expected =
    (query.edge === undefined && query.region === undefined) || peers.length < PEERS_MIN
      ? null
      : (own.length * peersAffected) / peers.length
  return {
    viewers: own.length,
    affected: affected.length,
    couldNotStart: affected.filter(({ couldNotStart }) => couldNotStart).length,
    lostS: affected.reduce((sum, { lostS }) => sum + lostS, 0),
    peers: peers.length,
    peersAffected,
    expected,
    excess: expected === null ? null : Math.max(0, affected.length - expected),
  }
}
