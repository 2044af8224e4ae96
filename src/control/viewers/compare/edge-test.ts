// Owns the test of one edge in one channel: whether more sessions are hit than its peers now and its own past explain.
// Pure; docs/operate/viewers.md says the same for engineers.

import type { Usual } from './history.ts'
import { TURN_MS } from './measures.ts'
import { tailOf } from './tail.ts'

/** Sums over all edges and looks of four weeks come to at most so many alarms without a cause (union bound). */
export const FALSE_ALARMS = 0.5
const FOUR_WEEKS_MS = 28 * 86_400_000
/** What is less than this is no degradation, however certain: 15 % more, and one session in a hundred. */
const MARGIN_TIMES = 1.15
const MARGIN_SHARE = 0.01
const SHARE_MAX = 0.95
/** Fewer are no sample: a household or an office may be most of them. */
export const SESSIONS_MIN = 20
/** Sessions that peers have to show for a comparison. */
export const PEERS_MIN = 20
/** Independent sessions of its own past. */
export const KNOWN_MIN = 20
/** Could it not tell that so many of the sessions are hit, it says that they are too few. */
const TELL_SHARE = 0.75

/** The edge and its peers in one channel now. */
export interface Now {
  readonly n: number
  readonly x: number
  /** Hit if it went as with its peers, title for title. */
  readonly e: number
  /** Sessions of peers. */
  readonly peers: number
}

export type Finding =
  | { readonly kind: 'no-peers' | 'no-past' | 'too-few' }
  | { readonly kind: 'told'; readonly expected: number; readonly p: number; readonly significant: boolean }

/** Each look may be wrong so often. */
export function alphaOf(edges: number, share: number): number {
  return (FALSE_ALARMS * share * TURN_MS) / (FOUR_WEEKS_MS * Math.max(1, edges))
}

/** What is expected of it, without any margin; the highest of all that its past and its peers allow. */
export function expectedShare(
  { n, e, peers }: Now,
  usual: readonly Usual[],
): { readonly p: number; readonly known: number } {
  let [p, known] = [0, Number.POSITIVE_INFINITY]
  for (const past of usual) {
    const theirs = e / n
    // What their share surely is by now: a quotient multiplies what is only chance.
    const sure = theirs - Math.sqrt((theirs * (1 - theirs)) / peers)
    const more = Math.max(theirs - past.peers, 0)
    const share = Math.max(past.own + more, Math.max(sure, past.peers) * past.times)
    p = Math.max(p, share)
    known = Math.min(known, past.known)
  }
  return { p: Math.min(SHARE_MAX, p), known }
}

/** The likeliest share without any caution: its own of the last hours, and what its peers have more or less than then. */
export function likelyShare({ n, e }: Now, [past]: readonly Usual[]): number {
  if (past === undefined) return 0
  // Where peers have less by chance it is not nought.
  return Math.max(past.own / 2, e / n + past.own - past.peers)
}

export function testEdge(now: Now, usual: readonly Usual[], alpha: number): Finding {
  if (now.n < SESSIONS_MIN) return { kind: 'too-few' }
  if (now.peers < PEERS_MIN) return { kind: 'no-peers' }
  if (usual.length === 0) return { kind: 'no-past' }
  const { p, known } = expectedShare(now, usual)
  if (known < KNOWN_MIN) return { kind: 'no-past' }
  const share = {
    p: Math.min(SHARE_MAX, p * MARGIN_TIMES + MARGIN_SHARE),
    // Both the past and the peers are only known from so many.
    known: 1 / (1 / known + 1 / now.peers),
  }
  const tail = tailOf(now.x, now.n, share)
  const significant = tail <= alpha
  if (!significant && tailOf(Math.ceil(TELL_SHARE * now.n), now.n, share) > alpha) return { kind: 'too-few' }
  return { kind: 'told', expected: p * now.n, p: tail, significant }
}
