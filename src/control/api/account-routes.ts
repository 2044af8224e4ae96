// Owns what people do about themselves: their password, the browsers in which they are signed in, their tokens. Admins
// see and end everybody's.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import {
  mayAct,
  passwordRequest,
  tokenMade,
  tokenRequest,
  tokensAnswer,
  type UserRole,
  webSessionsAnswer,
} from '#wire'
import type { ControlContext } from '../context.ts'
import { controlFaults } from '../faults.ts'
import type { SessionOwner } from '../people/web-sessions.ts'
import { nameOf, personOf } from './guard.ts'
import { addRoute, check } from './route.ts'

const PASSWORDS_PER_MINUTE = 10
const ofQuery: z.ZodType<{ of?: 'everybody' | undefined }> = z.object({
  of: z.literal('everybody').optional(),
})

const isAdmin = ({ principal }: FastifyRequest): boolean =>
  principal.kind === 'person' && mayAct(principal.role, 'admin')

/** A one-time link names nobody, so it owns itself alone. */
function ownerOf(request: FastifyRequest): SessionOwner {
  const name = personOf(request)
  if (name !== null) return { name }
  const { principal } = request
  return { id: principal.kind === 'person' ? (principal.session?.id ?? '') : '' }
}

const idOf = (request: FastifyRequest): string => (request.params as { readonly id: string }).id

export function addAccountRoutes(app: FastifyInstance, context: ControlContext): void {
  addPasswordRoute(app, context)
  addWebSessionRoutes(app, context)
  addTokenRoutes(app, context)
}

function addPasswordRoute(app: FastifyInstance, { state }: ControlContext): void {
  addRoute(app, {
    method: 'POST',
    url: '/api/v1/me/password',
    access: 'viewer',
    summary: 'Change one’s own password; every other browser of the same person is signed out',
    body: passwordRequest,
    answer: z.object({}),
    ratePerMinute: PASSWORDS_PER_MINUTE,
    bodyBytesMax: 8192,
    handle: async (request, _reply, { current, password }) => {
      const { principal } = request
      const name = personOf(request)
      if (name === null || principal.kind !== 'person' || principal.session === null) {
        const message = 'only somebody who signed in by name, in a browser, has a password to change'
        throw controlFaults.fault('control-request-invalid', message)
      }
      const change = { name, current, password, session: principal.session.id }
      if (!(await state.people.changePassword(change))) {
        throw controlFaults.fault('control-request-invalid', 'the present password is another one')
      }
      return {}
    },
  })
}

function addWebSessionRoutes(app: FastifyInstance, { state, fleetTime }: ControlContext): void {
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/web-sessions',
    access: 'viewer',
    summary:
      'Browsers in which one is signed in; with of=everybody (admin) all, also those by a one-time link',
    query: ofQuery,
    answer: webSessionsAnswer,
    handle: async request => {
      const { of } = check(ofQuery, request.query, 'query')
      if (of === 'everybody' && !isAdmin(request)) {
        throw controlFaults.fault('control-role-too-low', 'the browsers of everybody need role admin')
      }
      const { principal } = request
      const ownId = principal.kind === 'person' ? (principal.session?.id ?? null) : null
      const sessions = await state.webSessions.list(of === 'everybody' ? null : ownerOf(request))
      const shown = sessions.map(session => ({ ...session, own: session.id === ownId }))
      return { now: fleetTime.nowMs(), sessions: shown }
    },
  })
  addRoute(app, {
    method: 'DELETE',
    url: '/api/v1/web-sessions/:id',
    access: 'viewer',
    summary: 'Sign a browser out at once: one’s own, or as an admin anybody’s',
    answer: z.object({}),
    handle: async request => {
      await state.webSessions.end(idOf(request), isAdmin(request) ? null : ownerOf(request), nameOf(request))
      return {}
    },
  })
}

function addTokenRoutes(app: FastifyInstance, context: ControlContext): void {
  const { state, fleetTime } = context
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/tokens',
    access: 'viewer',
    summary: 'One’s own API tokens, for admins all, without their secrets, also the ended ones',
    query: ofQuery,
    answer: tokensAnswer,
    handle: async request => {
      const owner = personOf(request)
      const { of } = check(ofQuery, request.query, 'query')
      const isAll = isAdmin(request) && (of === 'everybody' || owner === null)
      if (!isAll && owner === null) return { now: fleetTime.nowMs(), tokens: [] }
      return { now: fleetTime.nowMs(), tokens: await state.tokens.list(isAll ? null : owner) }
    },
  })
  addRoute(app, {
    method: 'POST',
    url: '/api/v1/tokens',
    access: 'viewer',
    summary: 'Make an API token of one’s own, with at most one’s own role; the answer alone shows it',
    body: tokenRequest,
    answer: tokenMade,
    handle: async (request, _reply, { role, name, scope, expiresInS }) => {
      checkMaking(request, role)
      const limits = { owner: personOf(request), scope, expiresInS }
      const made = await state.tokens.create(role, name, nameOf(request), limits)
      await context.refreshAccess()
      return made
    },
  })
  addRoute(app, {
    method: 'DELETE',
    url: '/api/v1/tokens/:id',
    access: 'viewer',
    summary: 'Revoke an API token: one’s own, or as an admin anybody’s',
    answer: z.object({}),
    handle: async request => {
      const owner = personOf(request)
      if (!isAdmin(request) && owner === null) {
        throw controlFaults.fault('control-token-unknown', 'nobody in particular owns no token')
      }
      await state.tokens.revoke(idOf(request), nameOf(request), isAdmin(request) ? null : owner)
      await context.refreshAccess()
      return {}
    },
  })
}

/** Without a name of one's own, or by a token, only admins make tokens: else one that is found would outlive itself. */
function checkMaking(request: FastifyRequest, role: UserRole): void {
  if (isAdmin(request)) return
  const { principal } = request
  if (principal.kind !== 'person' || principal.session === null || personOf(request) === null) {
    const message = 'only somebody who signed in by name makes tokens of their own'
    throw controlFaults.fault('control-role-too-low', message)
  }
  if (mayAct(principal.role, role)) return
  const message = `a token of one’s own has at most one’s own role, ${principal.role}`
  throw controlFaults.fault('control-role-too-low', message)
}
