// Owns the judgement on one server, from what its witnesses saw. Pure: no clock, no state, no input or output.
// It refuses to believe an observer that can reach nobody (DESIGN: reachability fails open).
import { type Look, median } from '../probes/probe-log.ts'
import type { ViewersWord } from '../viewers/compare/verdict-words.ts'
import { clockOff, shortMs, stepsText } from './steps-text.ts'

/** An outside observer: the control room, or an edge. Ages are ms before now. */
export interface OutsideView {
  readonly witness: string
  /** Age of its last look at this server. */
  readonly lookAgeMs: number
  /** Since when it had no answer; 0 when its last look was answered. */
  readonly silentMs: number
  readonly failed: boolean
  readonly connectMs: number | null
  readonly error: string | null
  readonly tls?: Look['tls']
  readonly icmp?: Look['icmp']
  readonly clockOffsetS?: Look['clockOffsetS']
  /** False when it reached nobody of late: then the observer is the suspect. */
  readonly trusted: boolean
  readonly quality: QualityView
}

/** The last ten looks of one observer, and how its looks at this server's peers go. */
export interface QualityView {
  readonly looks: number
  readonly failed: number
  readonly medianMs: number | null
  readonly peersMedianMs: number | null
}

/** The agent beside the server. */
export interface InsideView {
  /** False: nobody measures it from inside, and nobody expects it; left out: true. */
  readonly isExpected?: boolean
  /** Null: never heard. */
  readonly heardAgeMs: number | null
  /** Null: it watches no process, or has not said yet. */
  readonly watched: {
    readonly pid: number | null
    readonly state: string | null
    readonly httpOk: boolean
  } | null
  readonly httpMs: number | null
  readonly quality: QualityView
}

/** An outside observer that played a little of a stream from here. */
export interface PlayView {
  readonly witness: string
  readonly ageMs: number
  /** Failures in a row; 0: the last look went well. */
  readonly failures: number
  /** What it met, in words. */
  readonly text: string
  /** It has played from others of late: when nobody can be played from, the origin or the observer is the suspect. */
  readonly othersPlay: boolean
}

/** Good news that repeats itself is none. */
export interface CounterFault {
  readonly text: string
  readonly ageMs: number
}

export interface HealthInput {
  readonly outside: readonly OutsideView[]
  readonly plays: readonly PlayView[]
  /** What is wrong with the figures that it tells of itself; left out or null: nothing. */
  readonly counters?: CounterFault | null
  /** What its viewers went through, compared; left out or null: nothing is known. */
  readonly viewers?: ViewersView | null
  readonly inside: InsideView
}

export interface ViewersView extends Pick<ViewersWord, 'says' | 'text'> {
  readonly ageMs: number
}

export type RawState = 'healthy' | 'degraded' | 'unreachable'

export interface WitnessWord {
  readonly witness: string
  readonly kind: 'inside' | 'outside' | 'playing' | 'viewers'
  readonly ok: boolean
  /** It cannot tell. */
  readonly unsure?: true
  readonly text: string
  readonly ageMs: number
}

export interface Verdict {
  readonly state: RawState
  readonly reason: string
  /** Witnesses that say it serves badly. One alone lowers the weight, two move viewers. */
  readonly doubts: number
  /** Silence has begun, and whether it is an outage shows within seconds: no moment to call it better or worse. */
  readonly wavers: boolean
  /** Somebody outside has an answer now. */
  readonly isSeen: boolean
  readonly words: readonly WitnessWord[]
}

/** DESIGN: unreachable means no HTTP answer to two outside observers for 3 s. */
const SILENT_MS = 3000
const COUNTERS = 'counters'
const VIEWERS = 'viewers'
/** Viewers are compared each 5 s; where nobody compares any more, an old word says nothing. */
const VIEWERS_AGE_MS_MAX = 30_000
/** An older look says nothing about now: looks come each second, last a second, and are reported a second later. */
const LOOK_AGE_MS_MAX = 4500
const AGENT_AGE_MS_MAX = 3000
/** It beats each second: after two its word on the process is from before a silence that has just been noticed. */
const AGENT_WORD_MS_MAX = 2000
const SLOW_FACTOR = 5 // times the peers' median: far outside what two healthy servers differ by
/** Below it nobody notices; a server that is stopped for 350 of every 400 ms has a median of about 150 ms. */
const SLOW_MS_MIN = 100
const SLOW_MS_ALONE = 500 // without peers to compare with
const FAILED_SHARE = 0.3
/** A look at a stream comes each 10 s under suspicion, each 20 s else. */
const PLAY_AGE_MS_MAX = 60_000
const PLAY_FAILURES_MIN = 2
/** Fewer looks than this are no history. */
const LOOKS_MIN = 5
/** How slow an answer was is told by each; so many come within the hold after an outage. */
const ANSWERS_MIN = 3

