// Owns what each drill does, and what it makes shorter in the runbooks that a real night would run. Pure.
import { unreachable } from '#base'
import type { CauseKind, DrillFaultKind, DrillKind } from '#wire'
import type { Runbook, RunbookStep } from '../runbooks/runbook.ts'

export interface PlannedTarget {
  readonly server: string
  readonly fault: DrillFaultKind
  /** Null: only finding it counts. */
  readonly runbook: string | null
  /** Alerts that find it. */
  readonly alerts: readonly string[]
}

export interface DrillPlan {
  readonly targets: readonly PlannedTarget[]
  /** What the control room should hold to be the cause. */
  readonly cause: CauseKind
}

const DRAIN_MS = 30_000
const VERIFY_MS = 90_000
const HOLD_MS = 5000
const STAGE_MS = 2000

/** `edges` that may be hurt, in order; a fault when there are too few. */
export function planDrill(kind: DrillKind, edges: readonly string[]): DrillPlan | string {
  const preferred = (name: string, not: readonly string[]): string | undefined =>
    edges.includes(name) && !not.includes(name) ? name : edges.find(id => !not.includes(id))
  const frozen = preferred('eu-west', kind === 'leap-second-2012' ? ['ap-southeast'] : [])
  const sick = preferred('ap-southeast', frozen === undefined || kind !== 'leap-second-2012' ? [] : [frozen])
  if (kind === 'leap-second-2012' && edges.length < 2)
    return 'this drill needs two edges that are marked as drill targets'
  const freeze = { fault: 'frozen', runbook: 'restart-edge', alerts: ['EdgeUnreachable'] } as const
  if (kind === 'edge-frozen')
    return frozen === undefined
      ? 'no edge is marked as a drill target'
      : { targets: [{ server: frozen, ...freeze }], cause: 'edge-frozen' }
  if (sick === undefined) return 'no edge is marked as a drill target'
  if (kind === 'clock-step') {
    const target = {
      server: sick,
      fault: 'stepped',
      runbook: null,
      alerts: ['ClockSteppedFar', 'ClockStepped'],
    } as const
    return { targets: [target], cause: 'clock-stepped' }
  }
  if (kind === 'leap-flag-bogus') {
    const target = {
      server: sick,
      fault: 'leap-flag',
      runbook: null,
      alerts: ['UnexpectedLeapPending'],
    } as const
    return { targets: [target], cause: 'leap-announced' }
  }
  if (frozen === undefined) return 'this drill needs two edges that are marked as drill targets'
  const early = { fault: 'early-timers', runbook: 'reset-clock', alerts: ['RealtimeTimersEarly'] } as const
  return {
    targets: [
      { server: frozen, ...freeze },
      { server: sick, ...early },
    ],
    cause: 'clock-2012',
  }
}

/** The same runbook with shorter waits, and in words what is otherwise. */
export function shorten(runbook: Runbook): {
  readonly runbook: Runbook
  readonly changes: readonly string[]
} {
  const changes = new Set<string>()
  const steps = runbook.steps.flatMap(step => shortStep(step, runbook.name, changes))
  if (runbook.approval !== null)
    changes.add(`${runbook.name}: whoever began the drill has approved it (${runbook.approval.role})`)
  return { runbook: { ...runbook, approval: null, steps }, changes: [...changes] }
}

function shortStep(step: RunbookStep, name: string, changes: Set<string>): RunbookStep[] {
  switch (step.kind) {
    case 'drain':
      return [step.timeoutMs <= DRAIN_MS ? step : { ...step, timeoutMs: 2 * DRAIN_MS }]
    case 'wait-until':
      if (!step.expr.includes('node_timex_')) return [step]
      changes.add(`${name}: does not wait for a time daemon; a drill has none`)
      return []
    case 'verify':
      changes.add(`${name}: has to stay within its normal ranges for ${HOLD_MS / 1000} s`)
      return [
        { ...step, holdMs: Math.min(step.holdMs, HOLD_MS), timeoutMs: Math.min(step.timeoutMs, VERIFY_MS) },
      ]
    case 'undrain':
      changes.add(`${name}: comes back in steps of ${STAGE_MS / 1000} s`)
      return [{ ...step, stageMs: STAGE_MS }]
    case 'run':
    case 'notify':
    case 'approve':
      return [step]
    default:
      return unreachable(step)
  }
}

export const faultWords: Readonly<Record<DrillFaultKind, string>> = {
  frozen: 'its process is frozen',
  'early-timers':
    'the wall clock of its agent and of two programs stands 1 s behind their timers, as in 2012',
  stepped: 'the wall clock of its agent is put forward by 1.5 s',
  'leap-flag': 'a time source of its agent announces a leap second that nobody plans',
}

/** What has to be there before the fault. */
export const needs: Readonly<Record<DrillFaultKind, 'nothing' | 'spinners' | 'time-source'>> = {
  frozen: 'nothing',
  'early-timers': 'spinners',
  stepped: 'nothing',
  'leap-flag': 'time-source',
}
