// Owns what the metrics are told of a session: what is new since the last time. What a late record takes back stays
// told: counters never go back.
import type { TitleClass } from '#wire'
import type { Counting } from './compare/counting.ts'
import type { CountsOf, ScalarName, ViewerCounts } from './counts.ts'
import { type Figures, figuresOf, lastEdge, stallEdge } from './figures.ts'
import { type EdgeWitness, judgeSession } from './judge-session.ts'
import type { Session, Told } from './session.ts'

/** Events of a player may come after its first requests: until then it is not told as an estimate. */
const ESTIMATE_AFTER_MS = 10_000
/** Its first word may come before the edge's own on what it answered: until then it is not told as nobody's. */
const EDGE_AFTER_MS = 10_000

export interface AccountParts {
  readonly counts: ViewerCounts
  readonly witness: EdgeWitness
  /** Left out: edges are not compared. */
  readonly counting?: Counting
  classOf(this: void, title: string | null): TitleClass
  regionOf(this: void, edge: string | null): string
}

/** Gives the figures; `waitsUntil`: it has to be looked at again then, though nothing may come; null: it has not. */
export function account(
  session: Session,
  nowMs: number,
  parts: AccountParts,
): { readonly figures: Figures; readonly waitsUntil: number | null } {
  const figures = figuresOf(session)
  const waitsUntil = heldBackUntil(session)
  if (nowMs < waitsUntil) return { figures, waitsUntil }
  const of = (edge: string | null): CountsOf => countsFor(session, figures, parts, edge)
  const { watchedS, rebufferS, rebuffers } = session.told
  tell(session.told, figures, of(lastEdge(session)))
  tellStalls(session, figures, of)
  parts.counting?.see(session, figures, { watchedS, rebufferS, rebuffers }, nowMs)
  const { fresh, waits } = judgeSession(session, figures, nowMs, parts.witness)
  for (const { edge, blame, seconds } of fresh) of(edge).stall(blame, seconds)
  return { figures, waitsUntil: waits ? nowMs : null }
}

function heldBackUntil({ events, told, runs, said, endedAt, knownAt, heardAt, firstAt }: Session): number {
  if (endedAt !== null) return 0
  const estimate = events > 0 ? 0 : Math.min(heardAt, firstAt) + ESTIMATE_AFTER_MS
  const isNew = told.sessions === 0 && told.watchedS === 0
  const edge = isNew && runs.length === 0 && said.length === 0 ? knownAt + EDGE_AFTER_MS : 0
  return Math.max(estimate, edge)
}

function countsFor(
  session: Session,
  figures: Figures,
  { counts, classOf, regionOf }: AccountParts,
  edge: string | null,
): CountsOf {
  return counts.of({
    instance: edge ?? 'none',
    region: regionOf(edge),
    viewer_region: session.viewerRegion ?? 'unknown',
    class: classOf(session.title),
    player: session.player ?? 'unknown',
    estimate: figures.estimated ? 'yes' : 'no',
  })
}

function tell(told: Told, figures: Figures, counts: CountsOf): void {
  const once = (name: ScalarName, field: keyof Told, is: boolean): boolean => {
    if (!is || told[field] > 0) return false
    told[field] = 1
    counts.add(name, 1)
    return true
  }
  const { attempt, state, startS } = figures
  once('sessions_total', 'sessions', figures.asked)
  if (once('started_total', 'started', attempt === 'started') && !Number.isNaN(startS)) counts.start(startS)
  once('exits_before_start_total', 'exits', attempt === 'exit' && told.started === 0)
  once('start_failures_total', 'startFailures', attempt === 'failure' && told.started === 0)
  once('failures_total', 'failures', attempt === 'started' && state === 'failed')
  const grow = (name: ScalarName, field: keyof Told, value: number): void => {
    counts.add(name, more(told, field, value))
  }
  counts.add('asked_seconds_total', Math.max(0, figures.watchedS - told.watchedS))
  grow('watched_seconds_total', 'watchedS', figures.watchedS)
  grow('switches_total', 'switches', figures.switches)
  grow('errors_total', 'errors', figures.errors)
  grow('bitrate_seconds_total', 'ratedS', figures.ratedS)
  grow('bitrate_bits_total', 'ratedBits', figures.ratedBits)
}

/**
 * Rebuffering is the edge's that fed the viewer when it began: who is moved in the midst of a stall brings it along, and
 * would else charge the edge that ended it.
 */
function tellStalls(session: Session, figures: Figures, of: (edge: string | null) => CountsOf): void {
  const { told } = session
  let seconds = more(told, 'rebufferS', figures.rebufferS)
  let stalls = more(told, 'rebuffers', figures.rebuffers)
  const charge = (edge: string | null, takenS: number, taken: number): void => {
    const counts = of(edge)
    counts.add('rebuffering_seconds_total', takenS)
    counts.add('asked_seconds_total', takenS)
    counts.add('rebuffers_total', taken)
    seconds -= takenS
    stalls -= taken
  }
  // What is new is the newest.
  for (const stall of figures.stalls.toReversed()) {
    if (seconds <= 0 && stalls <= 0) return
    charge(
      stallEdge(session, stall.at) ?? lastEdge(session),
      Math.min(seconds, stall.seconds),
      Math.min(stalls, 1),
    )
  }
  if (seconds > 0 || stalls > 0) charge(lastEdge(session), seconds, stalls)
}

/** What is beyond what was told. */
function more(told: Told, field: keyof Told, value: number): number {
  const beyond = Math.max(0, value - told[field])
  told[field] += beyond
  return beyond
}
