// Owns what is written down of a run, and what follows from it: where every server stands. Pure.
import { unreachable } from '#base'
import type { RunCondition, ServerOutcome } from '#wire'
import type { Runbook, RunbookStep } from './runbook.ts'

export type Phase = 'main' | 'failure'
/** `skipped`: its `when` did not hold, and nothing was done. */
export type StepOutcome = 'done' | 'skipped' | 'failed' | 'unknown'

export interface StepPlace {
  readonly server: string
  readonly phase: Phase
  readonly step: number
}

export type RunEventBody =
  | ({ readonly kind: 'approved'; readonly by: string } & Partial<StepPlace>)
  | { readonly kind: 'stop'; readonly by: string }
  | { readonly kind: 'batch'; readonly batch: number }
  | ({ readonly kind: 'begin' } & StepPlace)
  | ({
      readonly kind: 'end'
      readonly outcome: StepOutcome
      readonly text: string
      readonly output: string
      /** False: it failed before it changed anything. */
      readonly touched: boolean
    } & StepPlace)
  | {
      readonly kind: 'settled'
      readonly server: string
      readonly outcome: ServerOutcome
      readonly text: string
    }
  | { readonly kind: 'ended'; readonly condition: RunCondition; readonly text: string }

export type RunEvent = RunEventBody & { readonly at: number }

/** What a run was made as; it never changes. */
export interface RunPlan {
  readonly id: string
  readonly runbook: Runbook
  /** Servers, in the order in which they are taken. */
  readonly batches: readonly (readonly string[])[]
  readonly regions: Readonly<Record<string, string>>
  readonly by: string
  readonly startedAt: number
  readonly reason: string
  readonly incident: string | null
}

export interface ServerProgress {
  readonly id: string
  readonly batch: number
  phase: Phase
  /** The next step of the phase, or the one that goes on. */
  step: number
  /** When that was begun; null: it is not yet. */
  beganAt: number | null
  /** Nobody knows what became of a command. */
  isUnknown: boolean
  /** What went wrong first; null: nothing. */
  problem: string | null
  /** A drain of ours may be in force. */
  drained: boolean
  /** A command was begun and nothing has shown since that the server is well. */
  ran: boolean
  /** What `ran` was before the command that was begun last. */
  ranBefore: boolean
  settled: { readonly outcome: ServerOutcome; readonly text: string } | null
}

export interface RunState {
  readonly plan: RunPlan
  readonly servers: ReadonlyMap<string, ServerProgress>
  /** -1: none is begun. */
  batch: number
  approvedBy: string | null
  /** Approvals of steps, by `placeKey`. */
  readonly approvals: ReadonlyMap<string, string>
  stoppedBy: string | null
  ended: { readonly condition: RunCondition; readonly text: string; readonly at: number } | null
}

export function placeKey({ server, phase, step }: StepPlace): string {
  return `${server}:${phase}:${step}`
}

export function stepsOf({ runbook }: RunPlan, phase: Phase): readonly RunbookStep[] {
  return phase === 'main' ? runbook.steps : runbook.onFailure
}

/** Where a run stands after these events. */
export function foldRun(plan: RunPlan, events: readonly RunEvent[]): RunState {
  const servers = new Map<string, ServerProgress>()
  for (const [batch, ids] of plan.batches.entries()) {
    for (const id of ids) {
      servers.set(id, {
        id,
        batch,
        phase: 'main',
        step: 0,
        beganAt: null,
        isUnknown: false,
        problem: null,
        drained: false,
        ran: false,
        ranBefore: false,
        settled: null,
      })
    }
  }
  const approvals = new Map<string, string>()
  const state: RunState = {
    plan,
    servers,
    batch: -1,
    approvedBy: null,
    approvals,
    stoppedBy: null,
    ended: null,
  }
  for (const event of events) take(state, approvals, event)
  return state
}

function take(state: RunState, approvals: Map<string, string>, event: RunEvent): void {
  switch (event.kind) {
    case 'approved': {
      const { server, phase, step, by } = event
      if (server === undefined || phase === undefined || step === undefined) state.approvedBy = by
      else approvals.set(placeKey({ server, phase, step }), by)
      return
    }
    case 'stop':
      state.stoppedBy ??= event.by
      return
    case 'batch':
      state.batch = event.batch
      return
    case 'ended':
      state.ended = { condition: event.condition, text: event.text, at: event.at }
      return
    case 'settled': {
      const progress = state.servers.get(event.server)
      if (progress !== undefined) progress.settled = { outcome: event.outcome, text: event.text }
      return
    }
    case 'begin':
    case 'end': {
      const progress = state.servers.get(event.server)
      if (progress === undefined) return
      if (event.kind === 'begin') begin(state.plan, progress, event)
      else end(state.plan, progress, event)
      return
    }
    default:
      unreachable(event)
  }
}

function begin(plan: RunPlan, progress: ServerProgress, event: Extract<RunEvent, { kind: 'begin' }>): void {
  progress.phase = event.phase
  progress.step = event.step
  progress.beganAt = event.at
  const action = stepsOf(plan, event.phase)[event.step]
  if (action?.kind === 'drain') progress.drained = true
  if (action?.kind !== 'run' || action.looksOnly === true) return
  progress.ranBefore = progress.ran
  progress.ran = true
}

function end(plan: RunPlan, progress: ServerProgress, event: Extract<RunEvent, { kind: 'end' }>): void {
  const { phase, step, outcome, text, touched } = event
  const action = stepsOf(plan, phase)[step]
  const kind = action?.kind
  const wasBegun = progress.beganAt !== null
  progress.beganAt = null
  if (outcome === 'skipped') {
    progress.phase = phase
    progress.step = step + 1
    return
  }
  if (outcome === 'done') {
    progress.step = step + 1
    if (kind === 'undrain') progress.drained = false
    if (kind === 'verify') progress.ran = false
    return
  }
  if (!touched && kind === 'drain') progress.drained = false
  const looksOnly = action?.kind === 'run' && action.looksOnly === true
  if (!touched && kind === 'run' && wasBegun && !looksOnly) progress.ran = progress.ranBefore
  // An agent says what became of a command, not which it was.
  const isNamed = action?.kind !== 'run' || text.includes(action.name)
  progress.problem ??= isNamed ? text : `${action.name}: ${text}`
  if (outcome === 'unknown' && !looksOnly) progress.isUnknown = true
  // What fails while a failure is dealt with ends the attempt: the server is settled as it is.
  progress.step = phase === 'main' ? 0 : stepsOf(plan, 'failure').length
  progress.phase = 'failure'
}
