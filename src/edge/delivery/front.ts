// Owns the edge's front door: what each URL is answered with, whom it admits, what is counted. It throws nothing:
// whatever goes wrong becomes an answer or a cut connection.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { type Clock, type Log, unreachable } from '#base'
import type { AccessTable } from '#link'
import { EXPOSITION_CONTENT_TYPE, renderExposition } from '#metrics'
import { nearFirst } from '#wire'
import type { Served } from '../accounting/access-line.ts'
import type { Accounting } from '../accounting/accounting.ts'
import type { RequestKind } from '../accounting/totals.ts'
import { edgeFaults } from '../faults.ts'
import { departureUrl } from '../steering/departure.ts'
import type { FleetView } from '../steering/fleet-view.ts'
import type { Tally } from '../tally.ts'
import { EVENTS_BYTES_MAX } from '../viewers/events.ts'
import type { Identity } from '../viewers/identity.ts'
import type { Intake } from '../viewers/intake.ts'
import type { ProbePass } from '../viewers/probe-pass.ts'
import { type BodyRefusal, ReportBodies } from '../viewers/report-body.ts'
import type { Sessions } from '../viewers/sessions.ts'
import type { WatchDoor } from '../watcher/watch-door.ts'
import type { Connections } from './connections.ts'
import type { Entry } from './entry.ts'
import { type Exchange, reply, replyFault } from './exchange.ts'
import { commonFields, preflightFields } from './fields.ts'
import type { MediaDelivery, OnSent } from './media.ts'
import type { Page, Pages } from './pages.ts'
import { type Route, readTarget } from './route.ts'
import { addressOf, identityOf, steeringSession, type Viewer, viewerOf } from './viewer.ts'

export interface FrontOptions {
  readonly edgeId: string
  readonly behindProxy: boolean
  readonly clock: Clock
  readonly log: Log
  readonly tally: Tally
  readonly media: MediaDelivery
  readonly entry: Entry
  readonly pages: Pages
  readonly sessions: Sessions
  readonly intake: Intake
  readonly access: AccessTable
  readonly accounting: Accounting
  readonly fleet: FleetView
  readonly probePass: ProbePass
  readonly watchDoor: WatchDoor
}

export class Front {
  readonly #options: FrontOptions
  readonly #bodies = new ReportBodies()
  #connections: Connections | null = null

  constructor(options: FrontOptions) {
    this.#options = options
  }

  /** Known only once the server listens. */
  admitBy(connections: Connections): void {
    this.#connections = connections
  }

  handle = (req: IncomingMessage, res: ServerResponse): void => {
    const { clock, tally, edgeId } = this.#options
    const exchange: Exchange = {
      req,
      res,
      socket: req.socket,
      startMs: clock.monotonicMs(),
      edgeId,
      tally,
      settle: this.#settle,
      query: '',
      prefix: '',
      kind: 'other',
      title: null,
      session: null,
      isEstimated: false,
      isProbe: false,
      cache: null,
      firstByteMs: null,
      upstreamMs: null,
      upstreamRestMs: 0,
      status: 0,
      handedBytes: 0,
      isSettled: false,
    }
    res.on('error', noEvent)
    try {
      const later = this.#answer(exchange)
      if (later !== null) later.catch((thrown: unknown) => this.#failed(exchange, thrown))
    } catch (thrown) {
      this.#failed(exchange, thrown)
    }
  }

  #failed(exchange: Exchange, thrown: unknown): void {
    if (!(thrown instanceof Error && thrown.name === 'Fault')) {
      this.#options.log.error('request-failed', { kind: exchange.kind, error: thrown })
    }
    replyFault(exchange, thrown)
  }

  /** Accounts an answer that is over. */
  #settle = (exchange: Exchange, bytes: number, whole: boolean): void => {
    if (exchange.isSettled) return
    exchange.isSettled = true
    const { accounting, fleet, clock } = this.#options
    const { req, socket, kind, status, cache, title, session, isProbe, startMs, prefix } = exchange
    const { encrypted } = socket as Partial<TLSSocket>
    const nowMs = clock.monotonicMs()
    const answer = {
      method: req.method ?? '',
      target: prefix === '' ? (req.url ?? '') : (req.url ?? '').slice(prefix.length),
      status,
      bytes,
      durationMs: nowMs - startMs,
      kind,
      cache,
      title,
      class: fleet.classOf(title),
      session,
      isProbe,
      range: req.headers.range ?? null,
      isSecure: encrypted === true,
      version: req.httpVersion,
    }
    if (isProbe) this.#options.tally.probeBytes += bytes
    accounting.served(answer, nowMs)
    if (session === null || title === null || isProbe) return
    if (this.#options.intake.wants(session, nowMs)) this.#tellAnswer(exchange, answer, nowMs, whole)
  }

