// Owns the routes of viewers: who watches now, their sessions, and who was affected by something. Sessions of people who
// sign in here are another thing (session-routes.ts).
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import {
  affectedAnswer,
  affectedQuery,
  type SessionView,
  type ViewerSessionsFilter,
  viewerSessionAnswer,
  viewerSessionsAnswer,
  viewerSessionsFilter,
  viewerSessionsQuery,
  viewersNowAnswer,
} from '#wire'
import type { ControlContext } from '../context.ts'
import { controlFaults } from '../faults.ts'
import { isZone } from '../incidents/zone-time.ts'
import { audit } from '../state/database.ts'
import { type Affected, affectedBy, SHOWN_MAX } from '../viewers/affected.ts'
import { figuresOf } from '../viewers/figures.ts'
import { affectedCsv, sessionsCsv, sessionsNdjson } from '../viewers/session-export.ts'
import type { Place, SessionFilter } from '../viewers/session-store.ts'
import { sessionWords, timelineWords } from '../viewers/session-words.ts'
import { watchingNow } from '../viewers/watching-now.ts'
import { nameOf } from './guard.ts'
import { addRoute, check } from './route.ts'

const DAY_MS = 86_400_000
const affectedCsvQuery = affectedQuery.extend({
  tz: z.string().max(64).refine(isZone, 'expected a time zone such as Europe/Vienna').default('UTC'),
})

export function addViewerRoutes(app: FastifyInstance, context: ControlContext): void {
  addSearchRoutes(app, context)
  addOneSessionRoutes(app, context)
  addAffectedRoutes(app, context)
}

function addSearchRoutes(app: FastifyInstance, context: ControlContext): void {
  const { fleet, fleetTime, viewers } = context
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/viewers/now',
    access: 'viewer',
    summary: 'How many are watching, by edge, title, region of the viewer, and player',
    answer: viewersNowAnswer,
    handle: () => ({ now: fleetTime.nowMs(), ...watchingNow(fleet.sessions, viewers.keeper) }),
  })
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/viewers/sessions',
    access: 'viewer',
    summary:
      'Sessions of viewers that touch a time, newest first, by edge, title, state, seconds of stalls, sid, reference',
    query: viewerSessionsQuery,
    answer: viewerSessionsAnswer,
    handle: request => {
      const { limit, before, ...filter } = check(viewerSessionsQuery, request.query, 'query')
      const page = viewers.search.page(filterOf(context, filter), placeOf(before), limit)
      return {
        now: fleetTime.nowMs(),
        sessions: page.found.map(({ session, figures }) => sessionWords(session, figures, viewers.witness)),
        next: page.next === null ? null : `${page.next.at}-${page.next.sid}`,
      }
    },
  })
  const file = (kind: 'csv' | 'ndjson', type: string): void => {
    addRoute(app, {
      method: 'GET',
      url: `/api/v1/viewers/sessions.${kind}`,
      access: 'viewer',
      summary: `The same as a file (${kind.toUpperCase()}), those that go on first`,
      query: viewerSessionsFilter,
      handle: (request, reply) => {
        const filter = filterOf(context, check(viewerSessionsFilter, request.query, 'query'))
        const views = eachView(context, filter)
        const lines = kind === 'csv' ? sessionsCsv(views) : sessionsNdjson(views)
        return sendFile(reply, `vitrine-sessions.${kind}`, type, lines)
      },
    })
  }
  file('csv', 'text/csv; charset=utf-8')
  file('ndjson', 'application/x-ndjson')
}

