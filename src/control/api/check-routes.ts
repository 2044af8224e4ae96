// Owns the routes of admission checks: begin a run, and see this one and those before it.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type ChecksAnswer, checksAnswer } from '#wire'
import type { ControlContext } from '../context.ts'
import { controlFaults } from '../faults.ts'
import { nameOf } from './guard.ts'
import { addRoute } from './route.ts'

export function addCheckRoutes(app: FastifyInstance, context: ControlContext): void {
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/servers/:id/checks',
    access: 'viewer',
    summary: 'Admission checks of an edge, newest first; the newest may go on',
    answer: checksAnswer,
    handle: request => checksView(context, serverOf(request, context)),
  })
  addRoute(app, {
    method: 'POST',
    url: '/api/v1/servers/:id/checks',
    access: 'operator',
    summary: 'Check an edge: clock, ports, DNS, certificate, disk, origin, cache, and whether it plays',
    answer: checksAnswer,
    handle: async request => {
      const server = serverOf(request, context)
      await context.state.checks.ask(server, nameOf(request))
      await context.admission.turn()
      return await checksView(context, server)
    },
  })
}

async function checksView(
  { state, admission, fleetTime }: ControlContext,
  server: string,
): Promise<ChecksAnswer> {
  const runs = await state.checks.list(server)
  const live = admission.live(server)
  return { now: fleetTime.nowMs(), runs: runs.map(run => (run.id === live?.id ? live : run)) }
}

function serverOf(request: FastifyRequest, { fleet }: ControlContext): string {
  const { id } = request.params as { readonly id: string }
  if (fleet.get(id) !== null) return id
  throw controlFaults.fault(
    'control-server-unknown',
    `no server has the id ${JSON.stringify(id.slice(0, 64))}`,
  )
}
