// Owns the steering table: which edge new viewers are sent to, and in which order. Pure.
// It never empties the last edge that works, and says so instead.
import { drawNearFirst, isLimited, type Pathway, type ServerState } from '#wire'
import { fillFactor, fillWords } from './fill.ts'

export interface EdgeStanding {
  readonly id: string
  readonly region: string
  readonly url: string
  readonly state: ServerState
  /** Witnesses that doubt it; see health. */
  readonly doubts: number
  readonly sessions: number
  /** Of all new sessions, at most, 0 to 1; left out: as many as come. */
  readonly share?: number | undefined
  /** How full it is, see fill; left out: it has all its room. */
  readonly fillStep?: number | undefined
  /** It answers again, and its state waits for that to hold; left out: it does not. */
  readonly comesBack?: boolean
  /** Its drain has lasted as long as it may; left out: it has not. */
  readonly drainOver?: boolean
}

export interface TableContent {
  readonly pathways: Pathway[]
  /** Why each has its weight, in words, by id. */
  readonly why: ReadonlyMap<string, string>
  readonly ttlS: number
  /** True when no edge deserves viewers and the least bad one is kept. */
  readonly exhausted: boolean
}

const WEIGHT_DOUBTED = 0.3 // one witness alone lowers the weight, two move viewers
const WEIGHT_LEAST_BAD = 0.1
const WEIGHT_ALL_FULL = 0.1 // against 1: any edge that gets room again comes first at once
/** Steering requests that a small fleet answers a second without noticing. */
const REQUESTS_PER_SECOND = 200
const TTL_S_MIN = 5
const TTL_S_MAX = 30

/** `edges` in configured order. */
export function makeTable(edges: readonly EdgeStanding[]): TableContent {
  const reachable = edges.filter(edge => edge.url !== '')
  const weighed = reachable.map((edge, order) => ({ edge, order, ...weightOf(edge) }))
  const exhausted = weighed.length > 0 && weighed.every(entry => entry.keep === 0)
  if (exhausted) {
    const least = weighed.toSorted((a, b) => badness(a.edge) - badness(b.edge) || a.order - b.order)[0]
    if (least !== undefined) {
      const why = `${least.why}; kept as the least bad: no edge deserves viewers`
      Object.assign(least, { weight: WEIGHT_LEAST_BAD, keep: WEIGHT_LEAST_BAD, why })
    }
  }
  makeRoom(weighed)
  const ordered = weighed.toSorted(
    (a, b) =>
      rankOf(b) - rankOf(a) || b.weight - a.weight || a.edge.sessions - b.edge.sessions || a.order - b.order,
  )
  const sessions = edges.reduce((sum, edge) => sum + edge.sessions, 0)
  return {
    pathways: ordered.map(({ edge, weight, keep }) => ({
      id: edge.id,
      region: edge.region,
      url: edge.url,
      weight,
      ...(keep === weight ? {} : { keep }),
      ...(isLimited(edge) ? { share: edge.share } : {}),
      ...(edge.drainOver === true ? { drainOver: true } : {}),
      sessions: edge.sessions,
    })),
    why: new Map(weighed.map(({ edge, why }) => [edge.id, why])),
    ttlS: Math.round(Math.min(TTL_S_MAX, Math.max(TTL_S_MIN, sessions / REQUESTS_PER_SECOND))),
    exhausted,
  }
}

interface Weighed {
  readonly edge: EdgeStanding
  weight: number
  /** For those whom it feeds already: nobody is moved because his edge is well used. */
  keep: number
  why: string
}

/** Where every edge that works is full, they go on sharing: somewhere a viewer must be. */
function makeRoom(weighed: readonly Weighed[]): void {
  if (weighed.some(({ weight }) => weight > 0)) return
  for (const entry of weighed) {
    if (entry.keep === 0) continue
    entry.weight = entry.keep * WEIGHT_ALL_FULL
    entry.why = `${entry.why}, as is every other one that works: new viewers are shared`
  }
}

/** With weight before those without, and an edge that takes only a share of new sessions after those that take all. */
function rankOf({ edge, weight }: Weighed): number {
  if (weight === 0) return 0
  return isLimited(edge) ? 1 : 2
}

function weightOf(edge: EdgeStanding): { weight: number; keep: number; why: string } {
  const { weight: keep, why } = healthWeight(edge)
  const step = edge.fillStep ?? 0
  const filled = fillWords(step)
  const weight = keep * fillFactor(step)
  const limit = isLimited(edge) && keep > 0 ? `; at most ${percent(edge.share ?? 1)} of new sessions` : ''
  return { weight, keep, why: `${why}${filled === null || keep === 0 ? '' : `; ${filled}`}${limit}` }
}

function healthWeight({ state, doubts }: EdgeStanding): { weight: number; why: string } {
  const doubted = doubts === 1 ? 'one witness doubts it' : `${doubts} witnesses doubt it`
  if (state === 'healthy') {
    return doubts === 0
      ? { weight: 1, why: 'healthy' }
      : { weight: WEIGHT_DOUBTED, why: `healthy, but ${doubted}` }
  }
  // A degraded edge that only one witness still doubts is on its way back.
  if (state === 'degraded' && doubts <= 1) {
    return {
      weight: WEIGHT_DOUBTED,
      why: doubts === 0 ? 'degraded, on its way back' : `degraded, ${doubted}`,
    }
  }
  return { weight: 0, why: state === 'degraded' ? `degraded, ${doubted}` : state }
}

function percent(part: number): string {
  return `${Number((part * 100).toPrecision(3))} %`
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
 * feeds already, so that a burst within one second does not land on one edge; no edge draws more than its share of
 * new sessions, and those of the viewer's region (null: not known) come before the others. Null: there is none.
 * `draw` is a random number from 0 to below 1.
 */
export function choosePathway(
  pathways: readonly Pathway[],
  via: string | null,
  draw: number,
  region: string | null = null,
): Pathway | null {
  const open = pathways.filter(({ weight }) => weight > 0)
  const wanted = open.find(({ id }) => id === via)
  if (wanted !== undefined) return wanted
  const chances = drawNearFirst(
    open.map(one => ({ ...one, weight: one.weight / (1 + one.sessions) })),
    one => one.region === region,
  )
  let left = draw
  for (const [index, chance] of chances.entries()) {
    left -= chance
    if (left < 0) return open[index] ?? null
  }
  return open.at(-1) ?? pathways[0] ?? null
}
