// Owns where a viewer that does not steer is sent when this edge should feed nobody: another edge, or nowhere.
// It refuses to guess who steers: whoever does has left within one TTL and a segment, so that only who asks after
// that is sent on; a multivariant playlist is asked for by one who has not begun, and is sent on at once.
import type { Clock } from '#base'
import { nearFirst } from '#wire'
import type { FleetView } from './fleet-view.ts'
import { rank } from './order.ts'

/**
 * In the query of who was sent on: he is not sent on again, but by an edge whose drain is over, and never to one that
 * sent him. Edges whose tables differ for a moment make no loop.
 */
export const HOP_PARAMETER = 'vitrine-hop'
/** While tables differ nobody is sent round in circles. */
const HOPS_MAX = 3
/** What a player has under way when steering tells it to go: a segment, and its request. */
const SEGMENT_MS = 10_000

export interface DepartureAsk {
  /** As the request named it, without the query. */
  readonly path: string
  readonly query: string
  readonly session: string
  /** The viewer's; null: not known. */
  readonly region: string | null
  /** A multivariant playlist: the viewer begins. */
  readonly isEntry: boolean
  /** Monotonic ms at which this edge began to feed the session; null: it does not. */
  readonly feedsSinceMs: number | null
}

/** The address on another edge, or null: it is answered here. */
export function departureUrl(
  fleet: FleetView,
  ask: DepartureAsk,
  clock: Pick<Clock, 'monotonicMs'>,
): string | null {
  const { leavingSinceMs, mustLeave } = fleet
  if (leavingSinceMs === null) return null
  const hops = hopsOf(ask.query)
  if (hops.length > (mustLeave ? HOPS_MAX : 0)) return null
  if (!ask.isEntry && !mustLeave) {
    // Who came by a playlist of this edge, after the others had left, has not had the time to steer either.
    const sinceMs = Math.max(leavingSinceMs, ask.feedsSinceMs ?? leavingSinceMs)
    if (clock.monotonicMs() - sinceMs < fleet.ttlS * 1000 + SEGMENT_MS) return null
  }
  const self = fleet.self()
  const edges = fleet.forEntry()
  // Where nobody deserves viewers, who answers shares them; that is no reason to leave.
  const here = edges.find(({ id }) => id === self.id)?.weight ?? 0
  const open = edges.filter(edge => edge.weight > here && edge.id !== self.id && !hops.includes(edge.id))
  const [best] = nearFirst(rank(open, ask.session), ask.region)
  if (best === undefined) return null
  return `${best.url}${ask.path}?${ask.query === '' ? '' : `${ask.query}&`}${HOP_PARAMETER}=${self.id}`
}

/** Edges that have sent him on. */
function hopsOf(query: string): string[] {
  const parts = query.split('&').filter(part => part.startsWith(`${HOP_PARAMETER}=`))
  return parts.map(part => part.slice(HOP_PARAMETER.length + 1))
}
