// Owns starting a real fleet for a test: `vitrine start` in a folder and on ports of its own.
// It refuses to leave anything behind: closing kills the supervisor, and the kernel its children.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
/** A fleet of ten processes on two cores that do other things too. */
const START_MS_MAX = 90_000

export interface TestFleet {
  readonly data: string
  readonly portBase: number
  readonly supervisor: ChildProcess
  /** What `vitrine start` has printed so far. */
  output(): string
  signInUrl(): string
  controlUrl: string
  edgeUrl(id: string): string
  /** GET on the control room with an admin token; throws unless it answers 2xx. */
  get<Answer>(path: string): Promise<Answer>
  /** POST of JSON on the control room with an admin token; throws unless it answers 2xx. */
  post(path: string, body: unknown): Promise<void>
  /** Leader of the server's process group; -1 between its end and its next start. */
  pid(id: string): number
  vitrine(...args: string[]): Promise<string>
  close(): Promise<void>
}

export const edges = ['eu-west', 'us-east', 'ap-southeast'] as const

export interface FleetOptions {
  readonly data?: string
  readonly environment?: Readonly<Record<string, string>>
  /** A configuration file. */
  readonly config?: string
}

/** Starts a fleet and waits until it says that it is up. */
export async function startFleet(options: FleetOptions = {}): Promise<TestFleet> {
  const data = options.data ?? mkdtempSync(join(tmpdir(), 'vitrine-e2e-'))
  const portBase = await freePortBase()
  const config = options.config === undefined ? [] : ['--config', options.config]
  const supervisor = spawn(
    process.execPath,
    [main, 'start', '--data', data, '--port-base', String(portBase), ...config],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.environment },
    },
  )
  let output = ''
  const take = (chunk: Buffer): void => void (output += chunk.toString('utf8'))
  supervisor.stdout.on('data', take)
  supervisor.stderr.on('data', take)
  await until(
    () => /sign-in#link=\S+/.test(output) || supervisor.exitCode !== null,
    START_MS_MAX,
    () => output,
  )
  if (supervisor.exitCode !== null)
    throw new Error(`vitrine start ended with ${supervisor.exitCode}:\n${output}`)
  const controlUrl = `http://127.0.0.1:${portBase}`
  const vitrine = async (...args: string[]): Promise<string> =>
    (await run(process.execPath, [main, ...args, '--data', data])).stdout
  const token = (await vitrine('token', 'create', '--role', 'admin')).trimEnd().split('\n').at(-1) ?? ''
  return {
    data,
    portBase,
    supervisor,
    controlUrl,
    output: () => output,
    signInUrl: () => /http\S+sign-in#link=\S+/.exec(output)?.[0] ?? '',
    edgeUrl: id => `http://127.0.0.1:${portBase + 1 + edges.indexOf(id as (typeof edges)[number])}`,
    get: path => getJson(`${controlUrl}${path}`, token),
    post: async (path, body) => {
      await ask(`${controlUrl}${path}`, token, { method: 'POST', body: JSON.stringify(body) })
    },
    pid: id => readPid(join(data, 'run', `${id}.pid`)),
    vitrine,
    close: async () => {
      await stop(supervisor)
      if (options.data === undefined) rmSync(data, { recursive: true, force: true })
    },
  }
}

function readPid(file: string): number {
  try {
    return Number(readFileSync(file, 'utf8'))
  } catch {
    return -1
  }
}

async function getJson<Answer>(url: string, token: string): Promise<Answer> {
  return (await (await ask(url, token, {})).json()) as Answer
}

async function ask(url: string, token: string, request: RequestInit): Promise<Response> {
  const type = request.body === undefined ? {} : { 'content-type': 'application/json' }
  const response = await fetch(url, {
    ...request,
    headers: { authorization: `Bearer ${token}`, ...type },
    signal: AbortSignal.timeout(10_000),
  })
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`)
  return response
}

async function stop(supervisor: ChildProcess): Promise<void> {
  if (supervisor.exitCode !== null || supervisor.signalCode !== null) return
  const ended = new Promise(resolve => supervisor.once('exit', resolve))
  supervisor.kill('SIGTERM')
  const force = setTimeout(() => supervisor.kill('SIGKILL'), 10_000)
  await ended
  clearTimeout(force)
}

/** Polls a condition; not a sleep: it ends as soon as the condition holds, and fails with what `describe` says. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  limitMs: number,
  describe: () => string = () => '',
): Promise<number> {
  const startedMs = performance.now()
  for (;;) {
    if (await condition()) return performance.now() - startedMs
    if (performance.now() - startedMs > limitMs) throw new Error(`not within ${limitMs} ms: ${describe()}`)
    await pause(50)
  }
}

/** True while a process exists and is not a zombie. */
export function runs(pid: number): boolean {
  const stat = `/proc/${pid}/stat`
  if (!existsSync(stat)) return false
  try {
    return !/\) Z /.test(readFileSync(stat, 'utf8'))
  } catch {
    return false
  }
}

const PORTS_OF_A_FLEET = [0, 1, 2, 3, 10, 101, 102, 103, 110]

/** Below the ports from which the kernel takes those of clients: one that is free now would not stay so. */
export async function freePortBase(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const base = 20_000 + Math.floor(Math.random() * 62) * 200
    const free = await Promise.all(PORTS_OF_A_FLEET.map(offset => isFree(base + offset)))
    if (free.every(Boolean)) return base
  }
  throw new Error('no free ports for a fleet')
}

/** One that is free at this moment, and its neighbour a hundred further, where an agent listens. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const port = 42_000 + Math.floor(Math.random() * 2000)
    if ((await isFree(port)) && (await isFree(port + 100))) return port
  }
  throw new Error('no free port')
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
