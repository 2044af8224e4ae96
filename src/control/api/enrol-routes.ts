// Owns how machines join: join strings for admins, enrolment for whoever holds one, certificates for those who joined,
// and what an operator says of a server.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { Fault } from '#base'
import { writeJoinString } from '#trust'
import {
  certificateAnswer,
  certificateRequest,
  type EnrolAnswer,
  type EnrolRequest,
  enrolAnswer,
  enrolRequest,
  foreignRequest,
  type JoinStringRequest,
  joinStringAnswer,
  joinStringMade,
  joinStringRequest,
  joinStringsAnswer,
  overrideRequest,
  serverTags,
} from '#wire'
import type { ControlContext } from '../context.ts'
import { controlFaults } from '../faults.ts'
import { nameOf } from './guard.ts'
import { addRoute, check } from './route.ts'

/** A machine that retries does so once in some seconds; a guesser has 2^256 tokens before it. */
const ENROLMENTS_PER_MINUTE = 30
const CERTIFICATES_PER_MINUTE = 60
const releaseQuery = z.object({ 'at-once': z.stringbool().optional() })

export function addEnrolRoutes(app: FastifyInstance, context: ControlContext): void {
  addJoinStringRoutes(app, context)
  addForeignRoute(app, context)
  addServerRoutes(app, context)
  addRoute(app, {
    method: 'POST',
    url: '/api/v1/enrol',
    access: 'anyone',
    summary: 'Join with the token of a join string: gives id and certificate',
    body: enrolRequest,
    answer: enrolAnswer,
    ratePerMinute: ENROLMENTS_PER_MINUTE,
    bodyBytesMax: 16 * 1024,
    handle: async (request, _reply, body): Promise<EnrolAnswer> => {
      const { authority } = context
      const { id, role, region, watches } = await joinNamed(context, request, body)
      await context.refreshAccess()
      const certificatePem =
        authority === null || body.requestPem === null
          ? null
          : await authority.sign(body.requestPem, namesOf(id, role))
      const authorityPem = certificatePem === null ? null : (authority?.roots.join('') ?? null)
      return {
        id,
        role,
        region,
        ...(watches === undefined ? {} : { watches }),
        certificatePem,
        authorityPem,
        originUrl: originUrlOf(context),
      }
    },
  })
  addRoute(app, {
    method: 'POST',
    url: '/api/v1/certificate',
    access: 'writer',
    summary: 'A new certificate for a server, asked for by itself',
    body: certificateRequest,
    answer: certificateAnswer,
    ratePerMinute: CERTIFICATES_PER_MINUTE,
    bodyBytesMax: 16 * 1024,
    handle: async (request, _reply, body) => {
      const { authority, fleet } = context
      const { principal } = request
      const server = principal.kind === 'server' ? fleet.get(principal.id) : null
      if (server === null) {
        throw controlFaults.fault(
          'control-role-too-low',
          'certificates are for servers, asked for with their own token',
        )
      }
      if (authority === null)
        throw controlFaults.fault('control-no-authority', 'this control room signs nothing')
      const certificatePem = await authority.sign(body.requestPem, namesOf(server.id, server.role))
      return { certificatePem, authorityPem: authority.roots.join('') }
    },
  })
}

/** A string that is played again, or a name that is taken: told here as well, since the other machine's log is not ours. */
async function joinNamed(
  context: ControlContext,
  request: FastifyRequest,
  body: EnrolRequest,
): ReturnType<ControlContext['state']['joinStrings']['use']> {
  try {
    return await context.state.joinStrings.use(body)
  } catch (thrown) {
    if (thrown instanceof Fault) {
      const { id: server, role } = body
      context.log.warn('join-refused', { server, role, from: request.ip, problem: thrown.message })
    }
    throw thrown
  }
}

