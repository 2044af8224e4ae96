// Owns the routes of the Try it strip.
import type { FastifyInstance } from 'fastify'
import { tryAnswer, tryRequest } from '#wire'
import type { ControlContext } from '../context.ts'
import { controlFaults } from '../faults.ts'
import { audit } from '../state/database.ts'
import { fromThisMachine, nameOf } from './guard.ts'
import { addRoute } from './route.ts'

export function addTryRoutes(app: FastifyInstance, context: ControlContext): void {
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/try',
    access: 'viewer',
    summary: 'What the Try it strip has done, with its stopwatches',
    answer: tryAnswer,
    handle: () => context.tryIt.answer(),
  })
  addRoute(app, {
    method: 'POST',
    url: '/api/v1/try',
    access: 'operator',
    summary: 'Start or end a fault, or set the number of simulated viewers; on a local fleet, from loopback',
    body: tryRequest,
    answer: tryAnswer,
    handle: async (request, _reply, body) => {
      if (!fromThisMachine(request, context) || !context.tryIt.available()) {
        const message = 'faults can be tried only on a local fleet (vitrine start), from the same machine'
        throw controlFaults.fault('control-try-unavailable', message)
      }
      await context.tryIt.act(body)
      const { db, nowMs } = context.state
      const subject = 'server' in body ? body.server : String(body.count)
      await audit(db, { at: nowMs(), by: nameOf(request), action: `try-${body.action}`, subject })
      return context.tryIt.answer()
    },
  })
}