function addOneSessionRoutes(app: FastifyInstance, context: ControlContext): void {
  const { fleetTime, viewers, state } = context
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/viewers/sessions/:sid',
    access: 'viewer',
    summary:
      'One session of a viewer: what the player said, answers, edges, stalls and who is to blame for them',
    answer: viewerSessionAnswer,
    handle: request => {
      const sid = sidOf(request)
      const session = viewers.keeper.find(sid)
      if (session === null) throw unknown(sid)
      return { now: fleetTime.nowMs(), ...timelineWords(session, figuresOf(session), viewers.witness) }
    },
  })
  addRoute(app, {
    method: 'DELETE',
    url: '/api/v1/viewers/sessions/:sid',
    access: 'admin',
    summary: 'Delete what is stored of a session; sums of metrics stay',
    answer: z.object({}),
    handle: async request => {
      const sid = sidOf(request)
      if (!(await viewers.keeper.remove(sid))) throw unknown(sid)
      const note = { by: nameOf(request), action: 'viewer-session-delete', subject: sid }
      await audit(state.db, { at: fleetTime.nowMs(), ...note })
      return {}
    },
  })
}

function addAffectedRoutes(app: FastifyInstance, context: ControlContext): void {
  const { fleetTime, viewers } = context
  const affected = (request: FastifyRequest): Promise<Affected> => {
    const query = check(affectedQuery, request.query, 'query')
    const { from: fromMs, to: toMs, title } = query
    inOrder(fromMs, toMs)
    return affectedBy(query, viewers.search.all({ fromMs, toMs, title }), viewers.classOf)
  }
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/viewers/affected',
    access: 'viewer',
    summary:
      'Who lost seconds or could not start within a time, and how many more than among peers on other edges',
    query: affectedQuery,
    answer: affectedAnswer,
    handle: async request => {
      const found = await affected(request)
      return { now: fleetTime.nowMs(), ...found, viewers: found.viewers.slice(0, SHOWN_MAX) }
    },
  })
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/viewers/affected.csv',
    access: 'viewer',
    summary:
      'All of them as a file: reference, title, local time (tz), minutes wanted, seconds lost, edge, evidence',
    query: affectedCsvQuery,
    handle: async (request, reply) => {
      const { tz } = check(affectedCsvQuery, request.query, 'query')
      const { viewers: all } = await affected(request)
      return sendFile(reply, 'vitrine-affected.csv', 'text/csv; charset=utf-8', affectedCsv(all, tz))
    },
  })
}

async function* eachView({ viewers }: ControlContext, filter: SessionFilter): AsyncGenerator<SessionView> {
  for await (const { session, figures } of viewers.search.all(filter)) {
    yield sessionWords(session, figures, viewers.witness)
  }
}

function sendFile(
  reply: FastifyReply,
  name: string,
  type: string,
  lines: Iterable<string> | AsyncIterable<string>,
): FastifyReply {
  reply.header('content-disposition', `attachment; filename="${name}"`)
  reply.type(type)
  return reply.send(Readable.from(lines))
}

function filterOf({ fleetTime, viewers }: ControlContext, filter: ViewerSessionsFilter): SessionFilter {
  const { from, to, estimated, viewerRef, ...rest } = filter
  const toMs = to ?? fleetTime.nowMs()
  const fromMs = from ?? toMs - DAY_MS
  inOrder(fromMs, toMs)
  return {
    ...rest,
    fromMs,
    toMs,
    ...(estimated === undefined ? {} : { estimated: estimated === 'yes' }),
    ...(viewerRef === undefined ? {} : { viewerRef: viewers.storedRef(viewerRef) }),
  }
}

function inOrder(fromMs: number, toMs: number): void {
  if (fromMs <= toMs) return
  throw controlFaults.fault('control-request-invalid', `query field from: ${fromMs} is after to, ${toMs}`)
}

function placeOf(before: string | undefined): Place | null {
  if (before === undefined) return null
  const [, at, sid] = /^(\d+(?:\.\d+)?)-(.{1,128})$/s.exec(before) ?? []
  if (at !== undefined && sid !== undefined) return { at: Number(at), sid }
  throw controlFaults.fault(
    'control-request-invalid',
    'query field before: expected `next` of the answer before',
  )
}

function sidOf(request: FastifyRequest): string {
  return (request.params as { readonly sid: string }).sid
}

function unknown(sid: string): Error {
  const message = `no session ${JSON.stringify(sid.slice(0, 80))} is stored; see control.viewers.retentionDays`
  return controlFaults.fault('control-session-unknown', message)
}
