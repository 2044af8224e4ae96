// Owns runs that begin without a person: only runbooks that allow it and that the configuration names, once for each
// incident, when the cause is sure enough.
import { messageOf } from '#base'
import type { ControlContext } from '../context.ts'
import { beginRun } from './begin-run.ts'
import { dryRunOf } from './dry-run.ts'
import { offersFor } from './offers.ts'

const CONFIDENCE_MIN = 0.7
/** It may pass by itself. */
const AGE_MS_MIN = 10_000
const BY = 'vitrine'

export class AutoRunner {
  readonly #context: ControlContext
  /** By incident and runbook: why it did not begin, so that it is said once. */
  readonly #told = new Map<string, string>()

  constructor(context: ControlContext) {
    this.#context = context
  }

  async turn(): Promise<void> {
    const { options, runs, incidents, fleet, fleetTime, state } = this.#context
    const allowed = options.runbooksByThemselves ?? []
    const runbooks = runs.files
      .all()
      .filter(({ name, mayRunByItself }) => mayRunByItself && allowed.includes(name))
    if (runbooks.length === 0) return
    for (const incident of incidents.keeper.open()) {
      const { id, openedAt, resolvedAt, cause, acknowledgedBy } = incident
      // Whoever has it decides himself.
      if (resolvedAt !== null || acknowledgedBy !== null) continue
      if (fleetTime.nowMs() - openedAt < AGE_MS_MIN || cause.confidence < CONFIDENCE_MIN) continue
      const roleOf = (server: string): string | null => fleet.get(server)?.role ?? null
      for (const { runbook: name, servers, why } of offersFor(runbooks, { incident, alerts: [], roleOf })) {
        const before = await state.runs.list(id)
        if (before.some(({ plan }) => plan.runbook.name === name)) continue
        const runbook = runs.files.get(name)
        if (runbook === null) continue
        const request = { runbook: name, servers, reason: `by itself: ${why}`.slice(0, 512), incident: id }
        try {
          const { ready, problems } = await dryRunOf({ ...this.#context, ...runs }, runbook, request)
          if (ready) await beginRun(this.#context, runbook, request, BY)
          else this.#tell(`${id} ${name}`, problems.join('; '))
        } catch (error) {
          this.#tell(`${id} ${name}`, messageOf(error))
        }
      }
    }
    if (this.#told.size > 1000) this.#told.clear()
  }

  #tell(key: string, problem: string): void {
    if (this.#told.get(key) === problem) return
    this.#told.set(key, problem)
    this.#context.log.warn('run-not-begun', { key, problem })
  }
}
