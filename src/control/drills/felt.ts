// Owns the share of their time that viewers of each edge waited within a span, by the moments that sessions tell: what
// is told late counts where it happened. Pure. Simulated viewers neither pause nor seek: whoever is there wants to watch.
import { runsOf } from '../viewers/edge-runs.ts'
import { stallEdge } from '../viewers/figures.ts'
import type { Found } from '../viewers/session-search.ts'

/** In seconds: of `askedS`, in which they wanted to watch, `waitedS`. */
export interface Share {
  readonly waitedS: number
  readonly askedS: number
}

export interface Span {
  readonly from: number
  readonly to: number
}

/** By edge. A stall, and the time it took, is that edge's which fed the viewer when it began. */
export function sharesOf(sessions: Iterable<Found>, span: Span): Map<string, Share> {
  const sums = new Map<string, Share>()
  const add = (edge: string | null, waitedS: number, askedS: number): void => {
    if (edge === null || (waitedS === 0 && askedS === 0)) return
    const sum = sums.get(edge) ?? { waitedS: 0, askedS: 0 }
    sums.set(edge, { waitedS: sum.waitedS + waitedS, askedS: sum.askedS + askedS })
  }
  for (const { session, figures } of sessions) {
    const stalls = figures.stalls.map(({ at, seconds }) => ({ from: at, to: at + seconds * 1000 }))
    for (const stall of stalls) {
      const waitedS = overlapS(stall, span)
      add(stallEdge(session, stall.from), waitedS, waitedS)
    }
    for (const [edge, fed] of fedBy(session)) {
      const within = { from: Math.max(fed.from, span.from), to: Math.min(fed.to, span.to) }
      const stalledS = stalls.reduce((sum, stall) => sum + overlapS(stall, within), 0)
      add(edge, 0, Math.max(0, overlapS(fed, span) - stalledS))
    }
  }
  return sums
}

/** An edge feeds until the next one does. */
function fedBy(session: Found['session']): [string, Span][] {
  const runs = runsOf(session)
  const { lastAt, lastAnswerAt } = session
  const end = Number.isNaN(lastAnswerAt) ? lastAt : Math.max(lastAt, lastAnswerAt)
  return runs.map(({ edge, from }, at) => [edge, { from, to: runs[at + 1]?.from ?? end }])
}

function overlapS(one: Span, other: Span): number {
  return Math.max(0, Math.min(one.to, other.to) - Math.max(one.from, other.from)) / 1000
}
