// Owns what a control room is told about whom to tell: receivers, routes, on-call lists, escalation, heartbeat; and how
// pages see them. Secrets are never part of what pages see.
import { z } from 'zod'
import { deliveryView } from './incidents.ts'

const time = z.number()
const RECEIVERS_MAX = 100
const ROUTES_MAX = 200

/** Written there, or where it is to be found. */
const secret = z.union([
  z.string().min(1).max(4096),
  z.strictObject({ file: z.string().min(1) }),
  z.strictObject({ env: z.string().min(1) }),
])
export type SecretPlace = z.infer<typeof secret>

const url = z.url({ protocol: /^https?$/ })
const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'has 1 to 63 small letters, digits and dashes')
const caFile = z
  .string()
  .optional()
  .describe('PEM file with the authority of its certificate, if that is an own one.')
const SECRET = 'Also `{ file: PATH }` or `{ env: NAME }`.'

const email = z
  .strictObject({
    to: z.email().describe('One address: whoever gets it has a link of their own.'),
    from: z.email().describe('Sender.'),
    host: z.string().min(1).describe('SMTP server.'),
    port: z.int().min(1).max(65_535).default(587).describe('Its port.'),
    tls: z
      .enum(['starttls', 'tls', 'none'])
      .default('starttls')
      .describe(
        'starttls (needed, never optional), tls from the first byte, or none (only to this machine).',
      ),
    user: z.string().optional().describe('User at the SMTP server.'),
    password: secret.optional().describe(`Its password. ${SECRET}`),
    caFile,
  })
  .describe('By SMTP.')

const slack = z
  .strictObject({
    url: secret.describe(`Address of the incoming webhook: who knows it may post. ${SECRET}`),
    caFile,
  })
  .describe('Incoming webhook as Slack, Mattermost and Rocket.Chat take it.')

const pagerduty = z
  .strictObject({
    routingKey: secret.describe(`Integration key of the service. ${SECRET}`),
    url: url.default('https://events.pagerduty.com/v2/enqueue').describe('Where events go.'),
    caFile,
  })
  .describe('PagerDuty Events API v2.')

const webhook = z
  .strictObject({
    url: url.describe('Where it is posted.'),
    secret: secret.describe(`Signs each message. ${SECRET}`),
    caFile,
  })
  .describe('JSON with an HMAC-SHA256 signature.')

const alertmanagerWebhook = z
  .strictObject({ url: secret.describe(`Where it is posted. ${SECRET}`), caFile })
  .describe('JSON as an Alertmanager posts it to a webhook (version 4).')

const alertmanager = z
  .strictObject({
    url: url.describe('Of the Alertmanager, without /api/v2.'),
    bearer: secret.optional().describe(`Token, if it wants one. ${SECRET}`),
    caFile,
  })
  .describe('Alerts of incidents are forwarded to an Alertmanager (API v2).')

export const receiverKinds = [
  'email',
  'slack',
  'pagerduty',
  'webhook',
  'alertmanagerWebhook',
  'alertmanager',
] as const
export type ReceiverKind = (typeof receiverKinds)[number]

export const receiverConfig = z.strictObject({
  name: name.describe('Routes and lists call it that.'),
  person: z
    .string()
    .max(64)
    .optional()
    .describe('User whose it is: acknowledging from its links counts as theirs, and ends with the user.'),
  quiet: z
    .boolean()
    .optional()
    .describe('Whether it also gets what rings nobody. Default: yes, but pagerduty not.'),
  email: email.optional(),
  slack: slack.optional(),
  pagerduty: pagerduty.optional(),
  webhook: webhook.optional(),
  alertmanagerWebhook: alertmanagerWebhook.optional(),
  alertmanager: alertmanager.optional(),
})
export type ReceiverConfig = z.infer<typeof receiverConfig>

const receivers = z
  .array(z.string().max(80))
  .min(1)
  .max(20)
  .describe('Names of receivers, or `on-call:LIST`.')

const step = z.strictObject({
  afterMinutes: z.number().min(0.01).max(1440).describe('Since it rang first, with nobody who has it.'),
  receivers,
})

const route = z.strictObject({
  matchers: z
    .array(z.string().max(1200))
    .max(20)
    .default([])
    .describe(
      'All must hold for one alert of the incident: `severity="critical"`, `region=~"eu-.*"`. None: always.',
    ),
  receivers,
  continue: z.boolean().default(false).describe('True: the routes after it are looked at as well.'),
  groupSeconds: z
    .number()
    .min(0)
    .max(3600)
    .default(0)
    .describe('What is told of one incident within this time becomes one message.'),
  repeatMinutes: z
    .number()
    .min(0.01)
    .max(10_080)
    .optional()
    .describe('Told again after this time while nobody has it; without it, never.'),
  escalation: z.array(step).max(10).default([]).describe('Who is told next when nobody has it.'),
})
export type RouteConfig = z.infer<typeof route>

