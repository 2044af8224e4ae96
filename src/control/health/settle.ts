// Owns the passage from judgement to state: bad news counts at once, good news after it has held. Pure.
import type { ServerState } from '#wire'
import type { RawState } from './judge.ts'

/** Good news must hold this long, or a server that comes and goes would move its viewers each second. */
const HOLD_UNREACHABLE_MS = 5000
const HOLD_DEGRADED_MS = 10_000

export interface Standing {
  readonly state: ServerState
  /** Since when the judgement is better than the state, monotonic; null while it is not. */
  readonly betterSinceMs: number | null
  /** Looks from before this are not used for quality: they belong to the outage that has ended. */
  readonly qualityFromMs: number
}

const rank: Readonly<Record<RawState, number>> = { healthy: 0, degraded: 1, unreachable: 2 }

/** The next standing. States that people set (drained, maintenance ...) are not left by judgement. */
export function settle(standing: Standing, judged: RawState, nowMs: number): Standing {
  const { state } = standing
  if (state !== 'healthy' && state !== 'degraded' && state !== 'unreachable') return standing
  if (rank[judged] >= rank[state]) {
    const same = judged === state && standing.betterSinceMs === null
    return same ? standing : { ...standing, state: judged, betterSinceMs: null }
  }
  if (standing.betterSinceMs === null) {
    const qualityFromMs = state === 'unreachable' ? nowMs : standing.qualityFromMs
    return { ...standing, betterSinceMs: nowMs, qualityFromMs }
  }
  const holdMs = state === 'unreachable' ? HOLD_UNREACHABLE_MS : HOLD_DEGRADED_MS
  return nowMs - standing.betterSinceMs < holdMs
    ? standing
    : { ...standing, state: judged, betterSinceMs: null }
}
