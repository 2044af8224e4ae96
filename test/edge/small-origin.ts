// Owns an origin of a few lines for tests of the edge: real HTTP, with faults on demand.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Behaviour =
  | { readonly kind: 'serve'; readonly body: Buffer; readonly headers?: Readonly<Record<string, string>> }
  /** Announces all, sends `bytes`, and cuts the connection. */
  | { readonly kind: 'break-off'; readonly body: Buffer; readonly bytes: number }
  /** Accepts and says nothing. */
  | { readonly kind: 'hang' }
  /** Sends the first part (half, if not told), then waits for `release`. */
  | {
      readonly kind: 'in-two'
      readonly body: Buffer
      readonly firstBytes?: number
      readonly release: Promise<void>
    }
  | { readonly kind: 'status'; readonly status: number }

export class SmallOrigin {
  readonly requests: { readonly path: string; readonly headers: IncomingMessage['headers'] }[] = []
  readonly #server: Server
  readonly #paths = new Map<string, Behaviour>()
  aborted = 0

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(): Promise<SmallOrigin> {
    const server = createServer()
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const origin = new SmallOrigin(server)
    server.on('request', (req, res) => origin.#answer(req, res))
    return origin
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  set(path: string, behaviour: Behaviour): void {
    this.#paths.set(path, behaviour)
  }

  count(path: string): number {
    return this.requests.filter(request => request.path === path).length
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }

  #answer(req: IncomingMessage, res: ServerResponse): void {
    const path = req.url ?? ''
    this.requests.push({ path, headers: req.headers })
    res.on('close', () => {
      if (!res.writableFinished) this.aborted += 1
    })
    const behaviour = this.#paths.get(path) ?? { kind: 'status', status: 404 }
    switch (behaviour.kind) {
      case 'serve': {
        const headers = { 'content-type': 'video/mp4', 'content-length': String(behaviour.body.length) }
        if (
          behaviour.headers?.['etag'] !== undefined &&
          req.headers['if-none-match'] === behaviour.headers['etag']
        ) {
          res.writeHead(304, behaviour.headers).end()
          return
        }
        res.writeHead(200, { ...headers, ...behaviour.headers }).end(behaviour.body)
        return
      }
      case 'break-off':
        res.writeHead(200, { 'content-length': String(behaviour.body.length) })
        res.write(behaviour.body.subarray(0, behaviour.bytes), () => res.destroy())
        return
      case 'hang':
        return
      case 'in-two': {
        const { body, release, firstBytes = body.length / 2 } = behaviour
        res.writeHead(200, { 'content-length': String(body.length) })
        res.write(body.subarray(0, firstBytes))
        void release.then(() => res.end(body.subarray(firstBytes)))
        return
      }
      case 'status':
        res.writeHead(behaviour.status, { 'content-length': '0' }).end()
    }
  }
}

/** A ladder of two rungs and one sound, as the origin writes it. */
const LADDER = `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="English",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="r1/a0/index.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=500000,CODECS="avc1.64001e,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=25.000,AUDIO="sound"
r1/v0/index.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=1500000,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=25.000,AUDIO="sound"
r1/v1/index.m3u8
`

/** Bytes that show when something was mixed up. */
export function patterned(bytes: number, seed = 1): Buffer {
  const body = Buffer.alloc(bytes)
  let state = seed >>> 0 || 1
  for (let at = 0; at < bytes; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    body[at] = state >>> 24
  }
  return body
}

export interface TitleShape {
  readonly segments: number
  readonly segmentS: number
  readonly segmentBytes: number
}

/** Puts a whole title on an origin: two rungs of picture and one of sound. */
export function publishTitle(origin: SmallOrigin, title: string, shape: TitleShape): void {
  const { segments, segmentS, segmentBytes } = shape
  const playlistHeaders = { 'content-type': 'application/vnd.apple.mpegurl' }
  const master = Buffer.from(LADDER)
  origin.set(`/vod/${title}/master.m3u8`, {
    kind: 'serve',
    body: master,
    headers: { ...playlistHeaders, 'cache-control': 'max-age=1', etag: '"ladder"' },
  })
  for (const rendition of ['v0', 'v1', 'a0']) {
    const base = `/vod/${title}/r1/${rendition}`
    const lines = ['#EXTM3U', '#EXT-X-VERSION:7', `#EXT-X-TARGETDURATION:${Math.ceil(segmentS)}`]
    lines.push('#EXT-X-PLAYLIST-TYPE:VOD', '#EXT-X-MAP:URI="init.mp4"')
    for (let n = 0; n < segments; n += 1) {
      lines.push(`#EXTINF:${segmentS.toFixed(3)},`, `${n}.m4s`)
      const bytes = rendition === 'a0' ? 4000 : segmentBytes
      origin.set(`${base}/${n}.m4s`, { kind: 'serve', body: patterned(bytes, n + 1) })
    }
    const body = Buffer.from(`${lines.join('\n')}\n#EXT-X-ENDLIST\n`)
    origin.set(`${base}/index.m3u8`, { kind: 'serve', body, headers: playlistHeaders })
    origin.set(`${base}/init.mp4`, { kind: 'serve', body: patterned(700) })
  }
}
