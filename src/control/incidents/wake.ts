// Owns who is woken: what rings, what is told quietly, what waits until morning. Pure.
import type { StoredIncident } from '../state/incidents.ts'
import { minuteOfDay, momentOfMinute } from './zone-time.ts'

export interface WakePolicy {
  /** Alerts that come within this are told together. */
  readonly groupWaitMs: number
  readonly ringSeverities: readonly StoredIncident['severity'][]
  /** Fewer viewers than this, at its worst, wake nobody. */
  readonly ringViewersMin: number
  /** What does not ring waits from the one to the other, minutes of the day. */
  readonly nightFromMinute: number
  readonly morningMinute: number
  /** IANA name of the operators' zone. */
  readonly zone: string
}

export const DEFAULT_WAKE: WakePolicy = {
  groupWaitMs: 10_000,
  ringSeverities: ['critical'],
  ringViewersMin: 1,
  nightFromMinute: 22 * 60,
  morningMinute: 8 * 60,
  zone: 'UTC',
}

/** A group that still grows is waited for so long at most, or its first edge would wait for its last. */
const SETTLE_MS = 3000
const GROUP_MS_MAX = 1.4
/** One that comes and goes rings again after this, then after four times as long. */
const RING_AGAIN_MS = 30 * 60_000

/** When a group that began then, and grew last then, is told. */
export function tellAtOf(policy: WakePolicy, beganAt: number, grewAt: number): number {
  const usual = beganAt + policy.groupWaitMs
  return Math.min(Math.max(usual, grewAt + SETTLE_MS), beganAt + policy.groupWaitMs * GROUP_MS_MAX)
}

export type Wake =
  | { readonly kind: 'ring' }
  | { readonly kind: 'quiet'; readonly why: string }
  | { readonly kind: 'wait'; readonly until: number; readonly why: string }

/** What telling of this incident does now. `isBack`: it was resolved and came back. */
export function wakeOf(policy: WakePolicy, incident: StoredIncident, now: number, isBack: boolean): Wake {
  const { viewers, severity, verdict, waitUntil, memo } = incident
  if (waitUntil !== null && waitUntil > now)
    return { kind: 'wait', until: waitUntil, why: 'a person said so' }
  if (memo.drill !== null && !memo.drill.rings) return { kind: 'quiet', why: 'it is a drill' }
  const isNobody = viewers.peak !== null && viewers.peak < policy.ringViewersMin
  const rings = !isNobody && (policy.ringSeverities.includes(severity) || verdict.class === 'get-up')
  if (rings) {
    const again = memo.rungAt !== null && now - memo.rungAt < RING_AGAIN_MS * 4 ** Math.max(0, memo.rings - 1)
    return isBack && again ? { kind: 'quiet', why: 'it comes and goes' } : { kind: 'ring' }
  }
  const until = morningAfter(policy, now)
  if (until !== null && severity !== 'critical') return { kind: 'wait', until, why: 'it is night' }
  return { kind: 'quiet', why: isNobody ? 'no viewer is hurt' : `it is ${severity}` }
}

/** The morning that this night ends with; null: it is day. */
export function morningAfter(
  { nightFromMinute, morningMinute, zone }: WakePolicy,
  now: number,
): number | null {
  const minute = minuteOfDay(now, zone)
  const isNight =
    nightFromMinute > morningMinute
      ? minute >= nightFromMinute || minute < morningMinute
      : minute >= nightFromMinute && minute < morningMinute
  return isNight ? momentOfMinute(now, morningMinute, zone) : null
}
