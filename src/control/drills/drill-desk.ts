// Owns which drill goes on: one at a time, only on marked servers, and what of a control room that ended is tidied up.
import { messageOf } from '#base'
import type { DrillRequest, DrillsAnswer, DrillView } from '#wire'
import type { ControlContext } from '../context.ts'
import { controlFaults } from '../faults.ts'
import type { ServerRecord } from '../fleet/fleet.ts'
import { audit } from '../state/database.ts'
import { newId } from '../state/secrets.ts'
import { Conductor } from './conductor.ts'
import { planDrill } from './drill-plan.ts'
import { releaseServers, stopRuns } from './tidy-up.ts'

const VIEWERS = 30
/** What follows from a drill for so long after its end is its own. */
const ECHO_MS = 60_000

export class DrillDesk {
  #conductor: Conductor | null = null
  #running: Promise<void> = Promise.resolve()
  #last: { readonly view: DrillView; readonly endedMs: number } | null = null
  readonly #monotonicMs: () => number

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs
  }

  /** The drill that an alert belongs to; `server` null: it is about none. */
  drillOf = (server: string | null): { readonly id: string; readonly rings: boolean } | null => {
    const echo =
      this.#last !== null && this.#monotonicMs() - this.#last.endedMs < ECHO_MS ? this.#last.view : null
    const view = this.#conductor?.view ?? echo
    if (view === null) return null
    const hurt = view.targets.filter(({ injectedAt }) => injectedAt !== null)
    if (hurt.length === 0) return null
    return server === null || hurt.some(target => target.server === server)
      ? { id: view.id, rings: view.ring }
      : null
  }

  async begin(context: ControlContext, request: DrillRequest, by: string): Promise<DrillView> {
    const problem = this.#problem(context)
    if (problem !== null) throw controlFaults.fault('control-drill-refused', problem)
    const plan = planDrill(request.drill, targetsOf(context))
    if (typeof plan === 'string') throw controlFaults.fault('control-drill-refused', plan)
    const { state, fleetTime } = context
    const view: DrillView = {
      id: newId(),
      kind: request.drill,
      state: 'running',
      by,
      startedAt: fleetTime.nowMs(),
      endedAt: null,
      text: 'begins',
      ring: request.ring ?? false,
      targets: plan.targets.map(({ server, fault, runbook }) => ({ server, fault, runbook, ...untouched })),
      log: [],
      incidents: [],
      runs: [],
      shortened: [],
      score: null,
    }
    const { viewers = VIEWERS, attended = false } = request
    const conductor = new Conductor(view, { context, plan, viewers, attended })
    this.#conductor = conductor
    const subject = view.id
    await audit(state.db, { at: view.startedAt, by, action: 'drill-begin', subject, facts: { ...request } })
    await state.drills.save(view)
    this.#running = conductor
      .run()
      .catch((error: unknown) => context.log.error('drill-broken', { problem: messageOf(error) }))
      .finally(() => {
        this.#last = { view: conductor.view, endedMs: this.#monotonicMs() }
        this.#conductor = null
      })
    return view
  }

  /** Null: no drill has this id. */
  async get({ state }: ControlContext, id: string): Promise<DrillView | null> {
    return this.#conductor?.view.id === id ? this.#conductor.view : await state.drills.get(id)
  }

  async answer(context: ControlContext): Promise<DrillsAnswer> {
    const running = this.#conductor?.view
    const drills = await context.state.drills.list()
    return {
      now: context.fleetTime.nowMs(),
      drills: drills.map(drill => (drill.id === running?.id ? running : drill)),
      targets: targetsOf(context),
      problem: this.#problem(context),
    }
  }

  follow(id: string): void {
    if (this.#conductor?.view.id === id) this.#conductor.follow()
  }

  /** False: it does not go on. */
  stop(id: string, why: string): boolean {
    if (this.#conductor?.view.id !== id) return false
    this.#conductor.stop(why)
    return true
  }

  /** The supervisor has undone the faults when the control room ended; what it ordered is undone here. */
  async recover(context: ControlContext): Promise<void> {
    for (const drill of await context.state.drills.open()) {
      const runs = drill.targets.flatMap(({ run }) => run ?? [])
      const by = `drill ${drill.id}`
      const problem = await stopRuns(context, runs, by)
        .then(() => releaseServers(context, runs, by))
        .then(
          () => '',
          (error: unknown) => `; ${messageOf(error)}`,
        )
      const text = `the control room ended while it went on; all was undone${problem}`
      const now = context.fleetTime.nowMs()
      const log = [...drill.log, { at: now, text }]
      await context.state.drills.save({ ...drill, state: 'broken-off', endedAt: now, text, log })
    }
  }

  async close(): Promise<void> {
    this.#conductor?.stop('the control room is being stopped')
    await Promise.race([
      this.#running,
      new Promise(resolve => {
        setTimeout(resolve, CLOSE_MS_MAX).unref()
      }),
    ])
  }

  #problem({ options }: ControlContext): string | null {
    if (options.supervisor === null) return 'drills run on a local fleet (vitrine start)'
    if (this.#conductor !== null) return `drill ${this.#conductor.view.id} goes on: one at a time`
    return null
  }
}

const CLOSE_MS_MAX = 2000

const untouched = {
  injectedAt: null,
  detectedAt: null,
  detectedBy: null,
  viewers: 0,
  movedAt: null,
  mendedAt: null,
  returnedAt: null,
  run: null,
}

/** Edges of the local fleet, and none that its tag takes out. */
function targetsOf({ fleet, options }: ControlContext): string[] {
  const local = options.supervisor?.pids() ?? {}
  const isTarget = ({ id, tags }: ServerRecord): boolean => tags.drillTarget !== false && id in local
  return fleet
    .edges()
    .filter(isTarget)
    .map(({ id }) => id)
}
