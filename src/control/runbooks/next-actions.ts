// Owns what a run does next: from what is written down of it and the time, nothing else. Pure, so that a control room
// that was killed goes on from any point as if it had not been.
import { unreachable } from '#base'
import type { RunCondition, ServerOutcome } from '#wire'
import {
  placeKey,
  type RunState,
  type ServerProgress,
  type StepOutcome,
  type StepPlace,
  stepsOf,
} from './run-events.ts'
import type { RunbookStep } from './runbook.ts'

export type Action =
  /** Somebody has to say yes, until then. */
  | { readonly kind: 'wait-approval'; readonly until: number }
  /** Preconditions are asked; if they hold, the batch begins. */
  | { readonly kind: 'begin-batch'; readonly batch: number }
  /** It is written down, and only then carried out. */
  | ({ readonly kind: 'begin' } & StepPlace)
  /** Carried out, or looked at again: the same at any number of times. */
  | ({ readonly kind: 'carry-out'; readonly action: RunbookStep; readonly beganAt: number } & StepPlace)
  | ({ readonly kind: 'give-up'; readonly outcome: StepOutcome; readonly text: string } & StepPlace)
  /** The server is brought into that condition, and then it is written down. */
  | {
      readonly kind: 'settle'
      readonly server: string
      readonly outcome: ServerOutcome
      readonly text: string
    }
  | { readonly kind: 'end'; readonly condition: RunCondition; readonly text: string }

/** What is to be done now, at most one thing for each server. Nothing: the run has ended. */
export function nextActions(state: RunState, nowMs: number): Action[] {
  const { plan } = state
  if (state.ended !== null) return []
  const stop = stopReason(state, nowMs)
  const servers = [...state.servers.values()]
  if (state.batch < 0) {
    if (stop !== null) return [{ kind: 'end', condition: 'stopped', text: `${stop}; nothing was done` }]
    const { approval } = plan.runbook
    if (approval !== null && state.approvedBy === null) {
      const until = plan.startedAt + approval.timeoutMs
      if (nowMs < until) return [{ kind: 'wait-approval', until }]
      return [{ kind: 'end', condition: 'expired', text: 'nobody approved it in time; nothing was done' }]
    }
    return [{ kind: 'begin-batch', batch: 0 }]
  }
  const open = servers.filter(({ batch, settled }) => batch === state.batch && settled === null)
  if (open.length > 0) return open.flatMap(progress => serverAction(state, progress, { stop, nowMs }))
  const problems = servers.filter(({ problem }) => problem !== null)
  const first = problems[0]
  if (first !== undefined) {
    const text = `${first.id}: ${first.problem ?? ''}${leftWords(servers)}`
    return [{ kind: 'end', condition: stop === null ? 'failed' : 'stopped', text }]
  }
  if (state.batch + 1 < plan.batches.length) {
    if (stop !== null) return [{ kind: 'end', condition: 'stopped', text: `${stop}${leftWords(servers)}` }]
    return [{ kind: 'begin-batch', batch: state.batch + 1 }]
  }
  const isWhole = servers.every(({ phase, step }) => phase === 'main' && step >= plan.runbook.steps.length)
  if (stop !== null && !isWhole)
    return [{ kind: 'end', condition: 'stopped', text: `${stop}${leftWords(servers)}` }]
  return [{ kind: 'end', condition: 'completed', text: `done${leftWords(servers)}` }]
}

/** Null: it goes on. */
function stopReason({ plan, stoppedBy }: RunState, nowMs: number): string | null {
  if (stoppedBy !== null) return `stopped by ${stoppedBy}`
  const { timeoutMs } = plan.runbook
  return nowMs - plan.startedAt >= timeoutMs ? `not done within ${Math.round(timeoutMs / 1000)} s` : null
}

/** How every server was left, in words. */
function leftWords(servers: readonly ServerProgress[]): string {
  const named = (wanted: ServerOutcome): string =>
    servers
      .filter(({ settled }) => (settled?.outcome ?? 'untouched') === wanted)
      .map(({ id }) => id)
      .join(', ')
  const parts = [
    [named('returned'), 'in service'],
    [named('held'), 'drained'],
    [named('untouched'), 'not touched'],
  ].flatMap(([ids, words]) => (ids === '' ? [] : [`${ids} ${words}`]))
  return `; ${parts.join('; ')}`
}

