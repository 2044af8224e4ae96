// Owns who may call which route: the Host, the sign-in, the role, and the proof that a browser's request is our page's.
// It refuses a route that does not say who may call it.
import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isLoopback, isTls } from '#base'
import { mayAct, type TokenScope, type UserRole } from '#wire'
import type { TokenIdentity } from '../access.ts'
import type { ControlContext } from '../context.ts'
import { controlFaults } from '../faults.ts'
import { LINK_NAME } from '../people/web-sessions.ts'
import { type Actor, runAs } from '../state/acting.ts'

/**
 * `anyone`; a person with at least this role; `writer`: an admin, or a server that writes as itself; `wall`: people,
 * and screens with a link to the wall.
 */
export type RouteAccess = 'anyone' | UserRole | 'writer' | 'wall'

export type Principal =
  | { readonly kind: 'anonymous' }
  | {
      readonly kind: 'person'
      readonly name: string
      readonly role: UserRole
      /** Null: it came with a token. */
      readonly session: Session | null
      /** Null: it came with a cookie. */
      readonly token: TokenIdentity | null
    }
  | { readonly kind: 'server'; readonly id: string }
  | { readonly kind: 'wall'; readonly name: string }

/** Of a person who came with a cookie. */
export interface Session {
  /** Told to people. */
  readonly id: string
  readonly cookie: string
  readonly csrf: string
}

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: RouteAccess
    /** Where a browser proves that our page made the request; a header unless it says otherwise. */
    proof?: 'form'
  }
  interface FastifyRequest {
    principal: Principal
  }
}

/** Who the audit names for a request. */
export function nameOf({ principal }: FastifyRequest): string {
  return principal.kind === 'person' ? principal.name : principal.kind
}

/** The named person who answers for a request: of a token its owner. Null: nobody is named. */
export function personOf({ principal }: FastifyRequest): string | null {
  if (principal.kind !== 'person') return null
  if (principal.token !== null) return principal.token.owner
  return principal.name === LINK_NAME ? null : principal.name
}

/** Who has an incident, wrote a note: a person wherever one answers for it, so that their token is no stranger. */
export function actsAs(request: FastifyRequest): string {
  return personOf(request) ?? nameOf(request)
}

function actorOf(request: FastifyRequest): Actor {
  const { principal, ip: address } = request
  const person = personOf(request)
  if (principal.kind !== 'person') {
    const via = principal.kind === 'server' ? principal.id : ''
    return { kind: principal.kind, person, via, address }
  }
  const { token, session } = principal
  if (token !== null) return { kind: 'token', person, via: token.id, address }
  return { kind: person === null ? 'link' : 'person', person, via: session?.id ?? '', address }
}

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])
const CSRF_HEADER = 'x-vitrine-csrf'
const SESSION_COOKIE = 'vitrine-session'

/** Cookies with this prefix are taken by browsers only with Secure and Path=/ (RFC 6265bis section 4.1.3.2). */
export function sessionCookieName(secure: boolean): string {
  return secure ? `__Host-${SESSION_COOKIE}` : SESSION_COOKIE
}

/** Plain HTTP is for loopback alone; there browsers would not send a Secure cookie back. */
export function isSecure({ options }: ControlContext): boolean {
  const { listen, publicUrl } = options
  if (isTls(listen) || publicUrl?.startsWith('https:') === true) return true
  return !isLoopback(listen.host)
}

const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'] as const

/**
 * True for a request from this machine itself. Behind a proxy every request comes from the proxy's address, so none
 * counts; a proxy that nobody named gives itself away by its headers, which can only ever make this false.
 */
export function fromThisMachine({ socket, headers }: FastifyRequest, { options }: ControlContext): boolean {
  const { remoteAddress } = socket
  if (options.listen.behindProxy === true || remoteAddress === undefined) return false
  return isLoopback(remoteAddress) && FORWARDED.every(name => headers[name] === undefined)
}

/** Installs the checks; every route registered afterwards must carry `config.access`. */
export function installGuard(app: FastifyInstance, context: ControlContext): void {
  // Every request gets its own in the hook below; the cast is for the moment before.
  app.decorateRequest<Principal | null>('principal', null)
  app.addHook('onRoute', route => {
    if (route.config?.access === undefined)
      throw new TypeError(`route ${route.url} does not say who may call it`)
  })
  app.addHook('onRequest', async (request: FastifyRequest, _reply: FastifyReply) => {
    checkHost(request.raw, context)
    request.principal = await identify(request, context)
    const access = request.routeOptions.config.access
    // Unknown addresses are answered 404 by their own handler.
    if (access === undefined || access === 'anyone') return
    authorise(request.principal, access)
    checkScope(request)
    checkOrigin(request, context)
  })
  // A form without a script has no header: its proof lies in the body, which is read by now.
  app.addHook('preHandler', async request => checkForm(request))
  // Whatever the handler changes is noted under whom it was asked by; the last hook before it.
  app.addHook('preHandler', (request, _reply, done) => {
    runAs(actorOf(request), done)
  })
}

/**
 * A page on another site can point its own name at 127.0.0.1 and so talk to us as if it were ours (DNS rebinding):
 * on loopback only loopback names and the public URL's host are served.
 */
