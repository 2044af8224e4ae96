// Owns the routes that show the fleet: titles, servers, their history, alerts.
import type { FastifyInstance } from 'fastify'
import { alertsAnswer, historyAnswer, type ServerView, serversAnswer, serverView, titlesAnswer } from '#wire'
import type { ControlContext } from '../context.ts'
import { controlFaults } from '../faults.ts'
import { checkPast, fleetAt } from '../past/past-view.ts'
import { alertView, serverViews, titleViews } from './fleet-view.ts'
import { addRoute, atQuery, check } from './route.ts'

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
    query: atQuery,
    answer: serversAnswer,
    handle: async request => {
      const { at } = check(atQuery, request.query, 'query')
      if (at === undefined) return { now: context.fleetTime.nowMs(), servers: serverViews(context) }
      const { servers, moment: past } = await fleetAt(context, at)
      return { now: context.fleetTime.nowMs(), servers, past }
    },
  })
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/servers/:id',
    access: 'viewer',
    summary: 'One server',
    query: atQuery,
    answer: serverView,
    handle: async request => {
      const { at } = check(atQuery, request.query, 'query')
      const servers = at === undefined ? serverViews(context) : (await fleetAt(context, at)).servers
      return known(servers, idOf(request.params))
    },
  })
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/servers/:id/history',
    access: 'viewer',
    summary: 'Changes of one server’s state, newest first, with reason and evidence',
    query: atQuery,
    answer: historyAnswer,
    handle: async request => {
      const { at } = check(atQuery, request.query, 'query')
      const id = idOf(request.params)
      // Of the past also what is retired by now has its history.
      if (at === undefined) known(serverViews(context), id)
      return { changes: await context.state.servers.history(id, at ?? null) }
    },
  })
  addAlertRoute(app, context)
}

/** Of a flood from outside the page shows so many; the incident says how many there are. */
const FOREIGN_SHOWN = 500

function addAlertRoute(app: FastifyInstance, context: ControlContext): void {
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/alerts',
    access: 'viewer',
    summary: 'Alerts that are pending or firing, and those resolved in the last hour',
    query: atQuery,
    answer: alertsAnswer,
    handle: async request => {
      const now = context.fleetTime.nowMs()
      const { at } = check(atQuery, request.query, 'query')
      if (at !== undefined) {
        checkPast(context, at)
        return { now, alerts: await context.state.past.alertsAt(at), past: { at } }
      }
      const since = now - RESOLVED_MS
      const stored = [
        ...(await context.state.alerts.list(since)),
        ...(await context.state.alerts.foreign(since)),
      ]
      const resolved = stored.filter(alert => alert.state === 'resolved')
      const active = [
        ...context.alerts.active(),
        ...context.incidents.foreign.firing().slice(0, FOREIGN_SHOWN),
      ]
      const alerts = [...active, ...resolved].map(alertView)
      return { now, alerts: alerts.toSorted((a, b) => b.activeAt - a.activeAt) }
    },
  })
}

function idOf(params: unknown): string {
  return (params as { readonly id: string }).id
}

function known(servers: readonly ServerView[], id: string): ServerView {
  const server = servers.find(candidate => candidate.id === id)
  if (server !== undefined) return server
  throw controlFaults.fault(
    'control-server-unknown',
    `no server has the id ${JSON.stringify(id.slice(0, 64))}`,
  )
}
