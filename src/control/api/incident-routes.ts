// Owns the routes of incidents and silences: what is open, what is known of one, and what people do with it.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import {
  assignRequest,
  commentRequest,
  type IncidentAnswer,
  type IncidentView,
  incidentActed,
  incidentAnswer,
  incidentsAnswer,
  silenceRequest,
  silencesAnswer,
  silenceView,
  waitRequest,
} from '#wire'
import type { ControlContext } from '../context.ts'
import { controlFaults } from '../faults.ts'
import { OpenIncident } from '../incidents/open-incident.ts'
import { checkSilence } from '../incidents/silence-book.ts'
import { timelineOf } from '../incidents/timeline.ts'
import { momentOfMinute } from '../incidents/zone-time.ts'
import { nameOf } from './guard.ts'
import { addRoute } from './route.ts'

const DAY_MS = 86_400_000
const LISTED_MS = 7 * DAY_MS
const CHANGES_MAX = 50
const SHOWN_ALERTS_MAX = 200
const ONE = '/api/v1/incidents/:id'

export function addIncidentRoutes(app: FastifyInstance, context: ControlContext): void {
  addReading(app, context)
  addActing(app, context)
  addSilenceRoutes(app, context)
}

function addReading(app: FastifyInstance, context: ControlContext): void {
  const { state, fleetTime, incidents } = context
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/incidents',
    access: 'viewer',
    summary: 'Open incidents, and those resolved in the last week; newest first',
    answer: incidentsAnswer,
    handle: async () => {
      const now = fleetTime.nowMs()
      const stored = await state.incidents.list(now - LISTED_MS)
      const listed = stored.map(
        ({ incident, alerts }) =>
          incidents.keeper.get(incident.id) ?? new OpenIncident(incident, alerts).view(),
      )
      const ids = new Set(listed.map(({ id }) => id))
      const unsaved = incidents.keeper.open().filter(({ id }) => !ids.has(id))
      return { now, incidents: [...unsaved, ...listed].toSorted((a, b) => b.openedAt - a.openedAt) }
    },
  })
  addRoute(app, {
    method: 'GET',
    url: ONE,
    access: 'viewer',
    summary: 'One incident: verdict, cause with its evidence, timeline, alerts, what changed before',
    answer: incidentAnswer,
    handle: request => whole(context, idOf(request)),
  })
}

async function whole(context: ControlContext, id: string): Promise<IncidentAnswer> {
  const { state, fleetTime, incidents } = context
  const now = fleetTime.nowMs()
  const found = await state.incidents.get(id)
  if (found === null) throw unknown(id)
  const { incident, alerts } = found
  const from = incident.openedAt - DAY_MS
  const marks = {
    fromMs: from,
    toMs: incident.openedAt,
    server: null,
    nearMs: incident.openedAt,
    limit: CHANGES_MAX,
  }
  const { morningMinute, zone } = incidents.policy
  return {
    now,
    incident: incidents.keeper.get(id) ?? new OpenIncident(incident, alerts).view(),
    timeline: await timelineOf(state, incident, now),
    alerts: alerts.slice(0, SHOWN_ALERTS_MAX).map(({ alertId, ...alert }) => ({ id: alertId, ...alert })),
    changes: await state.marks.list(marks),
    morning: momentOfMinute(now + 60_000, morningMinute, zone),
  }
}

function addActing(app: FastifyInstance, context: ControlContext): void {
  const { actions } = context.incidents.keeper
  const act = (id: string): { incident: IncidentView } => {
    const incident = context.incidents.keeper.get(id)
    if (incident === null) throw unknown(id)
    return { incident }
  }
  const base = { method: 'POST', access: 'operator' } as const
  addRoute(app, {
    ...base,
    url: `${ONE}/acknowledge`,
    summary: 'I have it; 409 names who was first',
    answer: incidentActed,
    handle: async request => {
      await actions.acknowledge(idOf(request), nameOf(request))
      return act(idOf(request))
    },
  })
  addRoute(app, {
    ...base,
    url: `${ONE}/comment`,
    summary: 'A note on the timeline, also of a resolved incident',
    body: commentRequest,
    answer: z.object({}),
    handle: async (request, _reply, { text }) => {
      await actions.comment(idOf(request), text, nameOf(request))
      return {}
    },
  })
  addRoute(app, {
    ...base,
    url: `${ONE}/assign`,
    summary: 'Hand it to somebody',
    body: assignRequest,
    answer: incidentActed,
    handle: async (request, _reply, { to }) => {
      await actions.assign(idOf(request), to, nameOf(request))
      return act(idOf(request))
    },
  })
  addRoute(app, {
    ...base,
    url: `${ONE}/wait`,
    summary: 'Nobody is rung before; without a time, before the next morning',
    body: waitRequest,
    answer: incidentActed,
    handle: async (request, _reply, { until }) => {
      const { morningMinute, zone } = context.incidents.policy
      const morning = momentOfMinute(context.fleetTime.nowMs() + 60_000, morningMinute, zone)
      await actions.wait(idOf(request), until ?? morning, nameOf(request))
      return act(idOf(request))
    },
  })
  addRoute(app, {
    ...base,
    url: `${ONE}/resolve`,
    summary: 'It is over; alerts that still fire open nothing until they have ended',
    answer: incidentActed,
    handle: async request => {
      await actions.resolve(idOf(request), nameOf(request))
      return act(idOf(request))
    },
  })
}

function addSilenceRoutes(app: FastifyInstance, context: ControlContext): void {
  const { state, fleetTime, incidents } = context
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/silences',
    access: 'viewer',
    summary: 'Silences and maintenance: in force, to come, and ended within a month',
    answer: silencesAnswer,
    handle: async () => ({ now: fleetTime.nowMs(), silences: await state.silences.list() }),
  })
  addRoute(app, {
    method: 'POST',
    url: '/api/v1/silences',
    access: 'operator',
    summary: 'Alerts that match are seen, open nothing and ring nobody; recurring: maintenance',
    body: silenceRequest,
    answer: silenceView,
    handle: async (request, _reply, silence) => {
      checkSilence(silence, fleetTime.nowMs())
      const made = await state.silences.add(silence, nameOf(request))
      await incidents.silences.refresh()
      return made
    },
  })
  addRoute(app, {
    method: 'DELETE',
    url: '/api/v1/silences/:id',
    access: 'operator',
    summary: 'End a silence now',
    answer: z.object({}),
    handle: async request => {
      await state.silences.end(idOf(request), nameOf(request))
      await incidents.silences.refresh()
      incidents.keeper.kick()
      return {}
    },
  })
}

function unknown(id: string): Error {
  return controlFaults.fault(
    'control-incident-unknown',
    `no incident has the id ${JSON.stringify(id.slice(0, 40))}`,
  )
}

function idOf(request: FastifyRequest): string {
  return (request.params as { readonly id: string }).id
}
