// Owns the routes of runbooks and runs: what there is, what would happen, beginning, approving, stopping; and whether
// servers are within their normal ranges.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import {
  bandAnswer,
  dryRun,
  mayAct,
  type NormalAnswer,
  normalAnswer,
  type RunAnswer,
  type RunbooksAnswer,
  runAnswer,
  runbooksAnswer,
  runRequest,
  runsAnswer,
} from '#wire'
import { graphBand } from '../bands/graph-band.ts'
import type { ControlContext } from '../context.ts'
import { controlFaults } from '../faults.ts'
import { beginRun } from '../runbooks/begin-run.ts'
import { checkStarter, dryRunOf } from '../runbooks/dry-run.ts'
import { nextActions } from '../runbooks/next-actions.ts'
import { offersFor } from '../runbooks/offers.ts'
import { foldRun, type RunEventBody } from '../runbooks/run-events.ts'
import type { StoredRun } from '../runbooks/run-keeper.ts'
import { runbookView, runView } from '../runbooks/run-view.ts'
import type { Approval, Runbook } from '../runbooks/runbook.ts'
import { nameOf } from './guard.ts'
import { addRoute, check } from './route.ts'

const SERVERS_MAX = 200
const incidentQuery = z.object({ incident: z.string().max(64).optional() })
const serverQuery = z.object({ server: z.string().max(64).optional() })

export function addRunRoutes(app: FastifyInstance, context: ControlContext): void {
  addReading(app, context)
  addBeginning(app, context)
  addActing(app, context)
  addNormal(app, context)
  addBand(app, context)
}

function addReading(app: FastifyInstance, context: ControlContext): void {
  const { state, fleetTime } = context
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/runbooks',
    access: 'viewer',
    summary: 'All runbooks; with ?incident= which of them fit it, for which of its servers',
    query: incidentQuery,
    answer: runbooksAnswer,
    handle: request => runbooks(context, check(incidentQuery, request.query, 'query').incident ?? null),
  })
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/runs',
    access: 'viewer',
    summary: 'Runs of runbooks, newest first; with ?incident= those of one incident',
    query: incidentQuery,
    answer: runsAnswer,
    handle: async request => {
      const { incident = null } = check(incidentQuery, request.query, 'query')
      const runs = await state.runs.list(incident)
      return { now: fleetTime.nowMs(), runs: runs.map(run => view(context, run)) }
    },
  })
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/runs/:id',
    access: 'viewer',
    summary: 'One run, step by step',
    answer: runAnswer,
    handle: request => answer(context, idOf(request)),
  })
}

function addBeginning(app: FastifyInstance, context: ControlContext): void {
  addRoute(app, {
    method: 'POST',
    url: '/api/v1/runs/dry-run',
    access: 'operator',
    summary: 'What a run would do, where and to whom, and what stands in its way; changes nothing',
    body: runRequest,
    answer: dryRun,
    handle: (_request, _reply, body) =>
      dryRunOf({ ...context, ...context.runs }, runbookOf(context, body.runbook), body),
  })
  addRoute(app, {
    method: 'POST',
    url: '/api/v1/runs',
    access: 'operator',
    summary:
      'Begins a run; 409 when one is at work on any of these servers, or a step could not be carried out',
    body: runRequest,
    answer: runAnswer,
    handle: async (request, _reply, body) => {
      const runbook = runbookOf(context, body.runbook)
      checkStarter(runbook, roleOf(request))
      return await answer(context, await beginRun(context, runbook, body, nameOf(request)))
    },
  })
}

function addActing(app: FastifyInstance, context: ControlContext): void {
  const { state } = context
  addRoute(app, {
    method: 'POST',
    url: '/api/v1/runs/:id/approve',
    access: 'operator',
    summary: 'Approves what the run waits for; 409 when it waits for nothing, or not any more',
    answer: runAnswer,
    handle: async request => {
      const run = await openRun(context, idOf(request))
      await state.runs.append(run.plan.id, {
        ...approvalEvent(context, run, request),
        at: context.fleetTime.nowMs(),
      })
      return await answer(context, run.plan.id)
    },
  })
  addRoute(app, {
    method: 'POST',
    url: '/api/v1/runs/:id/stop',
    access: 'operator',
    summary: 'Nothing more is begun; servers that were touched stay drained',
    answer: runAnswer,
    handle: async request => {
      const { plan } = await openRun(context, idOf(request))
      await state.runs.append(plan.id, { kind: 'stop', by: nameOf(request), at: context.fleetTime.nowMs() })
      return await answer(context, plan.id)
    },
  })
}

/** What it waits for, in the name of the caller. */
function approvalEvent(
  context: ControlContext,
  { plan, events }: StoredRun,
  request: FastifyRequest,
): RunEventBody {
  const by = nameOf(request)
  for (const action of nextActions(foldRun(plan, events), context.fleetTime.nowMs())) {
    if (action.kind === 'wait-approval' && plan.runbook.approval !== null) {
      checkApprover(plan.by, plan.runbook.approval, request)
      return { kind: 'approved', by }
    }
    if (action.kind === 'carry-out' && action.action.kind === 'approve') {
      checkApprover(plan.by, action.action, request)
      const { server, phase, step } = action
      return { kind: 'approved', by, server, phase, step }
    }
  }
  throw controlFaults.fault('control-run-refused', `run ${plan.id} waits for no approval, or not any more`)
}

