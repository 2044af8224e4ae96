// Owns the beginning of a run: what stands in its way is refused before anything is written.
import type { RunRequest } from '#wire'
import type { ControlContext } from '../context.ts'
import { controlFaults } from '../faults.ts'
import { newId } from '../state/secrets.ts'
import { planOf } from './dry-run.ts'
import type { RunPlan } from './run-events.ts'
import type { Runbook } from './runbook.ts'
import { stepProblem } from './step-problem.ts'

/** Gives its id. Faults: a server is unknown or another run's, a step is not on its agent's list. */
export async function beginRun(
  context: ControlContext,
  runbook: Runbook,
  request: RunRequest,
  by: string,
): Promise<string> {
  const { runs, state, fleet } = context
  const plan: RunPlan = { id: newId(), ...planOf(context, runbook, request, by) }
  for (const id of plan.batches.flat()) {
    const server = { id, region: fleet.get(id)?.region ?? '' }
    for (const step of [...runbook.steps, ...runbook.onFailure]) {
      // What may turn out not to be needed does not stand in the way; the dry run warns of it.
      const isCertain = step.kind === 'run' && step.when === undefined
      const problem = isCertain ? stepProblem(runs.steps, step, server) : null
      if (problem !== null) throw controlFaults.fault('control-run-refused', `${id}: ${problem}`)
    }
  }
  await state.runs.begin(plan)
  return plan.id
}
