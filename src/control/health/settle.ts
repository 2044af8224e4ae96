// Owns the passage from judgement to state: bad news counts at once, good news after it has held. Pure.
import type { ServerState } from '#wire'
import type { RawState } from './judge.ts'

/** Good news must hold this long, or a server that comes and goes would move its viewers each second. */
const HOLD_UNREACHABLE_MS = 5000
const HOLD_DEGRADED_MS = 10_000
/** With one witness left that doubts it: what serves badly now and then has seconds without a second one. */
const HOLD_DOUBTED_MS = 30_000
/** Until then some tell of looks from before it became better. */
const NEXT_LOOK_MS = 2500

export interface Standing {
  readonly state: ServerState
  /** Since when the judgement is better than the state, monotonic; null while it is not. */
  readonly betterSinceMs: number | null
  /** Somebody has doubted it since then; left out: nobody. */
  readonly isDoubted?: boolean
  /** Looks from before this are not used for quality: they belong to the outage that has ended. */
  readonly qualityFromMs: number
  /** Its last spell of falling silent; left out while there was none of late. */
  readonly wavering?: { readonly fromMs: number; readonly lastMs: number }
}

const rank: Readonly<Record<RawState, number>> = { healthy: 0, degraded: 1, unreachable: 2 }

export interface Judged {
  readonly state: RawState
  readonly doubts: number
  readonly wavers: boolean
  readonly isSeen: boolean
}

/** By then a silence is an outage or over. */
const WAVERS_MS_MAX = 4000
/** Shorter pauses between two spells make them one: a slow server stands most of the time. */
const WAVERS_APART_MS = 3000

/** The next standing. States that people set (drained, maintenance ...) are not left by judgement. */
export function settle(standing: Standing, verdict: Judged, nowMs: number): Standing {
  const { wavering: before, ...calm } = standing
  const { state } = standing
  if (state !== 'healthy' && state !== 'degraded' && state !== 'unreachable') return standing
  const spell = before === undefined || nowMs - before.lastMs > WAVERS_APART_MS ? undefined : before
  const fromMs = spell?.fromMs ?? nowMs
  const wavering = verdict.wavers ? { fromMs, lastMs: nowMs } : spell
  const kept = wavering === undefined ? {} : { wavering }
  // A server that falls silent would be called degraded for the last moment before it is unreachable.
  const waits = verdict.wavers && verdict.state !== 'unreachable' && nowMs - fromMs < WAVERS_MS_MAX
  if (waits) return { ...calm, ...kept, betterSinceMs: null }
  // Where nobody can see it, nothing is known against it, and nothing for it.
  const unseen = !verdict.isSeen && rank[verdict.state] < rank[state]
  const next = unseen ? worse(calm, state) : settleCalm(calm, state, verdict, nowMs)
  return next === calm && before === wavering ? standing : { ...next, ...kept }
}

/** The same state or a worse one: what was better before is forgotten. */
function worse(standing: Standing, state: RawState): Standing {
  if (standing.state === state && standing.betterSinceMs === null) return standing
  const { isDoubted: _, ...known } = standing
  return { ...known, state, betterSinceMs: null }
}

function settleCalm(standing: Standing, state: RawState, verdict: Judged, nowMs: number): Standing {
  const judged = verdict.state
  if (rank[judged] >= rank[state]) return worse(standing, judged)
  const { betterSinceMs } = standing
  if (betterSinceMs === null) {
    const qualityFromMs = state === 'unreachable' ? nowMs : standing.qualityFromMs
    return { ...standing, betterSinceMs: nowMs, qualityFromMs }
  }
  const waited = nowMs - betterSinceMs
  const isDoubted = standing.isDoubted === true || (verdict.doubts > 0 && waited >= NEXT_LOOK_MS)
  if (waited < holdMs(state, isDoubted)) {
    return isDoubted === (standing.isDoubted ?? false) ? standing : { ...standing, isDoubted }
  }
  // After an outage there are few looks yet: one doubt among them is enough to watch it for a while longer.
  return worse(standing, state === 'unreachable' && isDoubted ? 'degraded' : judged)
}

function holdMs(state: RawState, isDoubted: boolean): number {
  if (state === 'unreachable') return HOLD_UNREACHABLE_MS
  return isDoubted ? HOLD_DOUBTED_MS : HOLD_DEGRADED_MS
}
