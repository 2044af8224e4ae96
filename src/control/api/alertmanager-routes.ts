// Owns taking alerts as an Alertmanager takes them (its API v2), so that a Prometheus can point here.
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { ControlContext } from '../context.ts'
import { FOREIGN_MAX, type SentAlert } from '../incidents/foreign-alerts.ts'
import { nameOf } from './guard.ts'
import { addRoute } from './route.ts'

/** A flood of 10,000 alerts of some 800 bytes each. */
const BODY_BYTES_MAX = 16 * 1024 * 1024
const LABELS_MAX = 64

const words = z
  .record(z.string().max(128), z.string().max(8192))
  .refine(record => Object.keys(record).length <= LABELS_MAX, `at most ${LABELS_MAX} of them`)
/** RFC 3339; Go's zero time means that nothing was said. */
const moment = z
  .string()
  .max(64)
  .optional()
  .transform((text, context) => {
    if (text === undefined || text === '' || text.startsWith('0001-01-01T')) return null
    const ms = Date.parse(text)
    if (Number.isFinite(ms)) return ms
    context.addIssue({ code: 'custom', message: 'expected a time as RFC 3339 writes it' })
    return z.NEVER
  })

const sentAlerts = z
  .array(
    z.object({
      labels: words.refine(
        record => Object.values(record).some(value => value !== ''),
        'no label has a value',
      ),
      annotations: words.optional(),
      startsAt: moment,
      endsAt: moment,
      generatorURL: z.string().max(8192).optional(),
    }),
  )
  .max(FOREIGN_MAX)

export function addAlertmanagerRoutes(app: FastifyInstance, context: ControlContext): void {
  addRoute(app, {
    method: 'POST',
    url: '/api/v2/alerts',
    access: 'operator',
    summary: 'Alerts as an Alertmanager receives them: each ends at endsAt unless it is told again',
    body: sentAlerts,
    answer: z.object({}),
    bodyBytesMax: BODY_BYTES_MAX,
    handle: async (request, _reply, sent) => {
      const alerts = sent.map(
        ({ labels, annotations = {}, startsAt, endsAt, generatorURL: generatorUrl = '' }): SentAlert => ({
          // An empty label is none, as in Prometheus.
          labels: Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== '')),
          annotations,
          startsAt,
          endsAt,
          generatorUrl,
        }),
      )
      await context.incidents.foreign.receive(alerts, nameOf(request))
      return {}
    },
  })
}