  /** For who puts together what a viewer went through; lines are made later. */
  #tellAnswer(exchange: Exchange, { target, bytes }: Served, endMs: number, whole: boolean): void {
    const { session, title, kind, status, cache, query, startMs, firstByteMs, upstreamMs, req } = exchange
    if (session === null || title === null) return
    this.#options.intake.answered({
      startMs,
      endMs,
      sid: session,
      estimated: exchange.isEstimated,
      title,
      kind,
      key: query === '' ? target : target.slice(0, -query.length - 1),
      query,
      headers: req.headers,
      address: addressOf(req, this.#options.behindProxy),
      status,
      bytes,
      whole,
      firstByteMs,
      upstreamMs,
      upstreamRestMs: exchange.upstreamRestMs,
      cache,
    })
  }

  /** Null: it is answered. Most is, within this turn: promises would cost as much as all the rest that is done here. */
  #answer(exchange: Exchange): Promise<void> | null {
    const { req } = exchange
    const { route, query, prefix } = readTarget(req.url ?? '/')
    exchange.query = query
    exchange.prefix = prefix
    exchange.kind = kindOf(route)
    exchange.title = 'title' in route ? route.title : null
    if (req.method === 'OPTIONS') {
      const wanted = req.headers['access-control-request-headers']
      reply(exchange, 204, preflightFields(exchange.edgeId, wanted), '')
      return null
    }
    if (!this.#admitted(exchange, route)) return null
    if (route.kind === 'cmcd') return this.#events(exchange)
    if (route.kind === 'watcher') return this.#options.watchDoor.ask(exchange)
    if (route.kind === 'wall') return this.#options.watchDoor.wall(exchange)
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      const message = `${req.method ?? ''} is not answered here, expected GET or HEAD`
      throw edgeFaults.fault('edge-method-not-allowed', message)
    }
    if (route.kind === 'media') return this.#media(exchange, route)
    this.#page(exchange, route)
    return null
  }

  /** Health and metrics are answered however full it is; who came too many is told to come back. */
  #admitted(exchange: Exchange, route: Route): boolean {
    if (kindOf(route) === 'internal') return true
    if (this.#connections?.admits(exchange.req.socket) !== false) return true
    exchange.res.setHeader('Connection', 'close')
    replyFault(exchange, edgeFaults.fault('edge-busy', 'this edge has as many viewers as it admits'))
    return false
  }

  #page(exchange: Exchange, route: Exclude<Route, { kind: 'cmcd' | 'watcher' | 'wall' | 'media' }>): void {
    const { entry, pages, edgeId, fleet } = this.#options
    switch (route.kind) {
      case 'play':
        return entry.play(exchange, route.title, this.#viewer(exchange))
      case 'steer':
        return entry.steer(exchange, this.#viewer(exchange))
      case 'watch-table':
        return entry.watchTable(exchange, this.#viewer(exchange))
      case 'watch':
        return sendPage(
          exchange,
          pages.watch(nearFirst(fleet.forEntry(), null)),
          'the player page is not installed on this edge',
        )
      case 'asset':
        return sendPage(exchange, pages.asset(route.path), `there is no ${route.path}`)
      case 'healthz': {
        const fields = {
          ...commonFields(edgeId),
          'Content-Type': 'application/json',
          'Cache-Control': 'no-store',
        }
        return reply(exchange, 200, fields, '{"status":"ok"}')
      }
      case 'metrics':
        return this.#metrics(exchange)
      default:
        return unreachable(route)
    }
  }

  #media(exchange: Exchange, route: Extract<Route, { kind: 'media' }>): Promise<void> | null {
    const { media, sessions, tally, fleet } = this.#options
    if (this.#options.probePass.isHeldBy(exchange.req.headers)) {
      exchange.isProbe = true
      exchange.tally = uncounted
    }
    const viewer = this.#viewer(exchange)
    if (viewer.malformed) tally.cmcdMalformed += 1
    const known = identityOf(viewer, route.title)
    // The multivariant request comes without its CMCD after the redirect of /play: an estimate would be a second viewer.
    const isNobody = exchange.isProbe || (known.estimated && route.media === 'master')
    const identity = isNobody ? null : known
    // Before the answer: a hot one is over, and accounted, in the same turn.
    exchange.session = identity?.sid ?? (exchange.isProbe ? null : viewer.pathSid)
    exchange.isEstimated = known.estimated
    const fed = (bytes: number): void => {
      if (identity !== null) sessions.fed(identity, route.title, bytes)
    }
    if (fleet.leavingSinceMs !== null && this.#sendOn(exchange, route, identity, viewer)) return null
    if (route.media === 'master') return this.#master(exchange, route.title, viewer, fed)
    return media.answerHot(exchange, route.key, fed) ? null : media.answer(exchange, route.key, fed)
  }

  async #master(exchange: Exchange, title: string, viewer: Viewer, fed: OnSent): Promise<void> {
    const bytes = await this.#options.entry.master(exchange, title, viewer)
    if (bytes > 0) fed(bytes)
  }

  /** 307 for who does not steer, while this edge should feed nobody and another one takes viewers. Never a probe. */
  #sendOn(
    exchange: Exchange,
    { key, media }: Extract<Route, { kind: 'media' }>,
    identity: Identity | null,
    viewer: Viewer,
  ): boolean {
    if (exchange.isProbe) return false
    const { fleet, sessions, clock } = this.#options
    const ask = {
      path: `${exchange.prefix}${key}`,
      query: exchange.query,
      session: steeringSession(viewer),
      region: fleet.regionOf(viewer.address),
      isEntry: media === 'master',
      feedsSinceMs: identity === null ? null : sessions.beganMs(identity.sid),
    }
    const location = departureUrl(fleet, ask, clock)
    if (location === null) return false
    const fields = { ...commonFields(exchange.edgeId), Location: location, 'Cache-Control': 'no-store' }
    reply(exchange, 307, fields, '')
    return true
  }

  async #events(exchange: Exchange): Promise<void> {
    const { sessions, intake, edgeId } = this.#options
    if (exchange.req.method !== 'POST') {
      throw edgeFaults.fault('edge-method-not-allowed', '/cmcd takes POST')
    }
    const body = await this.#bodies.read(exchange.req)
    if (body.kind === 'refused') {
      intake.refused(body.reason)
      exchange.res.setHeader('Connection', 'close')
      throw refusedBody(body.reason)
    }
    const playing = await intake.events(body.text, addressOf(exchange.req, this.#options.behindProxy))
    for (const sid of playing) sessions.played(sid)
    reply(exchange, 204, commonFields(edgeId), '')
  }

  #metrics(exchange: Exchange): void {
    const { access, tally } = this.#options
    if (!access.mayReadMetrics(exchange.req.headers.authorization)) {
      throw edgeFaults.fault(
        'edge-unauthorised',
        'metrics need a token of this fleet, as Bearer or as Basic password',
      )
    }
    const fields = { 'Content-Type': EXPOSITION_CONTENT_TYPE, 'Cache-Control': 'no-store' }
    reply(exchange, 200, fields, renderExposition(tally.counters.collect()))
  }

  #viewer(exchange: Exchange): ReturnType<typeof viewerOf> {
    return viewerOf(exchange.req, exchange.query, exchange.prefix, this.#options.behindProxy)
  }
}

