// Owns reading the audit: as pages of JSON, and as a file for a spreadsheet.
import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { auditAnswer, auditQuery } from '#wire'
import type { ControlContext } from '../context.ts'
import { addRoute, check } from './route.ts'

export function addAuditRoutes(app: FastifyInstance, { state, fleetTime }: ControlContext): void {
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/audit',
    access: 'admin',
    summary: 'Who changed what, newest first: by who, action, subject and time, a page at a time',
    query: auditQuery,
    answer: auditAnswer,
    handle: async request => {
      const query = check(auditQuery, request.query, 'query')
      return { now: fleetTime.nowMs(), ...(await state.auditBook.page(query)) }
    },
  })
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/audit.csv',
    access: 'admin',
    summary: 'The same as a file, at most 50,000 lines',
    query: auditQuery,
    handle: (request, reply) => {
      const query = check(auditQuery, request.query, 'query')
      reply.header('content-disposition', 'attachment; filename="vitrine-audit.csv"')
      reply.type('text/csv; charset=utf-8')
      return reply.send(Readable.from(state.auditBook.csv(query)))
    },
  })
}