export function judge(input: HealthInput): Verdict {
  const words = [
    ...input.outside.map(outsideWord),
    ...input.plays.map(playWord),
    ...insideWord(input.inside),
    ...counterWord(input.counters),
    ...viewersWord(input.viewers),
  ]
  const gone = goneBy(input)
  if (gone !== null)
    return { state: 'unreachable', reason: gone, doubts: 2, wavers: false, isSeen: false, words }
  const seen = {
    wavers: fallsSilent(input),
    isSeen: input.outside.some(view => counts(view) && !view.failed),
  }
  const doubters = doubtersOf(input)
  const doubts = doubters.length
  if (doubts >= 2)
    return {
      state: 'degraded',
      reason: `serves badly: ${badReason(input, doubters)}`,
      doubts,
      ...seen,
      words,
    }
  const alone = `weight lowered by ${doubters[0] ?? 'one witness'}: ${badReason(input, doubters)}`
  const reason = doubts === 1 ? alone : goodReason(input)
  return { state: 'healthy', reason, doubts, ...seen, words }
}

/** One witness is one doubt, however much it has seen. */
function doubtersOf({ outside, plays, counters, viewers, inside }: HealthInput): string[] {
  const looking = outside.filter(view => counts(view) && (isBad(view.quality) || isRefused(view)))
  const playing = plays.filter(view => cannotPlay(view))
  const witnesses = new Set([...looking, ...playing].map(({ witness }) => witness))
  if (insideDoubts(inside)) witnesses.add('agent')
  if (counters != null) witnesses.add(COUNTERS)
  if (isAgainst(viewers)) witnesses.add(VIEWERS)
  return [...witnesses]
}

/** Twice in a row, of late, while the same observer plays from others. */
function cannotPlay({ failures, ageMs, othersPlay }: PlayView): boolean {
  return failures >= PLAY_FAILURES_MIN && ageMs <= PLAY_AGE_MS_MAX && othersPlay
}

/** Why it is unreachable, or null when it is not. */
function goneBy({ outside, inside }: HealthInput): string | null {
  const available = outside.filter(counts)
  const silent = available.filter(isSilent)
  // Answers are told at once; an old one comes from somebody who tells nothing any more.
  const answered = available.filter(view => !view.failed && view.lookAgeMs <= SILENT_MS)
  const what = goneWhat(inside, outside)
  if (silent.length >= 2 && silent.length > answered.length) return goneReason(what, silent)
  if (available.length < 2) {
    // One observer suffices together with the agent: with its bad word, or with its silence.
    if (silent.length === 1 && insideSaysGone(inside)) return goneReason(what, silent)
    // An observer that reaches nobody is believed only when the agent itself says that the process is stopped.
    const suspects = outside.filter(
      view => !view.trusted && view.lookAgeMs <= LOOK_AGE_MS_MAX && isSilent(view),
    )
    if (suspects.length > 0 && insideSaysGone(inside) && insideHeard(inside) && insideStopped(inside))
      return goneReason(what, suspects)
  }
  return null
}

/** Its agent sees it stand, or two who had an answer a moment ago have none now; one, when it is the same from inside. */
function fallsSilent({ outside, inside }: HealthInput): boolean {
  if (insideHeard(inside) && insideStopped(inside)) return true
  const fallen = outside.filter(view => counts(view) && view.failed && view.silentMs < SILENT_MS)
  return (
    fallen.length >= 2 || (fallen.length === 1 && (!insideHeard(inside) || inside.watched?.httpOk === false))
  )
}

/** Without its agent's word, what comes back from the host itself tells a dead host from a process that hangs. */
function goneWhat(inside: InsideView, outside: readonly OutsideView[]): string {
  if (insideHeard(inside) && (inside.heardAgeMs ?? 0) <= AGENT_WORD_MS_MAX) return insideReason(inside)
  const agent = inside.isExpected === false ? '' : ', its agent is silent'
  // Only from those who have no answer now: what others saw may be from before.
  const recent = outside.filter(view => counts(view) && view.failed)
  if (recent.some(({ connectMs }) => connectMs !== null)) {
    return `process frozen or overloaded (it accepts connections)${agent}`
  }
  return recent.some(({ icmp }) => icmp?.result === 'answered')
    ? `process gone${agent}, the host answers ping`
    : 'host silent'
}