/** A viewer that leaves is no event; 'close' tells those who wait. */
const noEvent = (): void => {}

const uncounted = { cache: () => undefined, firstByte: () => undefined }

/** Below 429, with which players keep what they have: nothing of it would be taken elsewhere. */
function refusedBody(reason: BodyRefusal): Error {
  switch (reason) {
    case 'body-too-large':
      return edgeFaults.fault('edge-body-too-large', `a CMCD report has more than ${EVENTS_BYTES_MAX} bytes`)
    case 'body-encoded':
      return edgeFaults.fault('edge-body-encoded', 'a CMCD report is plain text, without Content-Encoding')
    case 'bodies-full':
      return edgeFaults.fault('edge-reports-busy', 'too many reports are on their way at once')
    case 'body-cut':
      return edgeFaults.fault('edge-body-cut', 'the connection ended before the report did')
    default:
      return unreachable(reason)
  }
}

function sendPage(exchange: Exchange, page: Page | null, missing: string): void {
  if (page === null) throw edgeFaults.fault('edge-not-found', missing)
  reply(exchange, 200, { ...page.fields }, page.body)
}

function kindOf(route: Route): RequestKind {
  if (route.kind === 'media') return route.media
  const { kind } = route
  if (kind === 'healthz' || kind === 'metrics' || kind === 'watcher') return 'internal'
  return kind === 'play' || kind === 'watch' || kind === 'steer' || kind === 'cmcd' ? kind : 'other'
}
