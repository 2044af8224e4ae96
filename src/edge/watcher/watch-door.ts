// Owns the requests about the control room's absence: what other edges ask, and the wall for people.
import type { TLSSocket } from 'node:tls'
import { type WallPicture, watcherAsk } from '#wire'
import { type Exchange, readBody, reply, replyJson } from '../delivery/exchange.ts'
import { edgeFaults } from '../faults.ts'
import type { ProbePass } from '../viewers/probe-pass.ts'
import { renderWall, renderWallSignIn, wallPolicy } from './wall-page.ts'
import type { WallPass } from './wall-pass.ts'
import type { Watcher } from './watcher.ts'

const BODY_BYTES_MAX = 4096

export interface WatchDoorOptions {
  readonly watcher: Watcher
  readonly probePass: ProbePass
  readonly pass: WallPass
  readonly behindProxy: boolean
  /** Null: none has come. */
  picture(this: void): WallPicture | null
  fleetMs(this: void): number
}

export class WatchDoor {
  readonly #options: WatchDoorOptions

  constructor(options: WatchDoorOptions) {
    this.#options = options
  }

  async ask(exchange: Exchange): Promise<void> {
    const { req } = exchange
    if (!this.#options.probePass.isHeldBy(req.headers))
      throw edgeFaults.fault('edge-unauthorised', '/watcher is for edges of this fleet')
    if (req.method !== 'POST') throw edgeFaults.fault('edge-method-not-allowed', '/watcher takes POST')
    const parsed = watcherAsk.safeParse(readJson(await bodyOf(exchange)))
    if (!parsed.success) throw edgeFaults.fault('edge-bad-question', 'what was asked cannot be read')
    replyJson(exchange, 200, this.#options.watcher.answer(parsed.data))
  }

  async wall(exchange: Exchange): Promise<void> {
    const { req } = exchange
    const { pass } = this.#options
    if (req.method === 'POST') return await this.#signIn(exchange)
    if (req.method !== 'GET' && req.method !== 'HEAD')
      throw edgeFaults.fault('edge-method-not-allowed', '/wall takes GET, and POST with a token')
    if (!pass.admits(req.headers)) return html(exchange, 401, renderWallSignIn(exchange.edgeId, null))
    const { picture, fleetMs, watcher } = this.#options
    const { lostMs, zone, heard } = watcher
    const facts = { edge: exchange.edgeId, picture: picture(), now: fleetMs(), lostMs, heard, zone }
    html(exchange, 200, renderWall(facts))
  }

  async #signIn(exchange: Exchange): Promise<void> {
    const { socket } = exchange
    const token = new URLSearchParams(await bodyOf(exchange)).get('token') ?? ''
    const isSecure = this.#options.behindProxy || (socket as Partial<TLSSocket>).encrypted === true
    const cookie = this.#options.pass.cookieFor(token.trim(), isSecure)
    if (cookie === null) {
      const problem = 'This is no token of this fleet, or it was revoked.'
      return html(exchange, 401, renderWallSignIn(exchange.edgeId, problem))
    }
    reply(exchange, 303, { ...own, Location: '/wall', 'Set-Cookie': cookie }, '')
  }
}

const own = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' }

function html(exchange: Exchange, status: number, body: string): void {
  const fields = {
    ...own,
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': wallPolicy,
    'Referrer-Policy': 'no-referrer',
  }
  reply(exchange, status, fields, body)
}

async function bodyOf(exchange: Exchange): Promise<string> {
  const body = await readBody(exchange.req, BODY_BYTES_MAX)
  if (body !== null) return body
  exchange.res.setHeader('Connection', 'close')
  throw edgeFaults.fault('edge-body-too-large', `expected at most ${BODY_BYTES_MAX} bytes`)
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
