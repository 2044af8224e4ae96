// Owns the routes for admins (tokens, users) and the Try it strip.
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { tryAnswer, tryRequest, userRoles } from '#wire'
import type { ControlContext } from '../context.ts'
import { controlFaults } from '../faults.ts'
import { audit } from '../state/database.ts'
import { fromThisMachine, nameOf } from './guard.ts'
import { addRoute } from './route.ts'

const tokenView = z.object({
  id: z.string(),
  name: z.string(),
  role: z.enum(userRoles),
  createdAt: z.number(),
  revokedAt: z.number().nullable(),
})
const userView = z.object({ name: z.string(), role: z.enum(userRoles), createdAt: z.number() })

export function addAdminRoutes(app: FastifyInstance, context: ControlContext): void {
  const { state } = context
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/tokens',
    access: 'admin',
    summary: 'API tokens, without their secrets, also the revoked ones',
    answer: z.object({ tokens: z.array(tokenView) }),
    handle: async () => ({ tokens: await state.tokens.list() }),
  })
  addRoute(app, {
    method: 'POST',
    url: '/api/v1/tokens',
    access: 'admin',
    summary: 'Make an API token; the answer is the only place where it is shown',
    body: z.strictObject({ name: z.string().max(64), role: z.enum(userRoles) }),
    answer: tokenView.extend({ token: z.string() }),
    handle: async (request, _reply, body) => {
      const made = await state.tokens.create(body.role, body.name, nameOf(request))
      await context.refreshAccess()
      return made
    },
  })
  addRoute(app, {
    method: 'DELETE',
    url: '/api/v1/tokens/:id',
    access: 'admin',
    summary: 'Revoke an API token',
    answer: z.object({}),
    handle: async request => {
      await state.tokens.revoke((request.params as { id: string }).id, nameOf(request))
      await context.refreshAccess()
      return {}
    },
  })
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/users',
    access: 'admin',
    summary: 'Users and their roles',
    answer: z.object({ users: z.array(userView) }),
    handle: async () => ({ users: await state.people.listUsers() }),
  })
}

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
