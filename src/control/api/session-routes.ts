// Owns signing in and out, and who one is.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { packageVersion } from '#base'
import { meAnswer, signInRequest, type UserRole } from '#wire'
import type { ControlContext } from '../context.ts'
import { controlFaults } from '../faults.ts'
import { LINK_NAME } from '../state/people.ts'
import { fromThisMachine, isSameOrigin, isSecure, sessionCookieName } from './guard.ts'
import { addRoute } from './route.ts'

/** Enough for somebody who mistypes, far too few for guessing. */
const SIGN_INS_PER_MINUTE = 10
/** The server ends sessions by itself; the browser forgets the cookie after the same time. */
const COOKIE_S_MAX = 7 * 24 * 3600

export function addSessionRoutes(app: FastifyInstance, context: ControlContext): void {
  addRoute(app, {
    method: 'POST',
    url: '/api/v1/sign-in',
    access: 'anyone',
    summary: 'Sign in with a one-time link, or with a name and a password; sets the session cookie',
    body: signInRequest,
    answer: meAnswer,
    ratePerMinute: SIGN_INS_PER_MINUTE,
    bodyBytesMax: 8192,
    handle: async (request, reply, body) => {
      // Another site must not be able to sign a visitor in as somebody else.
      if (request.headers.origin !== undefined && !isSameOrigin(request, context)) {
        throw controlFaults.fault('control-csrf', 'the Origin header does not name this control room')
      }
      const { people } = context.state
      const session =
        'link' in body
          ? await people.signInByLink(body.link)
          : await people.signInByPassword(body.name, body.password)
      if (session === null) {
        const what =
          'link' in body ? 'the link is wrong, used or expired' : 'the name or the password is wrong'
        throw controlFaults.fault('control-sign-in-failed', what)
      }
      setCookie(reply, context, session.cookie, COOKIE_S_MAX)
      return me(context, { ...session, bySession: true }, request)
    },
  })
  addRoute(app, {
    method: 'POST',
    url: '/api/v1/sign-out',
    access: 'viewer',
    summary: 'End this session',
    answer: z.object({}),
    handle: async (request, reply) => {
      const { principal } = request
      if (principal.kind === 'person' && principal.session !== null) {
        await context.state.people.signOut(principal.session.cookie)
      }
      setCookie(reply, context, '', 0)
      return {}
    },
  })
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/me',
    access: 'viewer',
    summary: 'Who is signed in',
    answer: meAnswer,
    handle: request => {
      const { principal } = request
      if (principal.kind !== 'person')
        throw controlFaults.fault('control-sign-in-needed', 'no person is signed in')
      const { name, role, session } = principal
      const who = { name, role, csrf: session?.csrf ?? '', bySession: session !== null }
      return me(context, who, request)
    },
  })
}

function me(
  context: ControlContext,
  who: { readonly name: string; readonly role: UserRole; readonly csrf: string; readonly bySession: boolean },
  request: FastifyRequest,
): z.infer<typeof meAnswer> {
  const { name, role, csrf, bySession } = who
  const tryIt = context.tryIt.available() && fromThisMachine(request, context)
  const signedInBy = !bySession ? 'token' : name === LINK_NAME ? 'link' : 'password'
  // A path tells of the machine: not to those who only look.
  const mediaFolder = role === 'viewer' ? null : (context.options.mediaFolder ?? null)
  return { name, role, csrf, version: packageVersion, tryIt, signedInBy, mediaFolder }
}

function setCookie(reply: FastifyReply, context: ControlContext, value: string, maxAge: number): void {
  const secure = isSecure(context)
  reply.setCookie(sessionCookieName(secure), value, {
    httpOnly: true,
    sameSite: 'strict',
    path: '/',
    secure,
    maxAge,
  })
}
