// Owns how a drill begins a runbook, as an operator would: only when it is offered, once for all servers with the same
// fault, so that the first of them is the canary of the others.
import { Fault } from '#base'
import type { DrillRun, DrillTarget, IncidentView } from '#wire'
import type { ControlContext } from '../context.ts'
import { beginRun } from '../runbooks/begin-run.ts'
import { canaryOf } from '../runbooks/plan-run.ts'
import { shorten } from './drill-plan.ts'
import { offered } from './offered.ts'

/** How sure the control room is before anybody does anything. */
export const SURE = 0.7
const WHY_MAX = 512

export interface BegunRun {
  readonly run: DrillRun
  readonly why: string
  /** What of the runbook is otherwise than on a real night. */
  readonly changes: readonly string[]
}

/** Servers that one run takes together with this one, in the order of the plan; empty: one of them is not found yet. */
export function togetherWith(targets: readonly DrillTarget[], server: string): string[] {
  const own = targets.find(target => target.server === server)
  if (own === undefined) return []
  const same = targets.filter(
    ({ fault, runbook, run }) => fault === own.fault && runbook === own.runbook && run === null,
  )
  return same.every(({ detectedAt }) => detectedAt !== null) ? same.map(target => target.server) : []
}

/** Null: nothing is offered for all of them yet, or the cause is not sure enough. */
export async function beginOffered(
  context: ControlContext,
  {
    servers,
    name,
    mine,
    by,
  }: {
    readonly servers: readonly string[]
    readonly name: string
    readonly mine: readonly IncidentView[]
    readonly by: string
  },
): Promise<BegunRun | null> {
  const runbook = context.runs.files.get(name)
  if (runbook === null) throw new Error(`no runbook is called ${name}`)
  const incident = mine.find(one => servers.every(id => one.servers.includes(id)))
  if (servers.length === 0 || incident === undefined || incident.cause.confidence < SURE) return null
  const [offer] = await offered(context, [runbook], incident)
  if (offer === undefined || !servers.every(id => offer.servers.includes(id))) return null
  const { runbook: short, changes } = shorten(runbook)
  const reason = `drill: ${offer.why}`.slice(0, WHY_MAX)
  const request = { runbook: name, servers: [...servers], reason, incident: incident.id }
  const id = await beginRun(context, short, request, by).catch((error: unknown) => {
    // It began by itself, as it may where the configuration says so.
    const other = error instanceof Fault && error.code === 'control-run-busy' ? error.facts['run'] : null
    if (typeof other === 'string') return other
    throw error
  })
  const stored = await context.state.runs.get(id)
  if (stored === null) return null
  const run = { id, runbook: name, servers: stored.plan.batches.flat(), canary: canaryOf(stored.plan) }
  return { run, why: offer.why, changes }
}

/** In one sentence; of a run of one server nothing is said of a canary. */
export function begunWords({ run, why }: BegunRun): string {
  const { id, runbook, servers, canary } = run
  const first = canary === null ? '' : `; ${canary} is the canary`
  return `${servers.join(', ')}: ${runbook} is offered (${why.slice(0, 120)}) and begun: run ${id}${first}`
}
