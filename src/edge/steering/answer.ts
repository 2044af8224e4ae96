// Owns the steering answer (draft-pantos-hls-rfc8216bis section 7.2). Pure. It refuses to name, as the next place
// to ask, the edge that feeds the viewer: steering would hang together with it.
import { rankForViewer, type Standing } from './order.ts'

const STEERING_VERSION = 1
const TTL_SECONDS_MIN = 5 // DESIGN: between 5 and 30 s
const TTL_SECONDS_MAX = 30

export interface SteeringAnswer {
  readonly VERSION: number
  readonly TTL: number
  readonly 'RELOAD-URI': string
  readonly 'PATHWAY-PRIORITY': readonly string[]
}

export interface SteeringAsk {
  /** The edge that feeds the viewer, `_HLS_pathway`; null: not told. */
  readonly pathway: string | null
  readonly session: string
  /** The viewer's; null: not known. */
  readonly region: string | null
}

/** `edges` holds at least one. */
export function steeringAnswer(edges: readonly Standing[], ask: SteeringAsk, ttlS: number): SteeringAnswer {
  const ranked = rankForViewer(edges, ask.pathway, ask.session, ask.region)
  const reload = whereToAsk(ranked, ask.pathway)
  return {
    VERSION: STEERING_VERSION,
    TTL: Math.min(TTL_SECONDS_MAX, Math.max(TTL_SECONDS_MIN, ttlS)),
    'RELOAD-URI': steeringUri(reload, ask.session),
    'PATHWAY-PRIORITY': ranked.map(edge => edge.id),
  }
}

/** Best first; neither the edge that feeds now, nor, if it can be helped, the one that will feed next. */
function whereToAsk(ranked: readonly Standing[], feeding: string | null): Standing {
  const next = ranked[0]
  if (next === undefined) throw new TypeError('steering needs at least one edge')
  const others = ranked.filter(edge => edge.id !== feeding)
  return (
    others.find(edge => edge.weight > 0 && edge.id !== next.id) ??
    others.find(edge => edge.weight > 0) ??
    others[0] ??
    next
  )
}

/** Where a viewer that `feeding` feeds asks for steering, for its multivariant playlist. */
export function steeringServer(edges: readonly Standing[], feeding: Standing, session: string): string {
  const others = edges.filter(edge => edge.id !== feeding.id)
  const server = others.find(edge => edge.weight > 0) ?? others[0] ?? feeding
  return steeringUri(server, session)
}

function steeringUri(edge: Standing, session: string): string {
  return `${edge.url}/steer?s=${encodeURIComponent(session)}`
}
