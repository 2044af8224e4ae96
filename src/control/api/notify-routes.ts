// Owns what people see of notifications, the test of a receiver, and the page behind a link in a message: looking at it
// changes nothing, so that programs which open every link do no harm.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { Fault } from '#base'
import { deliveriesAnswer, notificationsAnswer, testAnswer } from '#wire'
import type { ControlContext } from '../context.ts'
import { listDeliveries } from '../notify/delivery-book.ts'
import { linkFacts } from '../notify/link-facts.ts'
import { linkPagePolicy, renderDeadLink, renderLinkPage } from '../notify/link-page.ts'
import type { LinkHolder } from '../notify/links.ts'
import { notificationsView } from '../notify/notification-view.ts'
import { type Taken, takeIncident } from '../notify/take-incident.ts'
import { runAs } from '../state/acting.ts'
import { nameOf } from './guard.ts'
import { addRoute, check } from './route.ts'

/** A person looks now and again; a guesser has 2^128 signatures before them. */
const LOOKS_PER_MINUTE = 120
const TESTS_PER_MINUTE = 20
const FORM_BYTES_MAX = 1024

const deliveriesQuery = z.object({
  limit: z.coerce.number().int().min(1).max(500).optional(),
  incident: z.string().max(128).optional(),
})

export async function addNotifyRoutes(app: FastifyInstance, context: ControlContext): Promise<void> {
  const { state, notifications } = context
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/notifications',
    access: 'viewer',
    summary: 'Receivers with their standing, routes and on-call lists in words, and the heartbeat',
    answer: notificationsAnswer,
    handle: () => notificationsView(state, notifications, context.watcher.view()),
  })
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/deliveries',
    access: 'viewer',
    summary: 'Notifications that were sent, wait or were given up, newest first',
    query: deliveriesQuery,
    answer: deliveriesAnswer,
    handle: async request => {
      const { limit, incident } = check(deliveriesQuery, request.query, 'query')
      return { now: state.nowMs(), deliveries: await listDeliveries(state, { limit, incident }) }
    },
  })
  addRoute(app, {
    method: 'POST',
    url: '/api/v1/receivers/:name/test',
    access: 'admin',
    summary: 'Send a test notice to one receiver; what came back stands in /api/v1/deliveries',
    answer: testAnswer,
    ratePerMinute: TESTS_PER_MINUTE,
    handle: async request => {
      const { name } = request.params as { readonly name: string }
      const delivery = await notifications.notifier.test(name, nameOf(request))
      return { now: state.nowMs(), delivery }
    },
  })
  await addLinkPages(app, context)
}

/** In a scope of their own: a form is taken nowhere else. */
async function addLinkPages(app: FastifyInstance, context: ControlContext): Promise<void> {
  await app.register(async scope => {
    scope.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string', bodyLimit: FORM_BYTES_MAX },
      async () => null, // the address says it all
    )
    addRoute(scope, {
      method: 'GET',
      url: '/i/:token',
      access: 'anyone',
      summary: 'One incident, for whoever has a link from a message; changes nothing',
      ratePerMinute: LOOKS_PER_MINUTE,
      handle: (request, reply) => linkPage(context, request, reply, false),
    })
    addRoute(scope, {
      method: 'POST',
      url: '/i/:token',
      access: 'anyone',
      summary: 'Acknowledge that incident in the name of the link’s recipient',
      ratePerMinute: LOOKS_PER_MINUTE,
      bodyBytesMax: FORM_BYTES_MAX,
      handle: (request, reply) => linkPage(context, request, reply, true),
    })
  })
}

async function linkPage(
  context: ControlContext,
  request: FastifyRequest,
  reply: FastifyReply,
  takes: boolean,
): Promise<FastifyReply> {
  const { state, notifications } = context
  reply.headers({
    'content-security-policy': linkPagePolicy,
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer', // the address is the key
    'x-robots-tag': 'noindex',
  })
  reply.type('text/html; charset=utf-8')
  const { token } = request.params as { readonly token: string }
  const holder = await notifications.links.read(token)
  if (holder === null) return reply.status(404).send(renderDeadLink())
  const told = takes ? toldWords(await take(context, holder, request.ip)) : null
  const facts = await linkFacts(state, holder, notifications.plan().zone, told)
  if (facts === null) return reply.status(404).send(renderDeadLink())
  return reply.send(renderLinkPage(facts))
}

/** The one place where a link acts. */
async function take(
  { state, incidents }: ControlContext,
  { incident, recipient, isUser }: LinkHolder,
  address: string,
): Promise<Taken> {
  try {
    const actor = { kind: 'link', person: isUser ? recipient : null, via: 'incident-link', address } as const
    await runAs(actor, () => incidents.keeper.actions.acknowledge(incident, recipient))
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    // Who has it, that it is over, or that nobody looks at it any more: the row says.
  }
  return takeIncident(state, incident, recipient)
}

function toldWords(taken: Taken): string | null {
  switch (taken.kind) {
    case 'yours':
      return 'You have it. The others are told.'
    case 'theirs':
      return `${taken.by} has it already.`
    case 'resolved':
      return 'It was resolved meanwhile.'
    case 'unknown':
      return null
    default:
      return taken satisfies never
  }
}
