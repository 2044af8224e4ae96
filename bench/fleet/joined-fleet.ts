// Owns a fleet of single roles that join by join strings, as machines do: one process each, and its agent beside it.
// Nothing in it is simulated; where an edge lives (a namespace, a loopback address) is the caller's.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Agent, fetch } from 'undici'
import type { AlertView, ServerView } from '#wire'
import { mainFile } from './processes.ts'

const run = promisify(execFile)
const START_MS_MAX = 60_000
const STOP_MS_MAX = 10_000
const LOOK_MS = 20
const ASK_MS_MAX = 2000
const MB = 1024 * 1024

export interface JoiningEdge {
  readonly id: string
  readonly region: string
  readonly host: string
  readonly port: number
  readonly prefix: readonly string[]
  /** Keys of its configuration beside id and caches; with `tls` among them it is reached by https. */
  readonly settings?: Readonly<Record<string, unknown>>
}

export interface JoinedFleetOptions {
  /** Where control room and origin listen. */
  readonly host: string
  readonly portBase: number
  readonly edges: readonly JoiningEdge[]
  readonly cacheBytes?: number
  /** Keys of the control room's configuration. */
  readonly control?: Readonly<Record<string, unknown>>
  /** Where others reach the origin, when that is not where it listens. */
  readonly originPublicUrl?: string
  readonly environment?: Readonly<Record<string, string>>
}

/** Private certificates of a control room that lives for a minute: what is measured is not trust. */
const dispatcher = new Agent({ connect: { rejectUnauthorized: false }, headersTimeout: ASK_MS_MAX })

export class JoinedFleet {
  readonly folder: string
  readonly options: JoinedFleetOptions
  readonly #children = new Map<string, ChildProcess>()
  readonly #commands = new Map<
    string,
    { readonly prefix: readonly string[]; readonly words: readonly string[] }
  >()
  #token = ''

  private constructor(options: JoinedFleetOptions) {
    this.options = options
    this.folder = mkdtempSync(join(tmpdir(), 'vitrine-joined-'))
    // Also when the bench fails or is stopped: nothing goes on without it.
    process.once('exit', this.#kill)
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, leave)
  }

  /** Three edges without namespaces, e0 to e2, on ports from `portBase` + 20. */
  static onLoopback(portBase: number): Promise<JoinedFleet> {
    const host = '127.0.0.1'
    const edges = ['eu', 'us', 'ap'].map((region, at) => ({
      id: `e${at}`,
      region,
      host,
      port: portBase + 20 + at,
      prefix: [],
    }))
    return JoinedFleet.start({ host, portBase, edges })
  }

  static async start(options: JoinedFleetOptions): Promise<JoinedFleet> {
    const fleet = new JoinedFleet(options)
    try {
      await fleet.#start()
      return fleet
    } catch (error) {
      await fleet.close()
      throw error
    }
  }

  get controlUrl(): string {
    const { host, portBase } = this.options
    return `${host.startsWith('127.') ? 'http' : 'https'}://${host}:${portBase}`
  }

  edgeUrl(id: string): string {
    const edge = this.options.edges.find(one => one.id === id)
    const scheme = edge?.settings?.['tls'] === undefined ? 'http' : 'https'
    return `${scheme}://${edge?.host ?? ''}:${edge?.port ?? 0}`
  }

  /** The process of a server; 0: it does not run. */
  pid(id: string): number {
    return Number(readFileSync(join(this.folder, id, 'run', `${id}.pid`), 'utf8'))
  }

  async get<Answer>(path: string): Promise<Answer> {
    const headers = { authorization: `Bearer ${this.#token}` }
    const signal = AbortSignal.timeout(ASK_MS_MAX * 2)
    const answer = await fetch(`${this.controlUrl}${path}`, { headers, dispatcher, signal })
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
    return (await answer.json()) as Answer
  }

  async servers(): Promise<ServerView[]> {
    return (await this.get<{ servers: ServerView[] }>('/api/v1/servers')).servers
  }

