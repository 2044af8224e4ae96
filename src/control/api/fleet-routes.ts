// Owns the routes that show the fleet: titles, servers, their history, alerts.
import type { FastifyInstance } from 'fastify'
import { alertsAnswer, historyAnswer, serversAnswer, serverView, titlesAnswer } from '#wire'
import type { ControlContext } from '../context.ts'
import { controlFaults } from '../faults.ts'
import { alertView, serverViews, titleViews } from './fleet-view.ts'
import { addRoute } from './route.ts'

/** Resolved alerts are shown for an hour. */
const RESOLVED_MS = 3_600_000

export function addFleetRoutes(app: FastifyInstance, context: ControlContext): void {
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/titles',
    access: 'viewer',
    summary: 'All titles of the library, also those that cannot play, with the reason',
    answer: titlesAnswer,
    handle: () => ({ titles: titleViews(context) }),
  })
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/servers',
    access: 'viewer',
    summary: 'All servers with state, reason and evidence',
    answer: serversAnswer,
    handle: () => ({ now: context.fleetTime.nowMs(), servers: serverViews(context) }),
  })
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/servers/:id',
    access: 'viewer',
    summary: 'One server',
    answer: serverView,
    handle: request => known(context, idOf(request.params)),
  })
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/servers/:id/history',
    access: 'viewer',
    summary: 'Changes of one server’s state, newest first, with reason and evidence',
    answer: historyAnswer,
    handle: async request => {
      const { id } = known(context, idOf(request.params))
      return { changes: await context.state.servers.history(id) }
    },
  })
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/alerts',
    access: 'viewer',
    summary: 'Alerts that are pending or firing, and those resolved in the last hour',
    answer: alertsAnswer,
    handle: async () => {
      const now = context.fleetTime.nowMs()
      const stored = await context.state.alerts.list(now - RESOLVED_MS)
      const resolved = stored.filter(alert => alert.state === 'resolved')
      const alerts = [...context.alerts.active(), ...resolved].map(alertView)
      return { now, alerts: alerts.toSorted((a, b) => b.activeAt - a.activeAt) }
    },
  })
}

function idOf(params: unknown): string {
  return (params as { readonly id: string }).id
}

function known(context: ControlContext, id: string): ReturnType<typeof serverViews>[number] {
  const server = serverViews(context).find(candidate => candidate.id === id)
  if (server !== undefined) return server
  throw controlFaults.fault(
    'control-server-unknown',
    `no server has the id ${JSON.stringify(id.slice(0, 64))}`,
  )
}