const onCallList = z.strictObject({
  name: name.describe('Routes name it on-call:NAME.'),
  zone: z.string().max(64).default('UTC').describe('Zone of its days and hours.'),
  from: z.iso.date().describe('The day on which the first one took over; weeks are counted from it.'),
  hour: z.int().min(0).max(23).default(9).describe('Hour of the day of handing over.'),
  people: z
    .array(z.strictObject({ name: z.string().min(1).max(64), receivers: z.array(name).min(1).max(10) }))
    .min(1)
    .max(100)
    .describe('One week each, in turn.'),
  swaps: z
    .record(z.iso.date(), z.string().max(64))
    .default({})
    .describe('Another one for the week that begins on that day: `2026-12-21: ada`.'),
})
export type OnCallConfig = z.infer<typeof onCallList>

const heartbeat = z
  .strictObject({
    url: secret.describe(`Address at a dead man's switch elsewhere. ${SECRET}`),
    method: z.enum(['GET', 'POST']).default('GET').describe('GET or POST.'),
    everySeconds: z.number().min(1).max(3600).default(30).describe('How often.'),
    caFile,
  })
  .describe('Told as long as the control room works: whoever hears nothing raises the alarm.')

export const notifyConfig = z.strictObject({
  zone: z.string().max(64).default('UTC').describe('Zone of times in messages, for example Europe/Vienna.'),
  receivers: z.array(receiverConfig).max(RECEIVERS_MAX).default([]).describe('Who can be told, and how.'),
  routes: z
    .array(route)
    .max(ROUTES_MAX)
    .default([])
    .describe('Which incident goes to whom: the first that fits, and those after it if it says continue.'),
  onCall: z.array(onCallList).max(20).default([]).describe('Whose turn it is, by the week.'),
  templates: z
    .strictObject({
      title: z.string().max(2000).optional().describe('First line of a message, as a template of rules.'),
      text: z.string().max(8000).optional().describe('The rest of it.'),
    })
    .prefault({})
    .describe('Own words of messages; see docs/operate/notifications.md.'),
  heartbeat: heartbeat.optional(),
  watcher: z
    .strictObject({
      afterSeconds: z
        .number()
        .min(1)
        .max(3600)
        .default(60)
        .describe('Edges ring when most of them have lost the control room for so long.'),
      holders: z.int().min(2).max(5).default(3).describe('Edges that hold a sealed copy of the top route.'),
    })
    .prefault({})
    .describe('Who watches the control room: the edges do.'),
})
export type NotifyConfig = z.infer<typeof notifyConfig>

export const receiverView = z.object({
  name: z.string(),
  kind: z.enum(receiverKinds),
  person: z.string().nullable(),
  /** False: it names a person who is no user, so that its links open nothing. */
  personKnown: z.boolean(),
  quiet: z.boolean(),
  /** Where it goes, without what is secret. */
  to: z.string(),
  waiting: z.int(),
  lastSentAt: time.nullable(),
  /** Of the last attempt; null: it went well, or there was none. */
  problem: z.string().nullable(),
  /** Attempts that failed one after the other. */
  failures: z.int(),
})
export type ReceiverView = z.infer<typeof receiverView>

export const heartbeatView = z.object({
  to: z.string(),
  everySeconds: z.number(),
  lastSuccessAt: time.nullable(),
  problem: z.string().nullable(),
})

/** How the edges watch the control room. */
export const watcherView = z.object({
  /** Null: they do; else why nobody would ring, in words. */
  problem: z.string().nullable(),
  afterSeconds: z.number(),
  edges: z.int(),
  /** In the order in which they ring. */
  holders: z.array(z.object({ id: z.string(), region: z.string(), connected: z.boolean() })),
  /** Those whom the first route names; `problem`: why edges cannot use it. */
  receivers: z.array(z.object({ name: z.string(), problem: z.string().nullable() })),
  /** The last time that edges rang; null: never. */
  last: z.object({ at: time, closedAt: time, receivers: z.array(z.string()) }).nullable(),
})
export type WatcherView = z.infer<typeof watcherView>

/** The file that all of this comes from. */
export const notifyConfigView = z.object({
  /** Null: there is none that could change. */
  file: z.string().nullable(),
  loadedAt: time,
  /** Why the file as it stands now is not in force; null: it is. */
  problem: z.string().nullable(),
})

/** `GET /api/v1/notifications` (viewer). */
export const notificationsAnswer = z.object({
  now: time,
  receivers: z.array(receiverView),
  /** In words, in their order. */
  routes: z.array(z.object({ when: z.string(), does: z.array(z.string()) })),
  onCall: z.array(
    z.object({
      list: z.string(),
      person: z.string(),
      receivers: z.array(z.string()),
      until: time,
      next: z.string(),
      zone: z.string(),
    }),
  ),
  heartbeat: heartbeatView.nullable(),
  watcher: watcherView,
  config: notifyConfigView,
})
export type NotificationsAnswer = z.infer<typeof notificationsAnswer>

/** `GET /api/v1/deliveries` (viewer): newest first. */
export const deliveriesAnswer = z.object({ now: time, deliveries: z.array(deliveryView) })

/** `POST /api/v1/receivers/{name}/test` (admin): the delivery, which is under way. */
export const testAnswer = z.object({ now: time, delivery: deliveryView })
