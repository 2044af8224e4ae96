// Owns a small HTTP server whose every answer a test decides, for looks at other people's streams.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'

export type Handler = (request: IncomingMessage, response: ServerResponse) => void

export interface StreamServer {
  readonly url: string
  /** What a path answers from now on; bytes or text are sent with 200. */
  set(path: string, answer: Handler | string | Uint8Array): void
  count(path: string): number
  close(): Promise<void>
}

export async function startStreamServer(
  tls: { key: string; cert: string } | null = null,
): Promise<StreamServer> {
  const answers = new Map<string, Handler>()
  const counts = new Map<string, number>()
  const handler: Handler = (request, response) => {
    const path = (request.url ?? '').split('?', 1)[0] ?? ''
    counts.set(path, (counts.get(path) ?? 0) + 1)
    const answer = answers.get(path)
    if (answer === undefined) response.writeHead(404).end()
    else answer(request, response)
  }
  const server: Server = tls === null ? createServer(handler) : createTlsServer(tls, handler)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `${tls === null ? 'http' : 'https'}://127.0.0.1:${port}`,
    set: (path, answer) => {
      const send = typeof answer === 'function' ? answer : plain(path, answer)
      answers.set(path, send)
    },
    count: path => counts.get(path) ?? 0,
    close: async () => {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

function plain(path: string, body: string | Uint8Array): Handler {
  const bytes = Buffer.from(body as string)
  const isPlaylist = path.endsWith('.m3u8')
  return (request, response) => {
    const match = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')
    const part = match === null ? bytes : bytes.subarray(Number(match[1]), Number(match[2]) + 1)
    response.writeHead(match === null ? 200 : 206, {
      'content-type': isPlaylist ? 'application/vnd.apple.mpegurl' : 'application/octet-stream',
      'access-control-allow-origin': '*',
      'cache-control': isPlaylist ? 'max-age=1' : 'max-age=3600',
      'content-length': part.length,
    })
    response.end(part)
  }
}
