// Owns how runbooks and runs are shown: from the plan and what is written down.
import type { RunbookView, RunStepView, RunView } from '#wire'
import { nextActions } from './next-actions.ts'
import { canaryOf } from './plan-run.ts'
import {
  foldRun,
  type Phase,
  type RunEvent,
  type RunPlan,
  type RunState,
  type StepPlace,
  stepsOf,
} from './run-events.ts'
import type { StoredRun } from './run-keeper.ts'
import { fillIn, type Runbook, stepTitle } from './runbook.ts'

export function runbookView(runbook: Runbook): RunbookView {
  const { name, title, description, file, match, role, approval, mayRunByItself } = runbook
  return {
    name,
    title,
    description,
    file,
    alerts: [...match.alerts],
    causes: [...match.causes],
    role,
    approval: approval?.role ?? null,
    mayRunByItself,
    steps: runbook.steps.map(stepTitle),
    onFailure: runbook.onFailure.map(stepTitle),
    preconditions: runbook.preconditions.map(({ text }) => text),
  }
}

const SAID_MAX = 120

type Words = (run: string, place: StepPlace) => { readonly text: string; readonly output: string } | null

/** `words`: what steps that go on say now. */
export function runView({ plan, events }: StoredRun, words: Words, nowMs: number): RunView {
  const state = foldRun(plan, events)
  const { runbook } = plan
  return {
    id: plan.id,
    runbook: runbook.name,
    title: runbook.title,
    reason: plan.reason,
    incident: plan.incident,
    by: plan.by,
    startedAt: plan.startedAt,
    endedAt: state.ended?.at ?? null,
    condition: state.ended?.condition ?? null,
    text: state.ended?.text ?? standing(state, words),
    waitsFor: waitsFor(state, nowMs),
    canary: canaryOf(plan),
    stopping: state.ended === null && state.stoppedBy !== null,
    servers: [...state.servers.values()].map(({ id, batch, settled, problem }) => ({
      id,
      batch,
      outcome: settled?.outcome ?? (state.ended === null ? null : 'untouched'),
      text: settled?.text ?? problem ?? '',
      steps: [
        ...stepViews(plan, events, id, 'main', words),
        ...stepViews(plan, events, id, 'failure', words),
      ],
    })),
  }
}

function standing(state: RunState, words: Words): string {
  const { plan } = state
  for (const { id, phase, step, beganAt } of state.servers.values()) {
    const action = beganAt === null ? undefined : stepsOf(plan, phase)[step]
    if (action === undefined) continue
    const said = words(plan.id, { server: id, phase, step })?.text ?? ''
    const title = `${id}: ${fillIn(stepTitle(action), { id, region: plan.regions[id] ?? '' })}`
    // The whole of it stands at the step.
    const short = said.length > SAID_MAX ? `${said.slice(0, SAID_MAX)}…` : said
    return short === '' ? title : `${title} (${short})`
  }
  const { approval } = plan.runbook
  if (state.batch < 0 && approval !== null && state.approvedBy === null)
    return `waits for approval by ${approval.role}; nothing is done before`
  return state.batch < 0 ? 'begins' : 'goes on'
}

/** The one approval that is open. */
export function waitsFor(state: RunState, nowMs: number): RunView['waitsFor'] {
  for (const action of nextActions(state, nowMs)) {
    if (action.kind === 'wait-approval') {
      const { role = 'operator', secondPerson = false } = state.plan.runbook.approval ?? {}
      return { role, secondPerson, until: action.until, text: 'before anything is done' }
    }
    if (action.kind === 'carry-out' && action.action.kind === 'approve') {
      const { role, secondPerson, timeoutMs, text } = action.action
      return { role, secondPerson, until: action.beganAt + timeoutMs, text: `${action.server}: ${text}` }
    }
  }
  return null
}

function stepViews(
  plan: RunPlan,
  events: readonly RunEvent[],
  server: string,
  phase: Phase,
  words: Words,
): RunStepView[] {
  const isOver = events.some(event => event.kind === 'settled' && event.server === server)
  const began = events.some(
    event => event.kind === 'begin' && event.server === server && event.phase === phase,
  )
  // What is done after a failure is no plan before there is one.
  if (phase === 'failure' && !began) return []
  return stepsOf(plan, phase).map((action, step): RunStepView => {
    const own = (event: RunEvent): boolean =>
      'step' in event && event.step === step && event.server === server && event.phase === phase
    const begin = events.find(event => event.kind === 'begin' && own(event))
    const end = events.find(event => event.kind === 'end' && own(event))
    const said = words(plan.id, { server, phase, step })
    const open = begin === undefined ? (isOver ? 'skipped' : 'waiting') : 'running'
    return {
      server,
      phase,
      step,
      kind: action.kind,
      title: fillIn(stepTitle(action), { id: server, region: plan.regions[server] ?? '' }),
      state: end?.kind === 'end' ? end.outcome : open,
      text: end?.kind === 'end' ? end.text : begin === undefined ? '' : (said?.text ?? ''),
      output: end?.kind === 'end' ? end.output : (said?.output ?? ''),
      beganAt: begin?.at ?? null,
      endedAt: end?.at ?? null,
    }
  })
}
