// Owns what the control room's tests share: a real control room on a free port, and small real servers beside it.
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Agent, fetch, type Headers, type Response } from 'undici'
import { Closers, Secret, silentLog, systemClock } from '#base'
import { type ControlOptions, openState, type RunningControl, startControl } from '#control'
import { type Link, startLink } from '#link'
import type { FromControl, Heartbeat, ServerRole, ToControl, UserRole } from '#wire'

export const rulesFolder: string = new URL('../../config/rules/', import.meta.url).pathname

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** Waits until `check` gives something else than null, false or undefined. */
export async function until<Value>(
  check: () => Value | Promise<Value>,
  what: string,
  msMax = 15_000,
): Promise<Exclude<Value, null | undefined | false>> {
  const endMs = performance.now() + msMax
  for (;;) {
    const value = await check()
    if (value !== null && value !== undefined && value !== false) {
      return value as Exclude<Value, null | undefined | false>
    }
    if (performance.now() > endMs) throw new Error(`waited ${msMax} ms in vain for: ${what}`)
    await new Promise(resolve => {
      setTimeout(resolve, 20)
    })
  }
}

export interface TestControl {
  readonly url: string
  readonly folder: string
  readonly tokens: Readonly<Record<UserRole, string>>
  readonly closers: Closers
  /** What join strings carry. */
  readonly join: RunningControl['join']
  get(path: string, token?: string | null): Promise<{ status: number; body: unknown; headers: Headers }>
  /** JSON, without a credential; gives the status. */
  post(path: string, body: unknown): Promise<number>
  restart(): Promise<void>
  /** Ends it; `restart` brings it back on the same port. */
  stop(): Promise<void>
  close(): Promise<void>
}

export const enrolled: readonly { id: string; role: ServerRole; region: string; token: string }[] = [
  { id: 'eu-west', role: 'edge', region: 'eu-west', token: 'vit_eu-west' },
  { id: 'us-east', role: 'edge', region: 'us-east', token: 'vit_us-east' },
  { id: 'ap-southeast', role: 'edge', region: 'ap-southeast', token: 'vit_ap-southeast' },
  { id: 'origin', role: 'origin', region: 'home', token: 'vit_origin' },
]

/** A private certificate is checked by those who join, not by the test's own look at the API. */
const dispatcher = new Agent({ connect: { rejectUnauthorized: false } })

/** A control room in a folder of its own; closing removes the folder. */
export async function startTestControl(part: Partial<ControlOptions> = {}): Promise<TestControl> {
  const folder = mkdtempSync(join(tmpdir(), 'vitrine-control-'))
  const closers = new Closers()
  closers.defer(() => rmSync(folder, { recursive: true, force: true }))
  const tokens = await makeTokens(folder)
  const options: ControlOptions = {
    listen: { host: '127.0.0.1', port: 0 },
    publicUrl: null,
    privateTls: false,
    stateFolder: folder,
    webFolder: null,
    enrol: enrolled.map(({ id, role, region, token }) => ({ id, role, region, tokenSha256: sha256(token) })),
    supervisor: null,
    rulesFolders: [rulesFolder],
    retentionDays: 15,
    retentionBytes: null,
    probeBytesMonth: 20e9,
    clock: systemClock,
    log: silentLog,
    ...part,
  }
  let running: RunningControl = await startControl(options)
  const port = Number(new URL(running.url).port)
  closers.defer(() => running.close())
  const url = running.url
  return {
    url,
    folder,
    tokens,
    closers,
    join: running.join,
    post: async (path, body) => {
      const headers = { 'content-type': 'application/json' }
      const answer = await fetch(`${url}${path}`, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
        dispatcher,
      })
      await answer.arrayBuffer()
      return answer.status
    },
    get: async (path, token = tokens.viewer) => {
      const ask = (): Promise<Response> =>
        fetch(`${url}${path}`, {
          headers: token === null ? {} : { authorization: `Bearer ${token}` },
          redirect: 'manual',
          dispatcher,
        })
      // After a restart the pooled connection is closed; a second attempt takes a fresh one.
      const answer = await ask().catch(ask)
      const text = await answer.text()
      const json = answer.headers.get('content-type')?.includes('json') === true
      return { status: answer.status, body: json ? JSON.parse(text) : text, headers: answer.headers }
    },
    stop: () => running.close(),
    restart: async () => {
      await running.close()
      running = await startControl({ ...options, listen: { host: '127.0.0.1', port } })
    },
    close: () => closers.close(),
  }
}

async function makeTokens(folder: string): Promise<Record<UserRole, string>> {
  const state = await openState(folder)
  const make = async (role: UserRole): Promise<string> =>
    (await state.createToken(role, `test ${role}`)).token
  const tokens = {
    viewer: await make('viewer'),
    operator: await make('operator'),
    admin: await make('admin'),
  }
  await state.close()
  return tokens
}

