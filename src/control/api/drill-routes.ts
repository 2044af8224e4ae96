// Owns the routes of drills: what was rehearsed and how it went, beginning, following, stopping.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type DrillView, drillAnswer, drillRequest, drillsAnswer } from '#wire'
import type { ControlContext } from '../context.ts'
import { controlFaults } from '../faults.ts'
import { nameOf } from './guard.ts'
import { addRoute } from './route.ts'

export function addDrillRoutes(app: FastifyInstance, context: ControlContext): void {
  const { drills } = context
  const answer = async (id: string): Promise<{ now: number; drill: DrillView }> => {
    const drill = await drills.get(context, id)
    if (drill === null)
      throw controlFaults.fault(
        'control-drill-unknown',
        `no drill has the id ${JSON.stringify(id.slice(0, 64))}`,
      )
    return { now: context.fleetTime.nowMs(), drill }
  }
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/drills',
    access: 'viewer',
    summary: 'Drills, newest first, and which servers may be hurt',
    answer: drillsAnswer,
    handle: () => drills.answer(context),
  })
  addRoute(app, {
    method: 'POST',
    url: '/api/v1/drills',
    access: 'admin',
    summary:
      'Begins a drill on the marked servers of a local fleet; 409 when one goes on or none can be hurt',
    body: drillRequest,
    answer: drillAnswer,
    handle: async (request, _reply, body) => {
      const drill = await drills.begin(context, body, nameOf(request))
      return { now: context.fleetTime.nowMs(), drill }
    },
  })
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/drills/:id',
    access: 'viewer',
    summary: 'One drill, as it stands or as it ended, with its score',
    answer: drillAnswer,
    handle: request => answer(idOf(request)),
  })
  addRoute(app, {
    method: 'POST',
    url: '/api/v1/drills/:id/follow',
    access: 'admin',
    summary: 'The same; and a drill that is attended goes on for another 15 s',
    answer: drillAnswer,
    handle: request => {
      drills.follow(idOf(request))
      return answer(idOf(request))
    },
  })
  addRoute(app, {
    method: 'POST',
    url: '/api/v1/drills/:id/stop',
    access: 'admin',
    summary: 'Ends a drill; everything is undone',
    answer: drillAnswer,
    handle: request => {
      drills.stop(idOf(request), `stopped by ${nameOf(request)}`)
      return answer(idOf(request))
    },
  })
}

function idOf({ params }: FastifyRequest): string {
  return (params as { readonly id: string }).id
}