  async server(id: string): Promise<ServerView> {
    const found = (await this.servers()).find(one => one.id === id)
    if (found === undefined) throw new Error(`no server ${id}`)
    return found
  }

  async fires(id: string): Promise<boolean> {
    const { alerts } = await this.get<{ alerts: AlertView[] }>('/api/v1/alerts')
    return alerts.some(({ state, labels }) => state === 'firing' && labels['instance'] === id)
  }

  /** Where `/play` of a server sends a new viewer: an edge's id; null: it did not answer. */
  async play(base: string, session: string): Promise<string | null> {
    const url = `${base}/play/sample.m3u8?CMCD=${encodeURIComponent(`sid="${session}"`)}`
    const answer = await this.#ask(url)
    if (answer === null) return null
    await answer.body?.cancel()
    return this.#edgeOf(answer.headers.get('location') ?? '')
  }

  /** Whom `/steer` of a server names first for a viewer fed by `pathway`; null: no answer, or no opinion. */
  async steer(base: string, session: string, pathway: string): Promise<string | null> {
    const answer = await this.#ask(`${base}/steer?s=${session}&_HLS_pathway=${pathway}`)
    if (answer === null) return null
    const body = (await answer.json().catch(() => ({}))) as { 'PATHWAY-PRIORITY'?: string[] }
    return body['PATHWAY-PRIORITY']?.[0] ?? null
  }

  async close(): Promise<void> {
    await Promise.all([...this.#children.values()].map(child => end(child)))
    process.off('exit', this.#kill)
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, leave)
    rmSync(this.folder, { recursive: true, force: true })
  }

  async restartControl(): Promise<void> {
    this.#startControl()
    await this.until(async () => (await this.servers()).length > 0, START_MS_MAX, 'the control room is back')
  }

  async stopControl(): Promise<void> {
    const child = this.#children.get('control')
    if (child !== undefined) await end(child)
  }

  /** Polls until it holds; gives the ms it took. An answer that fails is "not yet". */
  async until(condition: () => Promise<boolean>, limitMs: number, what: string): Promise<number> {
    const startedMs = performance.now()
    for (;;) {
      if (await condition().catch(() => false)) return performance.now() - startedMs
      if (performance.now() - startedMs > limitMs) throw new Error(`not within ${limitMs} ms: ${what}`)
      await pause(LOOK_MS)
    }
  }

  #kill = (): void => {
    for (const child of this.#children.values()) child.kill('SIGKILL')
  }

  #edgeOf(location: string): string | null {
    return this.options.edges.find(({ id }) => location.startsWith(`${this.edgeUrl(id)}/`))?.id ?? null
  }

  async #ask(url: string): Promise<Awaited<ReturnType<typeof fetch>> | null> {
    try {
      return await fetch(url, { redirect: 'manual', dispatcher, signal: AbortSignal.timeout(ASK_MS_MAX) })
    } catch {
      return null
    }
  }

