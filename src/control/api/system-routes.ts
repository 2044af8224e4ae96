// Owns /healthz, /metrics and openapi.json of the control room itself.
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { EXPOSITION_CONTENT_TYPE, renderExposition } from '#metrics'
import type { ControlContext } from '../context.ts'
import { addRoute } from './route.ts'

export function addSystemRoutes(app: FastifyInstance, context: ControlContext): void {
  addRoute(app, {
    method: 'GET',
    url: '/healthz',
    access: 'anyone',
    summary: 'Whether the control room answers',
    answer: z.object({ status: z.literal('ok') }),
    handle: () => ({ status: 'ok' }),
  })
  addRoute(app, {
    method: 'GET',
    url: '/metrics',
    access: 'viewer',
    summary: 'The control room’s own metrics in the Prometheus text format',
    handle: (_request, reply) => {
      reply.header('content-type', EXPOSITION_CONTENT_TYPE)
      return renderExposition(context.counters.collect())
    },
  })
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/openapi.json',
    access: 'viewer',
    summary: 'This description',
    handle: () => app.swagger(),
  })
}
