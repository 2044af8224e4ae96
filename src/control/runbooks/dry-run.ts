// Owns what a run would do, where and to whom, and what stands in its way. It changes nothing.
import { type DryRun, drawNearFirst, mayAct, type RunRequest, type UserRole } from '#wire'
import type { BandKeeper } from '../bands/band-keeper.ts'
import type { ControlContext } from '../context.ts'
import { controlFaults } from '../faults.ts'
import { capacityWithout } from './capacity.ts'
import type { FleetWorld } from './fleet-world.ts'
import { planBatches } from './plan-run.ts'
import type { RunPlan } from './run-events.ts'
import { runbookView } from './run-view.ts'
import { fillIn, type Runbook, stepTitle } from './runbook.ts'
import type { StepBook } from './step-book.ts'
import { stepProblem } from './step-problem.ts'
import { verifyWarning } from './verify-warning.ts'

type Parts = Pick<ControlContext, 'fleet' | 'steering' | 'demand' | 'fleetTime'> & {
  readonly steps: StepBook
  readonly world: FleetWorld
  readonly bands: BandKeeper
}

/** A fault where a server is unknown or of another kind. */
export function planOf(
  { fleet, fleetTime }: Pick<Parts, 'fleet' | 'fleetTime'>,
  runbook: Runbook,
  request: RunRequest,
  by: string,
): Omit<RunPlan, 'id'> {
  const ids = [...new Set(request.servers)]
  const targets = ids.map(id => {
    const record = fleet.get(id)
    if (record === null) throw controlFaults.fault('control-server-unknown', `no server ${id} is enrolled`)
    if (runbook.roles.length > 0 && !runbook.roles.includes(record.role)) {
      const message = `${runbook.name} is for ${runbook.roles.join(', ')}; ${id} is ${record.role}`
      throw controlFaults.fault('control-run-refused', message)
    }
    return { id, region: record.region }
  })
  return {
    runbook,
    batches: planBatches(targets, runbook.strategy),
    regions: Object.fromEntries(targets.map(({ id, region }) => [id, region])),
    by,
    startedAt: fleetTime.nowMs(),
    reason: request.reason,
    incident: request.incident ?? null,
  }
}

/** Whether somebody of this role may start it; throws if not. */
export function checkStarter(runbook: Runbook, role: UserRole): void {
  if (mayAct(role, runbook.role)) return
  throw controlFaults.fault('control-role-too-low', `${runbook.name} is started by ${runbook.role}`)
}

export async function dryRunOf(parts: Parts, runbook: Runbook, request: RunRequest): Promise<DryRun> {
  const { fleetTime, world } = parts
  const plan: RunPlan = { id: 'dry-run', ...planOf(parts, runbook, request, '') }
  const failing = await world.preconditions(plan, plan.batches.flat())
  const problems = failing === null ? [] : [failing]
  const warnings: string[] = []
  const batches: DryRun['batches'] = []
  for (const [place, ids] of plan.batches.entries()) {
    const servers: DryRun['batches'][number]['servers'] = []
    for (const id of ids) {
      const shown = await serverOf(parts, plan, { id, ids })
      for (const [at, { problem }] of shown.steps.entries()) {
        // What may not be needed at all does not stand in the way of the rest.
        const isCertain = runbook.steps[at]?.when === undefined
        if (problem !== null) (isCertain ? problems : warnings).push(`${id}: ${problem}`)
      }
      if (shown.capacity.includes('is not known')) warnings.push(`${id}: ${shown.capacity}`)
      warnings.push(...(await verifyWarnings(parts, runbook, id)))
      servers.push(shown)
    }
    const isCanary = place === 0 && plan.batches.length > 1 && runbook.strategy.canary
    batches.push({ name: isCanary ? 'canary' : `batch ${place + 1}`, servers })
  }
  return {
    now: fleetTime.nowMs(),
    runbook: runbookView(runbook),
    ready: problems.length === 0,
    problems: [...new Set(problems)],
    warnings: [...new Set(warnings)],
    batches,
    onFailure: runbook.onFailure.map(step => fillIn(stepTitle(step), whichFails(plan))),
  }
}

async function verifyWarnings({ fleet, bands }: Parts, runbook: Runbook, id: string): Promise<string[]> {
  const record = fleet.get(id)
  const told: string[] = []
  for (const step of runbook.steps) {
    if (step.kind !== 'verify' || record === null) continue
    const warning = verifyWarning(step, await bands.check(record, step.signals))
    if (warning !== null) told.push(`${id}: ${warning}`)
  }
  return told
}

/** Of several nobody knows beforehand which one it will be. */
function whichFails({ regions }: RunPlan): { id: string; region: string } {
  const [[id, region] = ['', ''], ...others] = Object.entries(regions)
  return others.length === 0 ? { id, region } : { id: 'the server', region: 'its region' }
}

async function serverOf(
  parts: Parts,
  plan: RunPlan,
  { id, ids }: { readonly id: string; readonly ids: readonly string[] },
): Promise<DryRun['batches'][number]['servers'][number]> {
  const { fleet, steps } = parts
  const record = fleet.get(id)
  const drains = plan.runbook.steps.some(({ kind }) => kind === 'drain')
  const capacity = await capacityWithout(parts, id, ids, plan.runbook.limits)
  const region = record?.region ?? ''
  return {
    id,
    region,
    state: record?.standing.state ?? 'unknown',
    viewers: fleet.sessions.of(id).watching,
    next: drains ? nextEdges(parts, { id, ids, region }) : [],
    capacity: drains ? capacity.text : 'nothing is drained',
    steps: plan.runbook.steps.map(step => ({
      kind: step.kind,
      text: fillIn(stepTitle(step), { id, region }),
      where: step.kind === 'run' ? `agent of ${step.on ?? id}` : 'control room',
      problem:
        step.kind === 'run'
          ? stepProblem(steps, step, { id, region })
          : step.kind === 'drain'
            ? (keptProblem(parts, id) ?? capacity.problem)
            : null,
    })),
  }
}

function keptProblem({ fleet }: Parts, id: string): string | null {
  const order = fleet.get(id)?.override ?? null
  return order?.kind === 'keep' ? `kept in service by order of ${order.by}: ${order.reason}` : null
}

/** Where viewers of this region would be sent without it. */
function nextEdges(
  { fleet, steering }: Parts,
  { id, ids, region }: { readonly id: string; readonly ids: readonly string[]; readonly region: string },
): { edge: string; share: number }[] {
  const open = fleet
    .edges()
    .filter(edge => edge.id !== id && !ids.includes(edge.id) && steering.weightOf(edge.id) > 0)
    .map(edge => ({
      id: edge.id,
      region: edge.region,
      weight: steering.weightOf(edge.id),
      share: edge.sharePercent / 100,
    }))
  const parts = drawNearFirst(open, edge => edge.region === region)
  return open
    .map((edge, place) => ({ edge: edge.id, share: parts[place] ?? 0 }))
    .filter(({ share }) => share > 0)
    .toSorted((a, b) => b.share - a.share)
}