/** Some reach it and some do not, though these reach others: what lies between is sick. Null: not so. */
function sickPath(outside: readonly OutsideView[]): string | null {
  const available = outside.filter(counts)
  const lost = available.filter(isSilent).map(({ witness }) => witness)
  const answered = available.filter(view => !view.failed).map(({ witness }) => witness)
  if (lost.length === 0 || answered.length === 0) return null
  const verb = (who: readonly string[]): string => (who.length === 1 ? 'does' : 'do')
  return `path sick: ${lost.join(', ')} ${verb(lost)} not reach it, ${answered.join(', ')} ${verb(answered)}`
}

/** Those who reach nobody at all. */
function sickObservers(outside: readonly OutsideView[]): string {
  const sick = outside.filter(view => !view.trusted && view.failed && view.lookAgeMs <= LOOK_AGE_MS_MAX)
  if (sick.length === 0) return ''
  const verb = sick.length === 1 ? 'reaches' : 'reach'
  return `; observer sick: ${sick.map(({ witness }) => witness).join(', ')} ${verb} nobody`
}

function goneReason(what: string, silent: readonly OutsideView[]): string {
  const seconds = Math.min(...silent.map(view => view.silentMs)) / 1000
  const who = silent.map(view => view.witness).join(', ')
  return `${what}: no HTTP answer to ${who} for ${seconds.toFixed(1)} s`
}

function counts(view: OutsideView): boolean {
  return view.trusted && view.lookAgeMs <= LOOK_AGE_MS_MAX
}

function isSilent(view: OutsideView): boolean {
  return view.failed && view.silentMs >= SILENT_MS
}

function insideHeard(inside: InsideView): boolean {
  return inside.heardAgeMs !== null && inside.heardAgeMs < AGENT_AGE_MS_MAX
}

/** T: stopped by a signal, t: by a tracer, Z and X: dead. See proc(5). */
function insideStopped({ watched }: InsideView): boolean {
  return watched !== null && (watched.pid === null || /^[TtZX]$/.test(watched.state ?? ''))
}

function insideSaysGone(inside: InsideView): boolean {
  if (!insideHeard(inside)) return true
  // Stopped and answering is slow: it goes on between two stops.
  return inside.watched?.httpOk === false
}

function insideDoubts(inside: InsideView): boolean {
  return insideHeard(inside) && (insideStopped(inside) || isBad(inside.quality))
}

function insideReason(inside: InsideView): string {
  if (!insideHeard(inside)) return 'host silent'
  const { watched } = inside
  if (watched === null) return 'host alive'
  if (watched.pid === null || watched.state === 'Z' || watched.state === 'X')
    return 'process gone, host alive'
  if (insideStopped(inside)) return 'process frozen, host alive'
  return 'process runs but does not answer, host alive'
}

/** It answers, and players do not take it: an expired certificate, or one for another name. */
function isRefused({ tls }: OutsideView): boolean {
  return tls?.problem != null
}

function isBad(quality: QualityView): boolean {
  return isFailing(quality) || isSlow(quality)
}

function isFailing({ looks, failed }: QualityView): boolean {
  return looks >= LOOKS_MIN && failed / looks >= FAILED_SHARE
}

function isSlow({ looks, failed, medianMs, peersMedianMs }: QualityView): boolean {
  if (looks - failed < ANSWERS_MIN || medianMs === null) return false
  if (peersMedianMs === null) return medianMs > SLOW_MS_ALONE
  return medianMs > SLOW_MS_MIN && medianMs > SLOW_FACTOR * peersMedianMs
}

function badReason(input: HealthInput, doubters: readonly string[]): string {
  const { outside, plays, counters, viewers, inside } = input
  if (doubters.includes('agent') && insideStopped(inside)) return insideReason(inside)
  const clock = clockOff(outside.filter(counts))
  if (clock !== null) return `${clock}, and TLS fails on it`
  const path = sickPath(outside)
  if (path !== null && outside.some(view => doubters.includes(view.witness) && isSilent(view))) return path
  const refused = outside.find(view => doubters.includes(view.witness) && isRefused(view))
  if (refused !== undefined) return `viewers refuse its certificate: ${refused.tls?.problem ?? ''}`
  const unplayable = plays.find(view => doubters.includes(view.witness) && cannotPlay(view))
  if (unplayable !== undefined) return unplayable.text
  if (counters != null && doubters[0] === COUNTERS) return counters.text
  if (viewers != null && doubters[0] === VIEWERS) return viewers.text
  const looking = doubters.filter(witness => witness !== COUNTERS && witness !== VIEWERS)
  const qualities = looking.map(
    witness => outside.find(view => view.witness === witness)?.quality ?? inside.quality,
  )
  const [worst] = qualities.toSorted((a, b) => badness(b) - badness(a))
  return worst === undefined ? 'no witness' : headline(worst)
}

/** Failures before slowness, then by how much. */
function badness(quality: QualityView): number {
  return isFailing(quality) ? 1e9 * quality.failed : (quality.medianMs ?? 0)
}

