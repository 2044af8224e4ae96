// Owns the wall's words: the sentence on top, the order of rows, what a clock's offset and a witness mean. Pure.
import type { PastMoment, ShownState, WallAnswer, WallRow, WallWitness } from '#wire'
import { WORST_FIRST } from '../fleet-filter.ts'
import { type Tone, toneOf } from '../parts/tone.ts'
import { age } from '../time-format.ts'
import { grouped } from '../units.ts'
import { estimatedWords } from '../viewers/viewer-words.ts'

/** Wrongs that the sentence tells in words; the rows below tell the others. */
const TOLD_MAX = 2
/** As the rule ClockOffset: beyond it a host's clock is wrong. */
export const OFFSET_S_MAX = 0.05

export interface WallSentence {
  /** `2 of 3 edges serve, 30 viewers are watching` */
  readonly head: string
  /** `eu-west is unreachable: …`; empty: nothing is wrong. */
  readonly wrong: string
  readonly tone: Tone
}

export function sentenceOf(
  { edges, others }: Pick<WallAnswer, 'edges' | 'others'>,
  past?: PastMoment,
): WallSentence {
  if (past !== undefined) return inThePast(sentenceOf({ edges, others }), { edges, others }, past)
  if (edges.length === 0) return { head: 'No edge has joined yet', wrong: '', tone: 'resting' }
  const serving = edges.filter(({ state }) => state === 'healthy' || state === 'degraded').length
  const known = edges.flatMap(row => row.watching ?? [])
  const watching = known.length === 0 ? null : known.reduce((sum, one) => sum + one, 0)
  const simulated = edges.reduce((sum, row) => sum + (row.watchingSimulated ?? 0), 0)
  const estimated = edges.reduce((sum, row) => sum + (row.watchingEstimated ?? 0), 0)
  const shares = [
    ...(simulated === 0 ? [] : [`${grouped(simulated)} simulated`]),
    ...(estimated === 0 || watching === null ? [] : [estimatedWords({ watching, estimated })]),
  ]
  const ill = [
    ...worstRowsFirst(edges).map(({ name, state, reason }) => ({ name, state, reason })),
    ...others.map(({ id, state, reason }) => ({ name: id, state, reason })),
  ]
    .filter(({ state }) => state !== 'healthy')
    .sort((a, b) => WORST_FIRST.indexOf(a.state) - WORST_FIRST.indexOf(b.state))
  const more = ill.length - TOLD_MAX
  const told = ill.slice(0, TOLD_MAX).map(({ name, state, reason }) => {
    const why = inShort(reason)
    return `${name} ${STATE_VERBS[state]}${why === '' ? '' : `: ${why}`}`
  })
  if (more > 0) told.push(more === 1 ? 'one more is not healthy' : `${more} more are not healthy`)
  const [worst] = ill
  return {
    head: `${serving === edges.length ? `All ${edges.length}` : `${serving} of ${edges.length}`} ${edges.length === 1 ? 'edge serves' : 'edges serve'}, ${viewers(watching)}${shares.length === 0 ? '' : ` (${shares.join(', ')})`}`,
    wrong: told.join('; '),
    tone: worst === undefined ? 'healthy' : toneOf(worst.state),
  }
}

/** The same in the past tense; where nobody judged, that is the sentence. */
function inThePast(
  { head, wrong, tone }: WallSentence,
  { edges }: Pick<WallAnswer, 'edges' | 'others'>,
  { watched }: PastMoment,
): WallSentence {
  if (edges.length === 0) return { head: 'No edge had joined by then', wrong: '', tone: 'resting' }
  if (watched === 'no') {
    const many = edges.length === 1 ? 'one edge was' : `${edges.length} edges were`
    const why = 'the control room did not run then, and nobody judged'
    return { head: `How the fleet was is not known (${many} enrolled)`, wrong: why, tone: 'resting' }
  }
  const past = (text: string): string =>
    text
      .replace(/\bedge serves\b/, 'edge served')
      .replace(/\bedges serve\b/, 'edges served')
      .replace(/\b(is|are) watching\b/, (_, verb: string) =>
        verb === 'is' ? 'was watching' : 'were watching',
      )
  const then = wrong
    .replace(/\bis (unreachable|draining|drained|in maintenance|not known|not healthy)\b/g, 'was $1')
    .replace(/\bare not healthy\b/g, 'were not healthy')
    .replace(/\bserves badly\b/g, 'served badly')
  return { head: past(head), wrong: then, tone }
}

const STATE_VERBS: Record<ShownState, string> = {
  unknown: 'is not known',
  unreachable: 'is unreachable',
  degraded: 'serves badly',
  draining: 'is draining',
  drained: 'is drained',
  maintenance: 'is in maintenance',
  healthy: 'is healthy',
}

/** The first clause behind what the verb says already: its row has the whole of it, with figures that change. */
function inShort(reason: string): string {
  return reason.replace(/^serves badly: /, '').split(/: |; /)[0] ?? ''
}

function viewers(count: number | null): string {
  if (count === null) return 'how many are watching is not known'
  if (count === 0) return 'nobody is watching'
  return count === 1 ? 'one viewer is watching' : `${grouped(count)} viewers are watching`
}

/** Worst first; within a state those with most viewers, then by id, so that healthy rows keep their places. */
export function worstRowsFirst(rows: readonly WallRow[]): WallRow[] {
  const rank = ({ state }: WallRow): number => WORST_FIRST.indexOf(state)
  const concern = (row: WallRow): number => (row.state === 'healthy' ? 0 : (row.watching ?? 0))
  return [...rows].sort((a, b) => rank(a) - rank(b) || concern(b) - concern(a) || a.id.localeCompare(b.id))
}

/** `+3 ms`, `−1.20 s`; the sign says whether the host is ahead of fleet time or behind. */
export function offsetText(offsetS: number | null): string {
  if (offsetS === null) return '–'
  const size = Math.abs(offsetS)
  const sign = offsetS < 0 ? '−' : '+'
  if (size < 0.0005) return '0 ms'
  return size < 1 ? `${sign}${Math.round(size * 1000)} ms` : `${sign}${size.toFixed(size < 10 ? 2 : 0)} s`
}

export function offsetWrong(offsetS: number | null): string | null {
  if (offsetS === null || Math.abs(offsetS) <= OFFSET_S_MAX) return null
  return offsetS > 0 ? 'clock is ahead' : 'clock is behind'
}

const SAYS: Record<WallWitness['says'], string> = {
  for: 'speaks for it',
  against: 'speaks against it',
  divided: 'is divided',
  unknown: 'is not known',
}

/** For hover, focus and screen readers: `inside speaks for it, 2 s ago: …` */
export function witnessText({ kind, says, text, at }: WallWitness, now: number): string {
  if (at === null) return `${kind}: ${text}`
  const old = age(now - at)
  return `${kind} ${SAYS[says]}, ${old === 'now' ? 'just now' : `${old} ago`}: ${text}`
}
