// Owns answering requests for titles: who asks, what for, and sending it. Media goes to edges with a credential only;
// a file that changes while it is sent ends the connection rather than mixing two states.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Clock, type Counter, type Counters, Fault, faultBody, type Log } from '#base'
import type { AccessTable } from '#link'
import { writeMedia, writeMultivariant } from '#media'
import { EXPOSITION_CONTENT_TYPE, renderExposition } from '#metrics'
import { originFaults } from './faults.ts'
import { openTitle } from './library/index-title.ts'
import type { Library, ReadyTitle } from './library/library.ts'
import type { RenditionPlan } from './packager/plan.ts'
import { isVideo, mediaPlaylist, multivariantPlaylist } from './packager/playlists.ts'
import { segmentPieces } from './packager/read-segment.ts'
import { type Route, routeOf } from './route.ts'

const PLAYLIST_TYPE = 'application/vnd.apple.mpegurl'
/** Everything below a revision never changes. */
const IMMUTABLE = 'public, max-age=31536000, immutable'
/** The multivariant playlist names the current revision. */
const MASTER_FRESH = 'max-age=1'
/** Health and metrics: what our own agents and probes ask for is not throughput. */
const NOT_KEPT = 'no-store'
/** Segments that are sent at a time; each holds a piece of 1 MiB and a read of up to 4 MiB. */
const SENDING_MAX = 64
/** An edge that takes nothing for so long is gone. */
const STALLED_MS_MAX = 30_000

export interface MediaServerOptions {
  readonly library: Library
  readonly access: AccessTable
  readonly counters: Counters
  readonly clock: Clock
  readonly log: Log
}

/** Answers requests; the caller owns the listening socket. */
export class MediaServer {
  readonly #options: MediaServerOptions
  readonly #requests: Counter
  readonly #sent: Counter
  readonly #busy: Counter
  #sending = 0