  async #start(): Promise<void> {
    const { host, portBase, edges } = this.options
    this.#startControl()
    await this.until(
      async () => (await this.#ask(`${this.controlUrl}/healthz`))?.ok === true,
      START_MS_MAX,
      'control',
    )
    const data = join(this.folder, 'control')
    const created = await this.#vitrine('token', 'create', '--role', 'admin', '--data', data)
    this.#token = created.trimEnd().split('\n').at(-1) ?? ''
    const { originPublicUrl } = this.options
    const elsewhere = originPublicUrl === undefined ? [] : ['--public-url', originPublicUrl]
    const origin = ['origin', '--host', host, '--port', String(portBase + 10), ...elsewhere]
    await this.#join('origin', [], origin, ['--role', 'origin', '--id', 'origin'])
    await this.until(async () => (await this.server('origin')).url !== '', START_MS_MAX, 'the origin joins')
    for (const { id, region, host: address, port, prefix, settings } of edges) {
      const proxied = settings?.['tls'] === undefined ? ['--behind-proxy'] : []
      const listen = ['edge', '--host', address, '--port', String(port), ...proxied]
      const named = [...listen, '--public-url', this.edgeUrl(id), '--config', this.#config(id, settings)]
      await this.#join(id, prefix, named, ['--id', id, '--region', region])
    }
    const isUp = async (): Promise<boolean> => {
      const servers = await this.servers()
      return edges.every(({ id }) => servers.some(one => one.id === id && one.state === 'healthy'))
    }
    await this.until(isUp, START_MS_MAX * 2, 'all are healthy').catch(async (error: unknown) => {
      throw new Error(`${String(error)}\n${this.#lastWords()}`)
    })
  }

  #startControl(): void {
    const { host, portBase } = this.options
    const words = ['control', '--host', host, '--port', String(portBase)]
    const { control } = this.options
    const file = join(this.folder, 'control.json')
    if (control !== undefined) writeFileSync(file, JSON.stringify({ control }))
    this.#spawn('control', [], [...words, ...(control === undefined ? [] : ['--config', file])])
  }

  /** Small caches: many edges on one machine. */
  #config(id: string, settings: Readonly<Record<string, unknown>> = {}): string {
    const file = join(this.folder, `${id}.json`)
    const { cacheBytes = 64 * MB } = this.options
    writeFileSync(
      file,
      JSON.stringify({ edges: [{ id, memoryBytesMax: cacheBytes, diskBytesMax: cacheBytes, ...settings }] }),
    )
    return file
  }

  async #join(
    id: string,
    prefix: readonly string[],
    words: readonly string[],
    invite: readonly string[],
  ): Promise<void> {
    const data = join(this.folder, 'control')
    const made = await this.#vitrine('server', 'invite', ...invite, '--data', data, '--json')
    const { joinString } = JSON.parse(made) as { joinString: string }
    const all = [...words, '--join', joinString]
    this.#spawn(id, prefix, all)
    this.#commands.set(id, { prefix, words: all })
  }

  /** Ends it and starts it anew, as a deployment does. */
  async restart(id: string): Promise<void> {
    const child = this.#children.get(id)
    const command = this.#commands.get(id)
    if (child === undefined || command === undefined) throw new Error(`no server ${id}`)
    await end(child)
    this.#spawn(id, command.prefix, command.words)
  }

  async post(path: string, body: unknown): Promise<void> {
    const headers = { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' }
    const signal = AbortSignal.timeout(ASK_MS_MAX * 2)
    const request = { method: 'POST', headers, body: JSON.stringify(body), dispatcher, signal }
    const answer = await fetch(`${this.controlUrl}${path}`, request)
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
    await answer.arrayBuffer()
  }

  #spawn(id: string, prefix: readonly string[], words: readonly string[]): void {
    const data = join(this.folder, id)
    mkdirSync(data, { recursive: true })
    const [command, ...rest] = [...prefix, process.execPath, mainFile, ...words, '--data', data]
    const env = { ...process.env, ...this.options.environment }
    const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'], env })
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => appendFileSync(join(this.folder, `${id}.log`), chunk))
    }
    this.#children.set(id, child)
  }

  async #vitrine(...words: string[]): Promise<string> {
    return (await run(process.execPath, [mainFile, ...words])).stdout
  }

  #lastWords(): string {
    const logs = readdirSync(this.folder).filter(name => name.endsWith('.log'))
    return logs
      .map(
        name =>
          `${name}: ${readFileSync(join(this.folder, name), 'utf8').trimEnd().split('\n').slice(-2).join('\n')}`,
      )
      .join('\n')
  }
}

function leave(): void {
  process.exit(1)
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise(resolve => child.once('exit', resolve))
  child.kill('SIGCONT')
  child.kill('SIGTERM')
  const force = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX)
  await ended
  clearTimeout(force)
}
