// Owns the routes of incidents: what is open, what is known of one, and what people do with it.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import {
  actorsAnswer,
  assignRequest,
  commentRequest,
  type IncidentView,
  incidentActed,
  incidentAnswer,
  incidentsAnswer,
  waitRequest,
} from '#wire'
import type { ControlContext } from '../context.ts'
import { controlFaults } from '../faults.ts'
import { actorNames, checkActor, nextMorning, wholeIncident } from '../incident-page/whole-incident.ts'
import { OpenIncident } from '../incidents/open-incident.ts'
import { actsAs } from './guard.ts'
import { addRoute } from './route.ts'

const DAY_MS = 86_400_000
const LISTED_MS = 7 * DAY_MS
const ONE = '/api/v1/incidents/:id'

export function addIncidentRoutes(app: FastifyInstance, context: ControlContext): void {
  addReading(app, context)
  addActing(app, context)
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
    handle: async request => {
      const id = idOf(request)
      const found = await wholeIncident(context, id)
      if (found === null) throw unknown(id)
      return found
    },
  })
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/actors',
    access: 'operator',
    summary: 'People who may act, by name: whom an incident can be handed to',
    answer: actorsAnswer,
    handle: async () => ({ people: await actorNames(context) }),
  })
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
      await actions.acknowledge(idOf(request), actsAs(request))
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
      await actions.comment(idOf(request), text, actsAs(request))
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
      await checkActor(context, to, actsAs(request))
      await actions.assign(idOf(request), to, actsAs(request))
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
      await actions.wait(idOf(request), until ?? nextMorning(context), actsAs(request))
      return act(idOf(request))
    },
  })
  addRoute(app, {
    ...base,
    url: `${ONE}/resolve`,
    summary: 'It is over; alerts that still fire open nothing until they have ended',
    answer: incidentActed,
    handle: async request => {
      await actions.resolve(idOf(request), actsAs(request))
      return act(idOf(request))
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