interface Around {
  readonly stop: string | null
  readonly nowMs: number
}

function serverAction(state: RunState, progress: ServerProgress, around: Around): Action[] {
  const { id: server, phase, step, beganAt } = progress
  if (beganAt !== null) return openStep(state, { ...progress, beganAt }, around)
  // Where nothing was changed there is nothing to tidy up.
  if (phase === 'failure' && step === 0 && !progress.drained && !progress.ran) return [settleOf(progress)]
  const isStopped = around.stop !== null && phase === 'main'
  // Whoever stops it before anything was done to this server is done with it.
  const isUntouched = stepsOf(state.plan, 'main').slice(0, step).every(changesNothing)
  if (isStopped && isUntouched) return [settleOf({ ...progress, problem: around.stop })]
  const steps = stepsOf(state.plan, isStopped ? 'failure' : phase)
  const next = isStopped ? 0 : nextOf(progress, steps)
  if (isStopped && step < stepsOf(state.plan, 'main').length)
    return next < steps.length
      ? [{ kind: 'begin', server, phase: 'failure', step: 0 }]
      : [settleOf({ ...progress, problem: around.stop })]
  if (!isStopped && next < steps.length) return [{ kind: 'begin', server, phase, step: next }]
  return [settleOf(progress)]
}

function changesNothing(step: RunbookStep): boolean {
  return step.kind !== 'drain' && (step.kind !== 'run' || step.looksOnly === true)
}

/** Where nobody knows what became of a command nothing more is done to the server: people are told of it, no more. */
function nextOf({ phase, step, isUnknown }: ServerProgress, steps: readonly RunbookStep[]): number {
  if (phase !== 'failure' || !isUnknown) return step
  const told = steps.findIndex(({ kind }, place) => place >= step && kind === 'notify')
  return told < 0 ? steps.length : told
}

function openStep(
  state: RunState,
  { id: server, phase, step, beganAt }: ServerProgress & { readonly beganAt: number },
  { stop, nowMs }: Around,
): Action[] {
  const action = stepsOf(state.plan, phase)[step]
  const place = { server, phase, step }
  if (action === undefined) return []
  // A command that is on its way cannot be taken back: its end is awaited.
  if (stop !== null && phase === 'main' && action.kind !== 'run')
    return [{ kind: 'give-up', ...place, outcome: 'failed', text: stop }]
  if (nowMs - beganAt >= action.timeoutMs) {
    if (action.kind === 'wait-until' && action.goOn === true)
      return [{ kind: 'give-up', ...place, outcome: 'done', text: `${lateWords(action)}; goes on` }]
    const outcome: StepOutcome = action.kind === 'run' ? 'unknown' : 'failed'
    return [{ kind: 'give-up', ...place, outcome, text: lateWords(action) }]
  }
  if (action.kind === 'approve' && state.approvals.has(placeKey(place))) {
    const text = `approved by ${state.approvals.get(placeKey(place)) ?? ''}`
    return [{ kind: 'give-up', ...place, outcome: 'done', text }]
  }
  return [{ kind: 'carry-out', ...place, action, beganAt }]
}

function lateWords(action: RunbookStep): string {
  const seconds = Math.round(action.timeoutMs / 1000)
  switch (action.kind) {
    case 'run':
      return `no word of the end of ${action.name} within ${seconds} s: it may still run, or have run`
    case 'approve':
      return `nobody approved it within ${seconds} s`
    case 'verify':
      return `not within its normal ranges for ${Math.round(action.holdMs / 1000)} s on end, within ${seconds} s`
    case 'wait-until':
      return `did not hold within ${seconds} s`
    case 'drain':
    case 'undrain':
    case 'notify':
      return `not done within ${seconds} s`
    default:
      return unreachable(action)
  }
}

function settleOf({ id: server, drained, ran, problem, isUnknown }: ServerProgress): Action {
  if (!drained && !ran) {
    // An end that was not reached and nothing that would have to be undone.
    const outcome = problem === null ? 'returned' : 'untouched'
    return { kind: 'settle', server, outcome, text: problem ?? 'in service' }
  }
  const ask = isUnknown ? '; somebody has to look at it' : ''
  return {
    kind: 'settle',
    server,
    outcome: 'held',
    text: `stays drained${problem === null ? '' : `: ${problem}`}${ask}`,
  }
}