function addJoinStringRoutes(app: FastifyInstance, context: ControlContext): void {
  const { joinStrings } = context.state
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/join-strings',
    access: 'operator',
    summary: 'Join strings without their secrets, also the ended ones',
    answer: joinStringsAnswer,
    handle: async () => ({ now: context.fleetTime.nowMs(), joinStrings: await joinStrings.list() }),
  })
  addRoute(app, {
    method: 'POST',
    url: '/api/v1/join-strings',
    access: 'operator',
    summary: 'Make a join string, which is shown here alone; operators make those of new edges',
    body: joinStringRequest,
    answer: joinStringMade,
    handle: async (request, _reply, body) => {
      expectMayInvite(request, body)
      const controlUrl = context.joinUrl()
      const wanted = isAdmin(request) ? body : { ...body, admission: true }
      const { token, ...view } = await joinStrings.make(wanted, nameOf(request))
      const joinString = writeJoinString({ controlUrl, token, pin: context.authority?.pin ?? null })
      return { ...view, joinString, command: `npx vitrine ${body.role} --join ${joinString}` }
    },
  })
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/join-strings/:id',
    access: 'operator',
    summary: 'One join string without its secret: whether it was used, and by whom',
    answer: joinStringAnswer,
    handle: async request => {
      const found = await joinStrings.find(idOf(request))
      if (found !== null) return { now: context.fleetTime.nowMs(), joinString: found }
      const message = `no join string has the id ${JSON.stringify(idOf(request).slice(0, 64))}`
      throw controlFaults.fault('control-join-string-unknown', message)
    },
  })
  addRoute(app, {
    method: 'DELETE',
    url: '/api/v1/join-strings/:id',
    access: 'operator',
    summary: 'Revoke an open join string',
    answer: z.object({}),
    handle: async request => {
      await joinStrings.revoke(idOf(request), nameOf(request))
      return {}
    },
  })
}

function addForeignRoute(app: FastifyInstance, context: ControlContext): void {
  addRoute(app, {
    method: 'POST',
    url: '/api/v1/foreign-servers',
    access: 'operator',
    summary: 'Look at somebody else’s streaming server from now on, or change what is known of it',
    body: foreignRequest,
    answer: z.object({}),
    handle: async (request, _reply, body) => {
      await context.state.foreign.watch(body, nameOf(request))
      await context.refreshAccess()
      return {}
    },
  })
}

function addServerRoutes(app: FastifyInstance, context: ControlContext): void {
  addRoute(app, {
    method: 'PUT',
    url: '/api/v1/servers/:id/tags',
    access: 'operator',
    summary: 'Say a server’s name, provider, instance type and capacity; replaces what was said before',
    body: serverTags,
    answer: z.object({ tags: serverTags }),
    handle: async (request, _reply, tags) => {
      await context.state.servers.tag(idOf(request), tags, nameOf(request))
      await context.refreshAccess()
      return { tags }
    },
  })
  addRoute(app, {
    method: 'PUT',
    url: '/api/v1/servers/:id/override',
    access: 'operator',
    summary: 'Order a server out of service or into it, with a reason and an end',
    body: overrideRequest,
    answer: z.object({}),
    handle: async (request, _reply, body) => {
      await context.state.overrides.set(idOf(request), body, nameOf(request))
      await context.refreshAccess()
      return {}
    },
  })
  addRoute(app, {
    method: 'DELETE',
    url: '/api/v1/servers/:id/override',
    access: 'operator',
    summary:
      'End the order: the witnesses decide again; an edge comes back in steps, or with ?at-once=true at once',
    query: releaseQuery,
    answer: z.object({}),
    handle: async request => {
      const { 'at-once': atOnce = false } = check(releaseQuery, request.query, 'query')
      await context.state.overrides.end(idOf(request), nameOf(request), atOnce)
      if (atOnce) context.fleet.returnsAtOnce(idOf(request))
      await context.refreshAccess()
      return {}
    },
  })
  addRoute(app, {
    method: 'POST',
    url: '/api/v1/servers/:id/retire',
    access: 'admin',
    summary: 'Take a server out of service for good: its credential ends, its past stays',
    answer: z.object({}),
    handle: async request => {
      await context.state.servers.retire(idOf(request), nameOf(request))
      await context.refreshAccess()
      return {}
    },
  })
}

/** What its certificate proves: to be this server, and for an origin to be one. An edge must never pass for one. */
function namesOf(id: string, role: string): Parameters<NonNullable<ControlContext['authority']>['sign']>[1] {
  return role === 'origin' ? [{ server: id }, { role: 'origin' }] : [{ server: id }]
}

/** An origin has all media, and a known id takes that server's place: both are for admins. */
function expectMayInvite(request: FastifyRequest, { role }: JoinStringRequest): void {
  if (isAdmin(request) || role === 'edge') return
  throw controlFaults.fault('control-role-too-low', 'operators invite new edges; this needs role admin')
}

function isAdmin({ principal }: FastifyRequest): boolean {
  return principal.kind === 'person' && principal.role === 'admin'
}

function originUrlOf({ fleet }: ControlContext): string | null {
  return fleet.all().find(({ role, url }) => role === 'origin' && url !== '')?.url ?? null
}

function idOf(request: FastifyRequest): string {
  return (request.params as { readonly id: string }).id
}
