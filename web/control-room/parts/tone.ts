// Owns which tone a state has: the colours of a page follow from it. Pure.
import type { ShownState } from '#wire'

export type Tone = 'healthy' | 'degraded' | 'unreachable' | 'moving' | 'resting'

export function toneOf(state: ShownState): Tone {
  switch (state) {
    case 'healthy':
    case 'degraded':
    case 'unreachable':
      return state
    case 'draining':
      return 'moving'
    case 'drained':
    case 'maintenance':
    case 'unknown':
      return 'resting'
    default:
      return state satisfies never
  }
}
