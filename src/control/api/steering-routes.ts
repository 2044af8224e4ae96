// Owns what is asked and ordered of steering: shares of new sessions, versions of the table with what went into each,
// and why a session was on an edge.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import {
  type PathwayChange,
  serverShareRequest,
  sessionPathwaysAnswer,
  steeringVersionAnswer,
  steeringVersionsAnswer,
} from '#wire'
import type { ControlContext } from '../context.ts'
import { controlFaults } from '../faults.ts'
import type { PathwayRow } from '../state/session-pathways.ts'
import { pathwayReason, SOON_MS } from '../steering/pathway-words.ts'
import { nameOf } from './guard.ts'
import { addRoute, check, queryMoment } from './route.ts'

const versionsQuery = z.object({ at: queryMoment, from: queryMoment, to: queryMoment })

export function addSteeringRoutes(app: FastifyInstance, context: ControlContext): void {
  const { fleetTime, fleet, state } = context
  addRoute(app, {
    method: 'PUT',
    url: '/api/v1/servers/:id/share',
    access: 'operator',
    summary: 'The part of all new sessions that an edge may get, in percent: 1, 10, 100 for a new one',
    body: serverShareRequest,
    answer: serverShareRequest,
    handle: async (request, _reply, { percent }) => {
      await state.servers.share(parameter(request, 'id'), percent, nameOf(request))
      await context.refreshAccess()
      context.steering.refresh()
      return { percent }
    },
  })
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/steering/versions',
    access: 'viewer',
    summary:
      'Versions of the steering table, newest first, with what differed in words; ?at=MS or ?from=MS&to=MS',
    query: versionsQuery,
    answer: steeringVersionsAnswer,
    handle: async request => {
      const { at, from = at, to = at } = check(versionsQuery, request.query, 'query')
      const found = await state.steeringVersions.list(from ?? null, to ?? null)
      return { now: fleetTime.nowMs(), ...found }
    },
  })
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/steering/versions/:version',
    access: 'viewer',
    summary: 'One version of the steering table with everything that went into it',
    answer: steeringVersionAnswer,
    handle: async request => {
      const text = parameter(request, 'version')
      const found = /^\d{1,15}$/.test(text) ? await state.steeringVersions.get(Number(text)) : null
      if (found !== null) return found
      const message = `version ${JSON.stringify(text.slice(0, 20))} of the steering table is not kept, or never was`
      throw controlFaults.fault('control-version-unknown', message)
    },
  })
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/sessions/:sid/pathways',
    access: 'viewer',
    summary:
      'Which edges fed a session, oldest first, each with the version of the table and the reason in words',
    answer: sessionPathwaysAnswer,
    handle: async request => {
      const sid = parameter(request, 'sid')
      const rows = await state.sessionPathways.of(sid)
      if (rows.length === 0) {
        const message = `no session ${JSON.stringify(sid.slice(0, 80))} is known; sessions are kept for 7 days`
        throw controlFaults.fault('control-session-unknown', message)
      }
      const changes: PathwayChange[] = []
      for (const row of rows) changes.push(await explained(context, row))
      const edge = fleet.sessions.whereIs(sid)?.edge ?? null
      return { now: fleetTime.nowMs(), sid, estimated: rows.at(-1)?.estimated ?? false, edge, changes }
    },
  })
}

async function explained({ state }: ControlContext, row: PathwayRow): Promise<PathwayChange> {
  const { at, edge, from, version, title } = row
  const seen = version === null ? null : await state.steeringVersions.get(version)
  const later =
    version === null || from === null ? [] : await state.steeringVersions.after(version, at + SOON_MS)
  return { at, edge, from, version, title, reason: pathwayReason(row, seen, later) }
}

function parameter(request: FastifyRequest, name: string): string {
  return (request.params as Readonly<Record<string, string>>)[name] ?? ''
}
