// Owns which servers of a large fleet have a tile: the worst first, narrowed by words, state and region. Pure.
import { type ServerState, type ServerView, type ShownState, serverStates } from '#wire'
import { inOrder } from './server-order.ts'

/** Up to here all tiles fit a screen, in an order that never changes: places are learned. */
export const ALL_SHOWN_MAX = 12
/** More tiles at once push the charts off the screen. */
export const TILES_MAX = 12

export interface FleetFilter {
  readonly words: string
  /** `ill`: whatever is not healthy; empty: all. */
  readonly state: ServerState | 'ill' | ''
  readonly region: string
}

export const WORST_FIRST: readonly ShownState[] = [
  'unreachable',
  'unknown',
  'degraded',
  'draining',
  'drained',
  'maintenance',
  'healthy',
]

export function worstFirst(servers: readonly ServerView[]): ServerView[] {
  const rank = ({ state }: ServerView): number => WORST_FIRST.indexOf(state)
  return inOrder(servers).sort((a, b) => rank(a) - rank(b)) // stable: within a state in the usual order
}

export function narrowed(servers: readonly ServerView[], filter: FleetFilter): ServerView[] {
  const words = filter.words.toLowerCase().split(/\s+/).filter(Boolean)
  return servers.filter(({ id, region, role, state, reason }) => {
    const text = `${id} ${region} ${role} ${state} ${reason}`.toLowerCase()
    const inState =
      filter.state === '' || (filter.state === 'ill' ? state !== 'healthy' : state === filter.state)
    return (
      inState &&
      (filter.region === '' || region === filter.region) &&
      words.every(word => text.includes(word))
    )
  })
}

export function readFilter(search: URLSearchParams): FleetFilter {
  const asked = search.get('state') ?? ''
  const known = [...serverStates, 'ill' as const].find(state => state === asked)
  return { words: search.get('find') ?? '', state: known ?? '', region: search.get('region') ?? '' }
}
