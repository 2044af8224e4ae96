// Owns the choice of edges for a viewer: pure, the same on every edge that has the same table.
// It never gives an empty list, and never moves a viewer without a reason.
import { hash } from 'node:crypto'
import { drawNearFirst, isLimited, nearFirst } from '#wire'

/** An edge as the one who chooses sees it. */
export interface Standing {
  readonly id: string
  readonly region: string
  readonly url: string
  /** Share of viewers; 0: nobody goes there who has another choice. */
  readonly weight: number
  /** For those whom it feeds already; left out: the same. */
  readonly keep?: number | undefined
  /** Of all new sessions, at most; left out: as many as come. */
  readonly share?: number | undefined
}

/**
 * Weighted rendezvous: every session has its own order of edges, edges come first in proportion to their weight,
 * and when one goes, only its sessions move, spread over all others. Edges without weight stand at the end.
 */
export function rank<Edge extends Standing>(edges: readonly Edge[], session: string): Edge[] {
  const scored = edges.map(edge => ({ edge, score: score(edge, session) }))
  scored.sort((a, b) => a.score - b.score)
  return scored.map(({ edge }) => edge)
}

/**
 * The order for a viewer who starts in `region` (null: not known): the edges of his region first, and none of them for
 * more than its share of all sessions.
 */
export function rankForEntry<Edge extends Standing>(
  edges: readonly Edge[],
  session: string,
  region: string | null,
): Edge[] {
  if (region === null && !edges.some(isLimited)) return rank(edges, session)
  const chances = drawNearFirst(edges, edge => edge.region === region)
  const drawn = edges.map((edge, at) => ({ ...edge, edge, weight: chances[at] ?? 0 }))
  const [first, ...others] = rank(drawn, session).map(({ edge }) => edge)
  return first === undefined ? [] : [first, ...nearFirst(others, region)]
}

/** The order for a viewer that `current` feeds. It stays there while that edge has its full weight. */
export function rankForViewer(
  edges: readonly Standing[],
  current: string | null,
  session: string,
  region: string | null,
): Standing[] {
  const ranked = nearFirst(rank(edges, session), region)
  const at = ranked.findIndex(edge => edge.id === current)
  const here = ranked[at]
  if (here === undefined || !keeps(edges, here, session)) return ranked
  ranked.splice(at, 1)
  return [here, ...ranked]
}

/**
 * An edge with half of the others' weight keeps half of its viewers, always the same half: no flapping.
 * When nobody has weight, nothing is better than where the viewer is.
 */
function keeps(edges: readonly Standing[], here: Standing, session: string): boolean {
  const weightMax = Math.max(0, ...edges.map(edge => edge.weight))
  if (weightMax === 0) return true
  return unit(`${session}\nkeep\n${here.id}`) * weightMax < (here.keep ?? here.weight)
}

/** Exponential variates with rate `weight`: the least one wins with probability weight / sum. */
function score(edge: Standing, session: string): number {
  if (edge.weight <= 0) return Number.MAX_VALUE
  return -Math.log(unit(`${session}\n${edge.id}`)) / edge.weight
}

/** A number above 0 and at most 1 that looks random and depends on `text` alone. */
function unit(text: string): number {
  // In one call, and as text: a tenth of what a Hash object costs, twenty times an answer. Six bytes of it.
  return (Number.parseInt(hash('sha256', text).slice(0, 12), 16) + 1) / 2 ** 48
}
