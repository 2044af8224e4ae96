// Owns what a test of edges needs around them: a folder, an edge with short options, a control room that only talks.
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type WebSocket, WebSocketServer } from 'ws'
import { Secret, silentLog, systemClock } from '#base'
import { type EdgeOptions, type RunningEdge, startEdge } from '#edge'
import { type FromControl, type Pathway, PROTOCOL, parseToControl, type ToControl } from '#wire'

export function makeFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'vitrine-edge-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

function edgeOptions(changes: Partial<EdgeOptions> & Pick<EdgeOptions, 'stateFolder'>): EdgeOptions {
  return {
    id: 'eu-west',
    region: 'eu-west',
    listen: { host: '127.0.0.1', port: 0 },
    publicUrl: null,
    controlUrl: 'http://127.0.0.1:9',
    token: new Secret('edge-token'),
    originUrl: 'http://127.0.0.1:9',
    webFolder: null,
    memoryBytesMax: 64 * 1024 * 1024,
    diskBytesMax: 256 * 1024 * 1024,
    clock: systemClock,
    log: silentLog,
    ...changes,
  }
}

export function runEdge(
  changes: Partial<EdgeOptions> & Pick<EdgeOptions, 'stateFolder'>,
): Promise<RunningEdge> {
  return startEdge(edgeOptions(changes))
}

export function pathway(id: string, url: string, weight = 1): Pathway {
  return { id, region: id, url, weight, sessions: 0 }
}

export function table(pathways: readonly Pathway[], version = 1): FromControl {
  return { type: 'steering-table', version, issuedMs: 0, pathways: [...pathways], ttlS: 5 }
}

/** Speaks the channel, remembers what it hears, says what a test wants said. */
export class SmallControl {
  readonly heard: ToControl[] = []
  readonly #server: Server
  readonly #sockets = new Set<WebSocket>()
  #greeting: readonly FromControl[] = []

  private constructor(server: Server) {
    this.#server = server
    const sockets = new WebSocketServer({ server, path: '/api/v1/channel' })
    sockets.on('connection', socket => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      socket.on('message', (data: Buffer) => this.#hear(socket, data.toString('utf8')))
    })
  }

  static async start(): Promise<SmallControl> {
    const server = createServer()
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    return new SmallControl(server)
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Said to all now, and to whoever comes later. */
  say(...messages: FromControl[]): void {
    this.#greeting = messages
    for (const socket of this.#sockets) for (const message of messages) socket.send(JSON.stringify(message))
  }

  of<Type extends ToControl['type']>(type: Type): Extract<ToControl, { type: Type }>[] {
    return this.heard.filter(
      (message): message is Extract<ToControl, { type: Type }> => message.type === type,
    )
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.terminate()
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }

  #hear(socket: WebSocket, text: string): void {
    const parsed = parseToControl(text)
    if (parsed.kind !== 'message') throw new Error(`control heard ${JSON.stringify(parsed)}`)
    this.heard.push(parsed.message)
    if (parsed.message.type !== 'hello') return
    const welcome: FromControl = { type: 'welcome', protocol: PROTOCOL, fleetMs: 1_700_000_000_000 }
    for (const message of [welcome, ...this.#greeting]) socket.send(JSON.stringify(message))
  }
}

/** Waits for a condition; fails with `what` after 10 s. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  withinMs = 10_000,
): Promise<void> {
  const startMs = performance.now()
  while (!(await holds())) {
    if (performance.now() - startMs > withinMs) throw new Error(`not within ${withinMs} ms: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

/** A raw answer of node:http: status, headers, body, and whether the connection was cut in the middle. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
  readonly cut: boolean
}

/** `path` goes out exactly as it stands, which fetch() would not allow. */
export function get(
  base: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  method = 'GET',
  sent: string | null = null,
): Promise<Answer> {
  const { hostname, port } = new URL(base)
  return new Promise((resolve, reject) => {
    const asked = request({ hostname, port, path, method, headers, agent: false }, answer => {
      const chunks: Buffer[] = []
      let cut = false
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('error', () => {
        cut = true
      })
      answer.on('close', () => {
        const { statusCode: status = 0, headers: answered, complete } = answer
        resolve({ status, headers: answered, body: Buffer.concat(chunks), cut: cut || !complete })
      })
    })
    asked.on('error', reject)
    asked.end(sent ?? undefined)
  })
}