export type Mode = 'answers' | 'frozen' | 'slow'

/** A server that answers /healthz, or accepts and never answers; with its channel, and its agent's. */
export class FakeServer {
  readonly id: string
  readonly messages: FromControl[] = []
  /** What its agent was told. */
  readonly orders: FromControl[] = []
  mode: Mode = 'answers'
  /** What its agent sees. */
  watched: NonNullable<Heartbeat['watched']> = { pid: 4242, state: 'S', httpOk: true, httpMs: 1 }
  #server: Server | null = null
  #link: Link | null = null
  #agent: Link | null = null
  #reports: NodeJS.Timeout | null = null
  readonly #held = new Set<ServerResponse>()

  constructor(id: string) {
    this.id = id
  }

  async start(control: TestControl): Promise<void> {
    const server = createServer((_request, response) => {
      if (this.mode === 'frozen') this.#held.add(response)
      else if (this.mode === 'slow') setTimeout(() => response.end('{"status":"ok"}'), 300)
      else response.end('{"status":"ok"}')
    })
    this.#server = server
    await new Promise<void>(resolve => {
      server.listen(0, '127.0.0.1', resolve)
    })
    this.#link = this.#connect(control, 'server')
    this.#agent = this.#connect(control, 'agent')
    await until(
      () => this.#link?.connected() === true && this.#agent?.connected() === true,
      `${this.id} connects`,
    )
  }

  get url(): string {
    const address = this.#server?.address() as AddressInfo
    return `http://127.0.0.1:${address.port}`
  }

  /** Like SIGSTOP: connections are accepted, nothing is answered, the agent sees state T. */
  freeze(): void {
    this.mode = 'frozen'
    this.watched = { pid: 4242, state: 'T', httpOk: false, httpMs: null }
  }

  thaw(): void {
    this.mode = 'answers'
    this.watched = { pid: 4242, state: 'S', httpOk: true, httpMs: 1 }
    for (const response of this.#held) response.end('{"status":"ok"}')
    this.#held.clear()
  }

  send(message: ToControl): boolean {
    return this.#link?.send(message) === true
  }

  sendAsAgent(message: ToControl): boolean {
    return this.#agent?.send(message) === true
  }

  /** As an edge does each second: GET /healthz of the others, one second at most. */
  reportOn(peers: readonly FakeServer[]): void {
    this.#reports = setInterval(() => {
      if (this.mode === 'frozen') return
      for (const peer of peers) void this.#look(peer)
    }, 1000)
  }

  async #look(peer: FakeServer): Promise<void> {
    const startMs = performance.now()
    let httpMs: number | null = null
    try {
      const answer = await fetch(`${peer.url}/healthz`, { signal: AbortSignal.timeout(1000) })
      await answer.text()
      httpMs = performance.now() - startMs
    } catch {
      // no answer in time
    }
    const httpStatus = httpMs === null ? null : 200
    const report = { target: peer.id, connectMs: 0.2, httpMs, httpStatus, agoMs: performance.now() - startMs }
    this.send({ type: 'probes', probes: [{ ...report, error: httpMs === null ? 'timeout' : null }] })
  }

  #connect(control: TestControl, process: 'server' | 'agent'): Link {
    const own = enrolled.find(server => server.id === this.id)
    if (own === undefined) throw new Error(`${this.id} is not enrolled`)
    return startLink({
      controlUrl: control.url,
      token: new Secret(own.token),
      hello: {
        server: this.id,
        process,
        role: own.role,
        region: own.region,
        version: '0.1.0',
        pid: 4242,
        url: this.url,
        hostId: 'host',
      },
      clock: systemClock,
      log: silentLog,
      memoryFolder: null,
      onMessage: message => {
        ;(process === 'server' ? this.messages : this.orders).push(message)
      },
      watched: () => (process === 'agent' ? this.watched : undefined),
    })
  }

  async close(): Promise<void> {
    if (this.#reports !== null) clearInterval(this.#reports)
    await this.#link?.close()
    await this.#agent?.close()
    this.#server?.closeAllConnections()
    await new Promise<void>(resolve => {
      if (this.#server === null) resolve()
      else this.#server.close(() => resolve())
    })
  }
}

export async function startFleet(control: TestControl): Promise<Record<string, FakeServer>> {
  const servers = enrolled.map(({ id }) => new FakeServer(id))
  for (const server of servers) {
    await server.start(control)
    control.closers.defer(() => server.close())
  }
  const edges = servers.filter(server => server.id !== 'origin')
  for (const edge of edges) edge.reportOn(edges.filter(other => other !== edge))
  return Object.fromEntries(servers.map(server => [server.id, server]))
}