function checkApprover(startedBy: string, { role, secondPerson }: Approval, request: FastifyRequest): void {
  if (!mayAct(roleOf(request), role))
    throw controlFaults.fault(
      'control-role-too-low',
      `not approved: this takes ${role}, and you are ${roleOf(request)}`,
    )
  if (secondPerson && nameOf(request) === startedBy)
    throw controlFaults.fault(
      'control-run-refused',
      `not approved: ${startedBy} started it, and somebody else has to approve`,
    )
}

function addNormal(app: FastifyInstance, { fleet, fleetTime, runs }: ControlContext): void {
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/normal',
    access: 'viewer',
    summary: 'Whether servers are within their normal ranges, signal by signal, and compared with what',
    query: serverQuery,
    answer: normalAnswer,
    handle: async (request): Promise<NormalAnswer> => {
      const { server } = check(serverQuery, request.query, 'query')
      const records = fleet
        .all()
        .filter(({ id, role }) =>
          server === undefined ? role === 'edge' || role === 'origin' : id === server,
        )
        .slice(0, SERVERS_MAX)
      if (server !== undefined && records.length === 0)
        throw controlFaults.fault('control-server-unknown', `no server ${JSON.stringify(server)} is enrolled`)
      const servers: NormalAnswer['servers'] = []
      for (const record of records) servers.push(await runs.normal.look(record))
      return { now: fleetTime.nowMs(), servers }
    },
  })
}

const bandQuery = z.object({
  expr: z.string().min(1).max(8192),
  /** JSON: labels that tell the line from others of the answer. */
  labels: z
    .string()
    .max(4096)
    .default('{}')
    .transform((text, refine) => {
      try {
        return z.record(z.string(), z.string()).parse(JSON.parse(text))
      } catch {
        refine.addIssue({ code: 'custom', message: 'expected a JSON object of labels' })
        return z.NEVER
      }
    }),
  from: z.coerce.number().int(),
  to: z.coerce.number().int(),
})

function addBand(app: FastifyInstance, { fleet, fleetTime, store, log }: ControlContext): void {
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/normal/band',
    access: 'viewer',
    summary: 'What is normal for one line of any graph, over its window, and of whom it is made',
    query: bandQuery,
    answer: bandAnswer,
    handle: async request => {
      const { expr, labels, from, to } = check(bandQuery, request.query, 'query')
      const now = fleetTime.nowMs()
      const span = { fromMs: Math.min(from, to), toMs: Math.max(from, to) }
      return { now, ...(await graphBand({ store, fleet, log }, { expr, labels, ...span })) }
    },
  })
}

async function runbooks(context: ControlContext, id: string | null): Promise<RunbooksAnswer> {
  const { runs, fleet, fleetTime, incidents, state } = context
  const all = runs.files.all()
  const found = id === null ? null : await state.incidents.get(id)
  if (id !== null && found === null)
    throw controlFaults.fault('control-incident-unknown', `no incident has the id ${JSON.stringify(id)}`)
  const incident = found === null ? null : (incidents.keeper.get(found.incident.id) ?? found.incident)
  const alerts = (found?.alerts ?? []).map(({ labels }) => labels)
  const roleOfServer = (server: string): string | null => fleet.get(server)?.role ?? null
  return {
    now: fleetTime.nowMs(),
    runbooks: all.map(runbookView),
    problem: runs.files.problem(),
    offers: incident === null ? [] : offersFor(all, { incident, alerts, roleOf: roleOfServer }),
  }
}

function view({ runs, fleetTime }: ControlContext, run: StoredRun): RunAnswer['run'] {
  return runView(run, (id, place) => runs.keeper.words(id, place), fleetTime.nowMs())
}

async function answer(context: ControlContext, id: string): Promise<RunAnswer> {
  const run = await context.state.runs.get(id)
  if (run === null) throw unknown(id)
  return { now: context.fleetTime.nowMs(), run: view(context, run) }
}

async function openRun({ state }: ControlContext, id: string): Promise<StoredRun> {
  const run = await state.runs.get(id)
  if (run === null) throw unknown(id)
  const ended = foldRun(run.plan, run.events).ended
  if (ended === null) return run
  throw controlFaults.fault('control-run-refused', `run ${id} has ended: ${ended.condition}, ${ended.text}`)
}

function runbookOf({ runs }: ControlContext, name: string): Runbook {
  const runbook = runs.files.get(name)
  if (runbook !== null) return runbook
  throw controlFaults.fault('control-runbook-unknown', `no runbook is called ${JSON.stringify(name)}`)
}

function unknown(id: string): Error {
  return controlFaults.fault('control-run-unknown', `no run has the id ${JSON.stringify(id.slice(0, 64))}`)
}

function idOf({ params }: FastifyRequest): string {
  return (params as { readonly id: string }).id
}

function roleOf({ principal }: FastifyRequest): 'viewer' | 'operator' | 'admin' {
  return principal.kind === 'person' ? principal.role : 'viewer'
}