  constructor(options: MediaServerOptions) {
    this.#options = options
    this.#requests = options.counters.counter(
      'vitrine_origin_requests_total',
      'Requests by kind and status class; kind `internal` is our own agents and probes. 4xx of segments means edges hold playlists of replaced files.',
    )
    this.#sent = options.counters.counter(
      'vitrine_origin_sent_bytes_total',
      'Body bytes sent. Growing as fast as the edges send means that their caches do not hold.',
    )
    this.#busy = options.counters.counter(
      'vitrine_origin_busy_total',
      'Segments refused because too many were being sent. Growing means that the origin is too slow for its edges.',
    )
  }

  handle = (request: IncomingMessage, response: ServerResponse): void => {
    const route = routeOf(request.url ?? '/')
    response.once('close', () => this.#count(route, response))
    void this.#answer(route, request, response).catch((thrown: unknown) =>
      this.#fail(thrown, request, response),
    )
  }

  async #answer(route: Route, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method } = request
    if (method !== 'GET' && method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD')
      throw originFaults.fault(
        'origin-method-refused',
        `${method ?? ''} is not answered here, GET and HEAD are`,
      )
    }
    if (route.kind === 'health') return this.#send(response, 'application/json', NOT_KEPT, '{"status":"ok"}')
    this.#authorise(route, request, response)
    switch (route.kind) {
      case 'metrics': {
        const text = renderExposition(this.#options.counters.collect())
        return this.#send(response, EXPOSITION_CONTENT_TYPE, NOT_KEPT, text)
      }
      case 'master': {
        const title = await this.#options.library.title(route.title)
        const text = writeMultivariant(multivariantPlaylist(title.plan, `${title.revision}/`))
        return this.#send(response, PLAYLIST_TYPE, MASTER_FRESH, text)
      }
      case 'playlist': {
        const { rendition } = await this.#rendition(route)
        return this.#send(response, PLAYLIST_TYPE, IMMUTABLE, writeMedia(mediaPlaylist(rendition)))
      }
      case 'init': {
        const { rendition } = await this.#rendition(route)
        return this.#send(response, mediaType(rendition), IMMUTABLE, Buffer.from(rendition.init))
      }
      case 'segment':
        return this.#sendSegment(route, response)
      case 'unknown':
        throw originFaults.fault(
          'origin-path-unknown',
          `nothing is served at ${request.url?.slice(0, 200) ?? ''}`,
        )
    }
  }

  #authorise(route: Route, request: IncomingMessage, response: ServerResponse): void {
    const { access } = this.#options
    const { authorization } = request.headers
    const mayPass =
      route.kind === 'metrics' ? access.mayReadMetrics(authorization) : access.edgeOf(authorization) !== null
    if (mayPass) return
    response.setHeader('www-authenticate', 'Bearer')
    const expected = route.kind === 'metrics' ? 'an API token' : "an edge's token"
    const came = authorization === undefined ? 'none came' : 'another one came'
    throw originFaults.fault('origin-credential-missing', `expected ${expected} as Bearer, ${came}`)
  }

  async #rendition(route: { title: string; revision: string; rendition: string }): Promise<{
    title: ReadyTitle
    rendition: RenditionPlan
  }> {
    const title = await this.#options.library.title(route.title)
    if (title.revision !== route.revision) {
      const message = `title ${title.id} has revision ${title.revision}, asked for was ${route.revision}`
      throw originFaults.fault('origin-revision-gone', message)
    }
    const rendition = title.plan.renditions.find(({ id }) => id === route.rendition)
    if (rendition === undefined) {
      const message = `title ${title.id} has no rendition ${route.rendition}`
      throw originFaults.fault('origin-rendition-unknown', message)
    }
    return { title, rendition }
  }

  async #sendSegment(route: Extract<Route, { kind: 'segment' }>, response: ServerResponse): Promise<void> {
    const { title, rendition } = await this.#rendition(route)
    const bytes = rendition.bytes[route.segment]
    if (bytes === undefined) {
      const message = `${title.id} ${rendition.id} has ${rendition.bytes.length} segments, asked for was ${route.segment}`
      throw originFaults.fault('origin-segment-unknown', message)
    }
    if (this.#sending >= SENDING_MAX) {
      this.#busy.add()
      throw originFaults.fault('origin-busy', `${SENDING_MAX} segments are being sent`)
    }
    this.#sending += 1
    try {
      const handle = await openTitle(title.path, title.facts)
      try {
        const pieces = segmentPieces(handle, title.facts, rendition, route.segment)
        await this.#stream(response, mediaType(rendition), bytes, pieces)
      } finally {
        await handle.close()
      }
    } finally {
      this.#sending -= 1
    }
  }

  /** The first piece is read before the head is sent, so that a file that changed is still a clean answer. */
  async #stream(
    response: ServerResponse,
    type: string,
    bytes: number,
    pieces: AsyncGenerator<Buffer>,
  ): Promise<void> {
    const head = { 'content-type': type, 'cache-control': IMMUTABLE, 'content-length': bytes }
    if (response.req.method === 'HEAD') {
      response.writeHead(200, head).end()
      return
    }
    for await (const piece of pieces) {
      if (response.destroyed) return
      if (!response.headersSent) response.writeHead(200, head)
      this.#sent.add(piece.length)
      if (!response.write(piece)) await drained(response)
    }
    response.end()
  }

  #send(response: ServerResponse, type: string, cacheControl: string, body: string | Buffer): void {
    const length = Buffer.byteLength(body)
    response.writeHead(200, { 'content-type': type, 'cache-control': cacheControl, 'content-length': length })
    const isHead = response.req.method === 'HEAD'
    if (!isHead && cacheControl !== NOT_KEPT) this.#sent.add(length)
    response.end(isHead ? undefined : body)
  }

  #fail(thrown: unknown, request: IncomingMessage, response: ServerResponse): void {
    const { library, log } = this.#options
    if (thrown instanceof Fault) {
      if (thrown.code === 'origin-revision-gone') library.poke()
      if (thrown.status >= 500)
        log.warn('request-failed', { url: request.url, code: thrown.code, error: thrown })
    } else log.error('request-failed', { url: request.url, error: thrown })
    if (response.headersSent) {
      // The length was promised already: only a broken connection tells that the body is not whole.
      response.destroy()
      return
    }
    const { status, body } = faultBody(thrown)
    const text = JSON.stringify(body)
    response.writeHead(status, {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'content-length': Buffer.byteLength(text),
    })
    response.end(response.req.method === 'HEAD' ? undefined : text)
  }

  #count(route: Route, response: ServerResponse): void {
    const kind = isInternal(route) ? 'internal' : route.kind === 'unknown' ? 'other' : route.kind
    this.#requests.add(1, { kind, status: `${Math.floor(response.statusCode / 100)}xx` })
  }
}

function isInternal({ kind }: Route): boolean {
  return kind === 'health' || kind === 'metrics'
}

function mediaType(rendition: RenditionPlan): string {
  return isVideo(rendition) ? 'video/mp4' : 'audio/mp4'
}

/** Resolves when the socket takes more; a reader that stalls or leaves ends the wait. */
async function drained(response: ServerResponse): Promise<void> {
  await new Promise<void>(resolve => {
    const finish = (): void => {
      clearTimeout(timer)
      response.off('drain', finish)
      response.off('close', finish)
      resolve()
    }
    const timer = setTimeout(() => response.destroy(), STALLED_MS_MAX)
    response.once('drain', finish)
    response.once('close', finish)
  })
}
