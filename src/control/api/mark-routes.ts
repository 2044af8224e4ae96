// Owns the routes of marks: people and scripts tell of deployments, agents of what they saw change.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { markRequest, marksAnswer, markView, seenRequest, serverId } from '#wire'
import type { ControlContext } from '../context.ts'
import { controlFaults } from '../faults.ts'
import { nameOf } from './guard.ts'
import { addRoute, check, queryMoment } from './route.ts'

const DAY_MS = 86_400_000
const SEEN_BYTES_MAX = 512 * 1024

const marksQuery = z.object({
  /** Fleet time in ms; a day before `to` when left out. */
  from: queryMoment,
  to: queryMoment,
  server: serverId.optional(),
  near: queryMoment,
  limit: z.coerce.number().int().min(1).max(1000).default(200),
})

export function addMarkRoutes(app: FastifyInstance, context: ControlContext): void {
  const { marks } = context.state
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/marks',
    access: 'viewer',
    summary: 'What changed: deployments, packages, kernels, restarts; newest first, or nearest to a moment',
    query: marksQuery,
    answer: marksAnswer,
    handle: async request => {
      const { from, to, server, near, limit } = check(marksQuery, request.query, 'query')
      const now = context.fleetTime.nowMs()
      const toMs = to ?? now
      const query = {
        fromMs: from ?? (near ?? toMs) - DAY_MS,
        toMs,
        server: server === undefined ? null : hostOf(context, server),
        nearMs: near ?? null,
        limit,
      }
      return { now, marks: await marks.list(query) }
    },
  })
  addRoute(app, {
    method: 'POST',
    url: '/api/v1/marks',
    access: 'operator',
    summary: 'Tell of a deployment, or note something at a moment',
    body: markRequest,
    answer: markView,
    handle: (request, _reply, body) => {
      if (body.server !== undefined && context.fleet.get(body.server) === null) {
        throw controlFaults.fault(
          'control-server-unknown',
          `no server ${JSON.stringify(body.server)} is enrolled`,
        )
      }
      return marks.add(body, nameOf(request))
    },
  })
  addRoute(app, {
    method: 'POST',
    url: '/api/v1/marks/seen',
    access: 'writer',
    summary: 'Changes that an agent saw on its host, told as its server',
    body: seenRequest,
    answer: z.object({ news: z.int() }),
    bodyBytesMax: SEEN_BYTES_MAX,
    handle: async (request, _reply, body) => {
      const { principal } = request
      if (principal.kind !== 'server') {
        throw controlFaults.fault('control-role-too-low', 'this is for agents, with their server’s own token')
      }
      return { news: await marks.seen(hostOf(context, principal.id), body.changes) }
    },
  })
  addRoute(app, {
    method: 'DELETE',
    url: '/api/v1/marks/:id',
    access: 'operator',
    summary: 'Remove a mark',
    answer: z.object({}),
    handle: async request => {
      await marks.remove(idOf(request), nameOf(request))
      return {}
    },
  })
}

function hostOf({ fleet }: ControlContext, id: string): { id: string; hostId: string } {
  return { id, hostId: fleet.get(id)?.hostId ?? '' }
}

function idOf(request: FastifyRequest): number {
  const { id } = request.params as { readonly id: string }
  if (/^\d{1,15}$/.test(id)) return Number(id)
  throw controlFaults.fault(
    'control-mark-unknown',
    `${JSON.stringify(id.slice(0, 40))} is not the id of a mark`,
  )
}
