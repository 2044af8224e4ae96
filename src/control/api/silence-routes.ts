// Owns the routes of silences and maintenance: those that are kept, new ones with what they would cover, and their end.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import {
  extendRequest,
  silencePreview,
  silencePreviewRequest,
  silenceRequest,
  silencesAnswer,
  silenceView,
} from '#wire'
import type { ControlContext } from '../context.ts'
import { checkSilence, coverTest } from '../incidents/silence-book.ts'
import { nameOf } from './guard.ts'
import { addRoute } from './route.ts'

/** More say nothing that their number does not. */
const PREVIEWED_MAX = 50

export function addSilenceRoutes(app: FastifyInstance, context: ControlContext): void {
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
  addRoute(app, {
    method: 'POST',
    url: '/api/v1/silences/:id/extend',
    access: 'operator',
    summary: 'Let a silence that has not ended end at another time',
    body: extendRequest,
    answer: z.object({}),
    handle: async (request, _reply, { endsAt }) => {
      await state.silences.extend(idOf(request), endsAt, nameOf(request))
      await incidents.silences.refresh()
      incidents.keeper.kick()
      return {}
    },
  })
  addRoute(app, {
    method: 'POST',
    url: '/api/v1/silences/preview',
    access: 'viewer',
    summary: 'Which of the alerts that fire now these matchers would cover; changes nothing',
    body: silencePreviewRequest,
    answer: silencePreview,
    handle: (_request, _reply, { matchers }) => {
      const covers = coverTest(matchers)
      const all = [...context.alerts.active(), ...incidents.foreign.firing()]
      const firing = all.filter(alert => alert.state === 'firing')
      const covered = firing.filter(({ labels }) => covers(labels))
      const alerts = covered
        .slice(0, PREVIEWED_MAX)
        .map(({ labels, annotations, rule }) => ({ labels, summary: annotations['summary'] ?? rule }))
      return { covered: covered.length, firing: firing.length, alerts }
    },
  })
}

function idOf(request: FastifyRequest): string {
  return (request.params as { readonly id: string }).id
}
