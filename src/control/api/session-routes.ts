// Owns signing in and out, and who one is.
import { setTimeout as pause } from 'node:timers/promises'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { packageVersion } from '#base'
import {
  invitationAccept,
  invitationLook,
  invitationSeen,
  meAnswer,
  recoveryRequest,
  signInRequest,
  type UserRole,
} from '#wire'
import type { ControlContext } from '../context.ts'
import { controlFaults } from '../faults.ts'
import { deviceWords } from '../people/device-words.ts'
import { recoveryRefused } from '../people/recovery.ts'
import { LINK_NAME, type NewSession, type SessionPlace } from '../people/web-sessions.ts'
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
      checkOwnSite(request, context)
      const place = placeOf(request)
      const session =
        'link' in body
          ? await context.state.people.signInByLink(body.link, place)
          : await signInByPassword(context, body, place)
      if (session === null) {
        const what =
          'link' in body ? 'the link is wrong, used or expired' : 'the name or the password is wrong'
        throw controlFaults.fault('control-sign-in-failed', what)
      }
      return begin(context, reply, session, request)
    },
  })
  addInvitationRoutes(app, context)
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

function addInvitationRoutes(app: FastifyInstance, context: ControlContext): void {
  const { invitations, recovery } = context.state
  const common = { method: 'POST', access: 'anyone', ratePerMinute: SIGN_INS_PER_MINUTE } as const
  const unknown = (): Error =>
    controlFaults.fault(
      'control-link-unknown',
      'this link was used, was revoked, has expired, or is not whole',
    )
  addRoute(app, {
    ...common,
    url: '/api/v1/invitations/look',
    summary: 'Whom a link invites, and as what; spends nothing',
    body: invitationLook,
    answer: invitationSeen,
    bodyBytesMax: 8192,
    handle: async (_request, _reply, { code }) => {
      const seen = await invitations.look(code)
      if (seen === null) throw unknown()
      return seen
    },
  })
  addRoute(app, {
    ...common,
    url: '/api/v1/invitations/accept',
    summary: 'Set the password that an invitation or a reset is for, and sign in; once',
    body: invitationAccept,
    answer: meAnswer,
    bodyBytesMax: 8192,
    handle: async (request, reply, { code, password }) => {
      checkOwnSite(request, context)
      const session = await invitations.accept(code, password, placeOf(request))
      if (session === null) throw unknown()
      return begin(context, reply, session, request)
    },
  })
  addRoute(app, {
    ...common,
    url: '/api/v1/recovery',
    summary: 'Make a new admin with the sealed recovery code, once, and sign in as that',
    body: recoveryRequest,
    answer: meAnswer,
    bodyBytesMax: 8192,
    handle: async (request, reply, body) => {
      checkOwnSite(request, context)
      const session = await recovery.use(body, placeOf(request))
      if (session === null) throw recoveryRefused()
      context.log.warn('recovery-code-used', { admin: session.name, address: request.ip })
      return begin(context, reply, session, request)
    },
  })
}

/** Another site must not be able to sign a visitor in as somebody else. */
function checkOwnSite(request: FastifyRequest, context: ControlContext): void {
  if (request.headers.origin === undefined || isSameOrigin(request, context)) return
  throw controlFaults.fault('control-csrf', 'the Origin header does not name this control room')
}

function placeOf({ headers, ip }: FastifyRequest): SessionPlace {
  return { device: deviceWords(headers['user-agent']), address: ip }
}

/** Counted before it is checked, so that many at once are not one; a name that signs in from where it did before waits for itself alone. */
async function signInByPassword(
  { state, pace, auditKeeper }: ControlContext,
  { name, password }: { readonly name: string; readonly password: string },
  place: SessionPlace,
): Promise<NewSession | null> {
  const isKnown = await state.people.knownPlace(name, place.address)
  const lane = isKnown ? `${name} ${place.address}` : name
  const waitMs = pace.wait(lane)
  pace.failed(lane)
  if (waitMs > 0) await pause(waitMs)
  const session = await state.people.signInByPassword(name, password, place)
  if (session !== null) pace.succeeded(lane)
  else await auditKeeper.wrongPassword(name, place)
  return session
}

function begin(
  context: ControlContext,
  reply: FastifyReply,
  session: NewSession,
  request: FastifyRequest,
): z.infer<typeof meAnswer> {
  setCookie(reply, context, session.cookie, COOKIE_S_MAX)
  return me(context, { ...session, bySession: true }, request)
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