export function hostAllowed(request: IncomingMessage, { options }: ControlContext): boolean {
  if (!isLoopback(options.listen.host)) return true
  const host = request.headers.host
  if (host === undefined) return false
  const parsed = parseUrl(`http://${host}`)
  if (parsed === null) return false
  if (isLoopback(parsed.hostname)) return true
  return options.publicUrl !== null && parseUrl(options.publicUrl)?.hostname === parsed.hostname
}

function checkHost(request: IncomingMessage, context: ControlContext): void {
  if (hostAllowed(request, context)) return
  const host = JSON.stringify((request.headers.host ?? '').slice(0, 128))
  const message = `Host ${host} is neither loopback nor the public URL's host`
  throw controlFaults.fault('control-host-refused', message)
}

async function identify(request: FastifyRequest, context: ControlContext): Promise<Principal> {
  const { authorization } = request.headers
  if (authorization !== undefined) {
    // Tokens that a command made or revoked count at once.
    await context.followAccess()
    const owner = context.access.ownerOf(authorization)
    if (owner === null) return { kind: 'anonymous' }
    if (owner.kind !== 'person') return owner
    // Telling when it was used must keep nobody from using it.
    await context.state.tokens
      .used(owner.token.id, request.ip)
      .catch((error: unknown) => context.log.warn('token-use-not-stored', { error }))
    return { ...owner, session: null }
  }
  const cookie = request.cookies[sessionCookieName(isSecure(context))]
  if (cookie === undefined || cookie.length > 256) return { kind: 'anonymous' }
  const session = await context.state.people.sessionOf(cookie)
  if (session === null) return { kind: 'anonymous' }
  const { id, name, role, csrf } = session
  return { kind: 'person', name, role, session: { id, cookie, csrf }, token: null }
}

function authorise(principal: Principal, access: Exclude<RouteAccess, 'anyone'>): void {
  if (principal.kind === 'anonymous') {
    throw controlFaults.fault('control-sign-in-needed', 'sign in, or send an API token')
  }
  const needed = access === 'writer' ? 'admin' : access === 'wall' ? 'viewer' : access
  if (isAllowed(principal, access, needed)) return
  const message = `this needs role ${needed}, not ${whoOf(principal)}`
  throw controlFaults.fault('control-role-too-low', message)
}

const SCOPES: Readonly<Record<TokenScope, (url: string) => boolean>> = {
  everything: () => true,
  metrics: url => /^\/(prometheus\/|metrics$)/.test(url),
  alerts: url => url === '/api/v2/alerts',
}

/** A token for one purpose is of no use to whoever finds it and wants another. */
function checkScope({ principal, routeOptions }: FastifyRequest): void {
  if (principal.kind !== 'person' || principal.token === null) return
  const { scope } = principal.token
  if (SCOPES[scope](routeOptions.url ?? '')) return
  throw controlFaults.fault('control-role-too-low', `this token is for ${scope} alone`)
}

type Known = Exclude<Principal, { readonly kind: 'anonymous' }>

function isAllowed(principal: Known, access: RouteAccess, needed: UserRole): boolean {
  switch (principal.kind) {
    case 'server':
      return access === 'writer'
    case 'wall':
      return access === 'wall'
    case 'person':
      return mayAct(principal.role, needed)
    default:
      return principal satisfies never
  }
}

function whoOf(principal: Known): string {
  if (principal.kind === 'person') return `role ${principal.role}`
  return principal.kind === 'server' ? 'a server token' : 'a link to the wall'
}

/** Cookies come with every request, also with those that another site's page makes. */
function checkOrigin(request: FastifyRequest, context: ControlContext): void {
  const { principal } = request
  if (principal.kind !== 'person' || principal.session === null || SAFE_METHODS.has(request.method)) return
  const given = request.headers[CSRF_HEADER]
  const inForm = request.routeOptions.config.proof === 'form'
  if (!inForm && (typeof given !== 'string' || !equal(given, principal.session.csrf))) {
    const message = `${CSRF_HEADER} does not hold the value from /api/v1/me`
    throw controlFaults.fault('control-csrf', message)
  }
  if (!isSameOrigin(request, context)) {
    throw controlFaults.fault('control-csrf', 'the Origin header does not name this control room')
  }
}

function checkForm({ principal, routeOptions, method, body }: FastifyRequest): void {
  if (routeOptions.config.proof !== 'form' || SAFE_METHODS.has(method)) return
  if (principal.kind !== 'person' || principal.session === null) return
  const given: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, 'csrf') : null
  if (typeof given === 'string' && equal(given, principal.session.csrf)) return
  throw controlFaults.fault('control-csrf', 'the form is not from a page of this session')
}

/** The Origin is the Host that was asked, or the public URL. Browsers send it with every POST, PUT and DELETE. */
export function isSameOrigin(request: FastifyRequest, { options }: ControlContext): boolean {
  const { origin, host } = request.headers
  const asked = origin === undefined ? null : parseUrl(origin)
  if (asked === null) return false
  if (asked.host === parseUrl(`http://${host}`)?.host) return true
  return options.publicUrl !== null && asked.origin === parseUrl(options.publicUrl)?.origin
}

function equal(a: string, b: string): boolean {
  const left = Buffer.from(a)
  const right = Buffer.from(b)
  return left.length === right.length && timingSafeEqual(left, right)
}

function parseUrl(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null
}