/** One line, read from afar; the words of each witness stand below it. */
function headline(quality: QualityView): string {
  if (isFailing(quality)) return qualityText(quality)
  const { medianMs, peersMedianMs } = quality
  const peers = peersMedianMs === null ? '' : `, its peers ${shortMs(peersMedianMs)}`
  return `answers take ${shortMs(medianMs ?? 0)}${peers}`
}

function qualityText(quality: QualityView): string {
  const { looks, failed, medianMs, peersMedianMs } = quality
  if (isFailing(quality)) return `${failed} of ${looks} probes failed`
  const peers = peersMedianMs === null ? '' : `, its peers in ${shortMs(peersMedianMs)}`
  return `answers in ${shortMs(medianMs ?? 0)} (median)${peers}`
}

function goodReason({ outside, inside }: HealthInput): string {
  const answered = outside.filter(view => counts(view) && !view.failed).map(view => view.witness)
  const sick = sickObservers(outside)
  if (answered.length === 0) return `no observer can judge${sick}`
  const clock = clockOff(outside)
  const why = clock === null ? '' : `: ${clock}, and TLS fails on it`
  const silentAgent = insideHeard(inside) || inside.isExpected === false ? '' : `; its agent is silent${why}`
  return `answers ${answered.join(', ')}${silentAgent}${sick}`
}

function outsideWord(view: OutsideView): WitnessWord {
  const { witness, failed, lookAgeMs: ageMs } = view
  const connect = stepsText(view)
  const doubt = view.trusted ? '' : '; it reaches nobody, so its word does not count'
  const text = failed
    ? `no HTTP answer for ${(view.silentMs / 1000).toFixed(1)} s (${connect})${doubt}`
    : `HTTP answers (${connect}); ${qualityText(view.quality)}`
  const ok = !failed && !isBad(view.quality) && !isRefused(view)
  return { witness, kind: 'outside', ok, text, ageMs }
}

function counterWord(counters: HealthInput['counters']): WitnessWord[] {
  return counters == null ? [] : [{ witness: COUNTERS, kind: 'inside', ok: false, ...counters }]
}

function isAgainst(viewers: HealthInput['viewers']): boolean {
  return viewers != null && viewers.says === 'against' && viewers.ageMs <= VIEWERS_AGE_MS_MAX
}

function viewersWord(viewers: HealthInput['viewers']): WitnessWord[] {
  if (viewers == null || viewers.ageMs > VIEWERS_AGE_MS_MAX) return []
  const { says, text, ageMs } = viewers
  const unsure = says === 'too-few' ? { unsure: true as const } : {}
  return [{ witness: VIEWERS, kind: 'viewers', ok: says !== 'against', text, ageMs, ...unsure }]
}

function playWord({ witness, failures, text, ageMs, othersPlay }: PlayView): WitnessWord {
  const doubt = failures === 0 || othersPlay ? '' : '; it plays from nobody, so its word does not count'
  return { witness, kind: 'playing', ok: failures === 0, text: `${text}${doubt}`, ageMs }
}

function insideWord(inside: InsideView): WitnessWord[] {
  const base = { witness: 'agent', kind: 'inside' as const }
  if (inside.isExpected === false) return []
  if (inside.heardAgeMs === null) return [{ ...base, ok: false, text: 'agent never heard', ageMs: 0 }]
  const ageMs = inside.heardAgeMs
  if (!insideHeard(inside)) {
    return [{ ...base, ok: false, text: `agent silent for ${(ageMs / 1000).toFixed(1)} s`, ageMs }]
  }
  const { watched } = inside
  if (watched === null) return [{ ...base, ok: true, text: 'host alive', ageMs }]
  if (insideStopped(inside)) {
    const letter = watched.state === null ? '' : ` (state ${watched.state})`
    return [{ ...base, ok: false, text: `${insideReason(inside)}${letter}`, ageMs }]
  }
  const answer =
    watched.httpOk && inside.httpMs !== null ? `answers in ${shortMs(inside.httpMs)}` : 'does not answer'
  const ok = watched.httpOk && !isBad(inside.quality)
  return [{ ...base, ok, text: `process runs (state ${watched.state ?? '?'}) and ${answer}`, ageMs }]
}

/** The quality of a row of looks: `httpMs` null is a failed one. */
export function qualityOf(
  looks: readonly { httpMs: number | null }[],
  peersMedianMs: number | null,
): QualityView {
  const answered = looks.flatMap(look => (look.httpMs === null ? [] : [look.httpMs]))
  return {
    looks: looks.length,
    failed: looks.length - answered.length,
    medianMs: median(answered),
    peersMedianMs,
  }
}
