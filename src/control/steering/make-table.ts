// Owns the steering table: which edge new viewers are sent to, and in which order. Pure.
// It never empties the last edge that works, and says so instead.
import type { Pathway, ServerState } from '#wire'

export interface EdgeStanding {
  readonly id: string
  readonly region: string
  readonly url: string
  readonly state: ServerState
  /** Witnesses that doubt it; see health. */
  readonly doubts: number
  readonly sessions: number
  /** It answers again, and its state waits for that to hold; left out: it does not. */
  readonly comesBack?: boolean
}

export interface TableContent {
  readonly pathways: Pathway[]
  readonly ttlS: number
  /** True when no edge deserves viewers and the least bad one is kept. */
  readonly exhausted: boolean
}

const WEIGHT_DOUBTED = 0.3 // one witness alone lowers the weight, two move viewers
const WEIGHT_LEAST_BAD = 0.1
/** Steering requests that a small fleet answers a second without noticing. */
const REQUESTS_PER_SECOND = 200
const TTL_S_MIN = 5
const TTL_S_MAX = 30

/** `edges` in configured order. */
export function makeTable(edges: readonly EdgeStanding[]): TableContent {
  const reachable = edges.filter(edge => edge.url !== '')
  const weighed = reachable.map((edge, order) => ({ edge, order, weight: weightOf(edge) }))
  const exhausted = weighed.length > 0 && weighed.every(entry => entry.weight === 0)
  if (exhausted) {
    const least = weighed.toSorted((a, b) => badness(a.edge) - badness(b.edge) || a.order - b.order)[0]
    if (least !== undefined) least.weight = WEIGHT_LEAST_BAD
  }
  const ordered = weighed.toSorted(
    (a, b) => b.weight - a.weight || a.edge.sessions - b.edge.sessions || a.order - b.order,
  )
  const sessions = edges.reduce((sum, edge) => sum + edge.sessions, 0)
  return {
    pathways: ordered.map(({ edge, weight }) => ({
      id: edge.id,
      region: edge.region,
      url: edge.url,
      weight,
      sessions: edge.sessions,
    })),
    ttlS: Math.round(Math.min(TTL_S_MAX, Math.max(TTL_S_MIN, sessions / REQUESTS_PER_SECOND))),
    exhausted,
  }
}

function weightOf({ state, doubts }: EdgeStanding): number {
  if (state === 'healthy') return doubts === 0 ? 1 : WEIGHT_DOUBTED
  // A degraded edge that only one witness still doubts is on its way back.
  if (state === 'degraded') return doubts <= 1 ? WEIGHT_DOUBTED : 0
  return 0
}

/** Where nobody deserves viewers, one that has just come back is better than one that does not answer. */
const COMES_BACK = 0.5

/** Degraded still serves; drained and maintenance would if they were asked; unreachable does not. */
function badness({ state, comesBack = false }: EdgeStanding): number {
  const order: readonly ServerState[] = [
    'healthy',
    'degraded',
    'draining',
    'drained',
    'maintenance',
    'unreachable',
  ]
  return order.indexOf(state) - (comesBack ? COMES_BACK : 0)
}

/** A foreign server for a new viewer, by its share of all weight; null: one of our own edges. */
export function chooseForeign<Entry extends { readonly id: string; readonly weight: number }>(
  foreign: readonly Entry[],
  pathways: readonly Pathway[],
  via: string | null,
  draw: number,
): Entry | null {
  const wanted = foreign.find(({ id }) => id === via)
  if (wanted !== undefined || pathways.some(({ id, weight }) => id === via && weight > 0))
    return wanted ?? null
  const own = pathways.reduce((sum, { weight }) => sum + weight, 0)
  let left = draw * foreign.reduce((sum, { weight }) => sum + weight, own)
  for (const entry of foreign) {
    left -= entry.weight
    if (left < 0) return entry
  }
  return null
}

/**
 * The edge for a new viewer: the one asked for by name when it takes viewers, else drawn by weight and by how few it
 * feeds already, so that a burst within one second does not land on one edge. Null: there is none.
 * `draw` is a random number from 0 to below 1.
 */
export function choosePathway(
  pathways: readonly Pathway[],
  via: string | null,
  draw: number,
): Pathway | null {
  const open = pathways.filter(({ weight }) => weight > 0)
  const wanted = open.find(({ id }) => id === via)
  if (wanted !== undefined) return wanted
  const shares = open.map(({ weight, sessions }) => weight / (1 + sessions))
  let left = draw * shares.reduce((sum, share) => sum + share, 0)
  for (const [index, share] of shares.entries()) {
    left -= share
    if (left < 0) return open[index] ?? null
  }
  return open.at(-1) ?? pathways[0] ?? null
}
