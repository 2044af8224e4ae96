// Owns the runs that go on: takes each one step further, writes down before and after. All effects can be repeated, so
// that a control room killed at any point takes them up again.
import { type Closable, every, type Log, messageOf, unreachable } from '#base'
import { type Action, nextActions } from './next-actions.ts'
import {
  foldRun,
  type RunEvent,
  type RunEventBody,
  type RunPlan,
  type StepPlace,
  stepsOf,
} from './run-events.ts'
import { fillIn, type RunbookStep } from './runbook.ts'

const TURN_MS = 250
/** Actions of one run in one turn, so that a run of steps without waiting does not hold up the others. */
const ROUNDS_MAX = 20

export interface StoredRun {
  readonly plan: RunPlan
  readonly events: readonly RunEvent[]
}

export interface RunJournal {
  /** Runs that have not ended. */
  open(this: void): Promise<readonly StoredRun[]>
  /** On disk when it resolves. */
  append(this: void, run: string, event: RunEvent): Promise<void>
}

export type StepResult =
  | { readonly kind: 'pending'; readonly text: string; readonly output?: string }
  | {
      readonly kind: 'done' | 'failed' | 'unknown'
      readonly text: string
      readonly output?: string
      /** False: nothing was changed; left out: something may be. */
      readonly touched?: boolean
    }

/** What a run does to the fleet. Each may be asked again after a restart, and must then not do it twice. */
export interface RunWorld {
  /** Null: all hold; else what does not. */
  preconditions(this: void, plan: RunPlan, servers: readonly string[]): Promise<string | null>
  /** Whether `when` of a step holds for a server now; in words where that cannot be told. */
  isWanted(this: void, plan: RunPlan, server: string, when: string): Promise<boolean | string>
  carryOut(
    this: void,
    plan: RunPlan,
    place: StepPlace,
    step: RunbookStep,
    beganAt: number,
  ): Promise<StepResult>
  /** It takes no viewers until somebody releases it. */
  hold(this: void, plan: RunPlan, server: string, text: string): Promise<void>
}

export interface RunKeeperOptions {
  readonly journal: RunJournal
  readonly world: RunWorld
  readonly log: Log
  nowMs(this: void): number
}

export class RunKeeper {
  readonly #options: RunKeeperOptions
  /** What steps that go on said last, by run and place. */
  readonly #words = new Map<string, { readonly text: string; readonly output: string }>()
  #turning: Promise<void> = Promise.resolve()

  constructor(options: RunKeeperOptions) {
    this.#options = options
  }

  /** What a step that goes on says; null: nothing yet. */
  words(run: string, place: StepPlace): { readonly text: string; readonly output: string } | null {
    return this.#words.get(wordKey(run, place)) ?? null
  }

  /** Takes every open run as far as it goes now. One turn at a time. */
  turn(): Promise<void> {
    const next = this.#turning.then(() => this.#turn())
    this.#turning = next.catch(() => undefined)
    return next
  }

  async #turn(): Promise<void> {
    const open = await this.#options.journal.open()
    const ids = new Set(open.map(({ plan }) => plan.id))
    for (const key of this.#words.keys()) if (!ids.has(key.split(' ')[0] ?? '')) this.#words.delete(key)
    for (const run of open) {
      try {
        await this.#move(run)
      } catch (error) {
        this.#options.log.error('run-not-moved', { run: run.plan.id, problem: messageOf(error) })
      }
    }
  }

  async #move({ plan, events }: StoredRun): Promise<void> {
    const known = [...events]
    for (let round = 0; round < ROUNDS_MAX; round += 1) {
      const actions = nextActions(foldRun(plan, known), this.#options.nowMs())
      const added = (await Promise.all(actions.map(action => this.#act(plan, action)))).flat()
      if (added.length === 0) return
      known.push(...added)
    }
  }

  /** What was written down; nothing: it goes on. */
  async #act(plan: RunPlan, action: Action): Promise<RunEvent[]> {
    switch (action.kind) {
      case 'wait-approval':
        return []
      case 'begin-batch':
        return [await this.#note(plan, await this.#batch(plan, action.batch))]
      case 'begin':
        return [await this.#note(plan, await this.#begin(plan, action))]
      case 'give-up': {
        const { server, phase, step, outcome, text } = action
        const place = { server, phase, step }
        const said = this.words(plan.id, place)
        const output = said?.output ?? ''
        const isSaid = outcome === 'done' || said === null || text.startsWith('nobody approved')
        const whole = isSaid ? text : `${text}; last: ${said.text}`
        // One that was given up is held to have changed something.
        const end = { kind: 'end', ...place, outcome, text: whole, output, touched: true } as const
        return [await this.#note(plan, end)]
      }
      case 'carry-out':
        return await this.#carryOut(plan, action)
      case 'settle': {
        const { server, outcome, text } = action
        if (outcome === 'held') await this.#options.world.hold(plan, server, text)
        return [await this.#note(plan, { kind: 'settled', server, outcome, text })]
      }
      case 'end': {
        const { condition, text } = action
        return [await this.#note(plan, { kind: 'ended', condition, text })]
      }
      default:
        return unreachable(action)
    }
  }

  async #batch(plan: RunPlan, batch: number): Promise<RunEventBody> {
    const problem = await this.#options.world.preconditions(plan, plan.batches[batch] ?? [])
    if (problem === null) return { kind: 'batch', batch }
    const text = batch === 0 ? `${problem}; nothing was done` : `before batch ${batch + 1}: ${problem}`
    return { kind: 'ended', condition: batch === 0 ? 'refused' : 'stopped', text }
  }

  /** `when` is asked once, before anything of the step is done: what the step itself changes does not undo it. */
  async #begin(plan: RunPlan, { server, phase, step }: StepPlace): Promise<RunEventBody> {
    const place = { server, phase, step }
    const when = stepsOf(plan, phase)[step]?.when
    if (when === undefined) return { kind: 'begin', ...place }
    const wanted = await this.#options.world.isWanted(plan, server, when)
    if (wanted === true) return { kind: 'begin', ...place }
    const end = { kind: 'end', ...place, output: '', touched: false } as const
    const asked = fillIn(when, { id: server, region: plan.regions[server] ?? '' })
    return wanted === false
      ? { ...end, outcome: 'skipped', text: `not needed: ${asked} does not hold` }
      : { ...end, outcome: 'failed', text: `whether it is needed cannot be told: ${wanted}` }
  }

  async #carryOut(plan: RunPlan, action: Extract<Action, { kind: 'carry-out' }>): Promise<RunEvent[]> {
    const { server, phase, step, beganAt } = action
    const place = { server, phase, step }
    const result = await this.#options.world.carryOut(plan, place, action.action, beganAt)
    const { text, output = '' } = result
    if (result.kind === 'pending') {
      this.#words.set(wordKey(plan.id, place), { text, output })
      return []
    }
    const { kind: outcome, touched = true } = result
    return [await this.#note(plan, { kind: 'end', ...place, outcome, text, output, touched })]
  }

  async #note(plan: RunPlan, body: RunEventBody): Promise<RunEvent> {
    const event = { ...body, at: this.#options.nowMs() }
    await this.#options.journal.append(plan.id, event)
    this.#options.log.info('run', { run: plan.id, runbook: plan.runbook.name, event })
    return event
  }
}

function wordKey(run: string, { server, phase, step }: StepPlace): string {
  return `${run} ${server} ${phase} ${step}`
}

export function startRunKeeper(keeper: RunKeeper, log: Log): Closable {
  return every(
    TURN_MS,
    () => keeper.turn(),
    error => log.error('runs-broken', { error }),
  )
}
