// Real TLS between a control room, an origin and an edge with its agent, of which one at a time has a clock that is ten
// years off: it is reported as its clock, never as unreachable, and all is well once the clock is right.
// The clocks are libfaketime's; the machine's is never touched.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AlertView, ClocksAnswer, IncidentView, ServerView } from '#wire'
import { fetchPeer } from '../conformance/peers.ts'
import { freePort, until } from '../e2e/fleet.ts'

const run = promisify(execFile)
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const LIBRARY = 'usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1'
const LONG_MS = 90_000
const YEARS_S = 10 * 365.25 * 86_400

const peer = await fetchPeer('libfaketime')
const root = mkdtempSync(join(tmpdir(), 'vitrine-clock-tls-'))
const dir = (name: string): string => join(root, name)
const kids = new Map<string, { child: ChildProcess; args: readonly string[]; output: () => string }>()
let controlPort = 0
let token = ''

function setClock(name: string, seconds: number): void {
  writeFileSync(join(root, `${name}.clock`), `${seconds < 0 ? '' : '+'}${seconds}\n`)
}

function start(name: string, args: readonly string[]): void {
  if ('missing' in peer) return
  if (!existsSync(join(root, `${name}.clock`))) setClock(name, 0)
  const child = spawn(process.execPath, [main, ...args, '--data', dir(name)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      LD_PRELOAD: join(peer.folder, LIBRARY),
      FAKETIME_TIMESTAMP_FILE: join(root, `${name}.clock`),
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => void (output = `${output}${chunk.toString('utf8')}`.slice(-200_000)))
  kids.set(name, { child, args, output: () => output })
}

async function kill(name: string): Promise<void> {
  const kid = kids.get(name)
  if (kid === undefined || kid.child.exitCode !== null || kid.child.signalCode !== null) return
  const ended = new Promise(resolve => kid.child.once('exit', resolve))
  kid.child.kill('SIGKILL')
  await ended
}

async function restart(name: string, seconds: number): Promise<void> {
  await kill(name)
  setClock(name, seconds)
  start(name, kids.get(name)?.args ?? [])
}

async function vitrine(...args: string[]): Promise<string> {
  return (await run(process.execPath, [main, ...args, '--data', dir('control')])).stdout.trim()
}

const invite = async (...args: string[]): Promise<string> =>
  (await vitrine('server', 'invite', ...args)).split('\n').at(-1)?.split(' ').at(-1) ?? ''

function get<Answer>(path: string, method: 'GET' | 'POST' = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: '127.0.0.1',
        port: controlPort,
        path,
        method,
        rejectUnauthorized: false,
        agent: false,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        timeout: 5000,
      },
      answer => {
        let text = ''
        answer.setEncoding('utf8')
        answer.on('data', (part: string) => void (text += part))
        answer.on('end', () => {
          if (answer.statusCode === 200) resolve(JSON.parse(text) as Answer)
          else reject(new Error(`${path}: ${answer.statusCode ?? 0} ${text}`))
        })
      },
    )
    asked.on('timeout', () => asked.destroy(new Error(`${path}: no answer`)))
    asked.on('error', reject)
    asked.end(method === 'POST' ? '{}' : undefined)
  })
}

const serverOf = async (id: string): Promise<ServerView | undefined> =>
  (await get<{ servers: ServerView[] }>('/api/v1/servers')).servers.find(server => server.id === id)

const get200 = async (): Promise<boolean> =>
  await serverOf('origin').then(
    () => true,
    () => false,
  )

let told = ''
async function allHealthy(): Promise<boolean> {
  try {
    const { servers } = await get<{ servers: ServerView[] }>('/api/v1/servers')
    told = servers.map(({ id, state, reason }) => `${id} ${state}: ${reason}`).join('; ')
    const own = servers.filter(({ id }) => id === 'origin' || id === 'eu-west')
    return own.length === 2 && own.every(({ state, reason }) => state === 'healthy' && !/silent/.test(reason))
  } catch (error) {
    told = String(error)
    return false
  }
}

async function firing(rule: string): Promise<AlertView[]> {
  const { alerts } = await get<{ alerts: AlertView[] }>('/api/v1/alerts')
  return alerts.filter(alert => alert.rule === rule && alert.state === 'firing')
}

describe.skipIf('missing' in peer)('over TLS a clock that is ten years off', () => {
  beforeAll(async () => {
    const [originPort, edgePort] = [await freePort(), await freePort()]
    controlPort = await freePort()
    const config = join(root, 'control.yaml')
    writeFileSync(config, 'control:\n  privateTls: true\n')
    start('control', ['control', '--config', config, '--port', String(controlPort)])
    await until(() => existsSync(join(dir('control'), 'control', 'join.json')), LONG_MS)
    token = (await vitrine('token', 'create', '--role', 'admin')).split('\n').at(-1) ?? ''
    const origin = await invite('--role', 'origin', '--id', 'origin')
    start('origin', ['origin', '--join', origin, '--port', String(originPort)])
    await until(async () => (await serverOf('origin'))?.url !== undefined, LONG_MS)
    await until(() => existsSync(join(dir('origin'), 'identity', 'authority.crt')), LONG_MS)
    const edge = await invite('--role', 'edge', '--id', 'eu-west')
    const originUrl = `https://127.0.0.1:${originPort}`
    start('eu-west', ['edge', '--join', edge, '--port', String(edgePort), '--origin-url', originUrl])
    await until(allHealthy, LONG_MS, () => told)
  }, 4 * LONG_MS)
  afterAll(async () => {
    for (const name of kids.keys()) await kill(name)
    rmSync(root, { recursive: true, force: true })
  }, 60_000)

  it.each([
    ['eu-west', -YEARS_S, '10 years behind'],
    ['origin', YEARS_S, '10 years ahead'],
  ] as const)(
    'of %s is an incident of its clock, seen from outside, and never unreachable',
    async (name, seconds, words) => {
      const states = new Set<string>()
      // Connections that are open have been proved and stay: a new control room makes everybody come anew.
      setClock(name, seconds)
      await restart('control', 0)
      await until(get200, LONG_MS)
      await until(
        async () => {
          const server = await serverOf(name)
          told = JSON.stringify([server?.state, server?.reason, server?.evidence])
          // In its first seconds a control room judges by few looks; from here on it knows.
          return (
            (await firing('ClockFarOff')).length > 0 &&
            (server?.reason.includes(`its clock is ${words}`) ?? false)
          )
        },
        LONG_MS,
        () => told,
      )
      let incidents: IncidentView[] = []
      await until(
        async () => {
          incidents = (await get<{ incidents: IncidentView[] }>('/api/v1/incidents')).incidents
          const { state, reason } = (await serverOf(name)) ?? {}
          if (state === 'unreachable') states.add(`${state}: ${reason ?? ''}`)
          // One that joins another's incident is named in it, with its own clock.
          return incidents.some(
            ({ cause }) =>
              cause.kind === 'clock-stepped' &&
              cause.for.some(text => text.startsWith(`${name}: `) && text.includes(words)),
          )
        },
        LONG_MS,
        () =>
          JSON.stringify(incidents.map(({ title, cause, servers }) => [title, servers, cause])) +
          (kids.get('control')?.output().slice(-6000) ?? ''),
      )
      expect([...states]).toEqual([])
      const row = (await get<ClocksAnswer>('/api/v1/clocks')).servers.find(({ id }) => id === name)
      expect(row).toMatchObject({ fromOutside: true, word: 'warn' })
      expect(Math.abs((row?.offsetS ?? 0) - seconds)).toBeLessThan(5)
      // It cannot tell anybody, and its own log says what it is.
      expect(kids.get(name)?.output()).toMatch(/own-clock-wrong/)
      expect(kids.get(name)?.output()).toContain(`most likely ${words}`)
      // Set right while it runs: it comes back by itself.
      setClock(name, 0)
      await until(allHealthy, LONG_MS, () => told)
      // Health knows it by the next look, the rule by its next round.
      await until(async () => (await firing('ClockFarOff')).length === 0, LONG_MS)
      // The next one is an incident of its own.
      for (const { id, resolvedAt } of incidents)
        if (resolvedAt === null) await get(`/api/v1/incidents/${id}/resolve`, 'POST')
    },
    4 * LONG_MS,
  )

  it(
    'of the control room blames nobody else: what is valid in fleet time is valid',
    async () => {
      await restart('control', YEARS_S)
      await until(allHealthy, LONG_MS, () => told)
      expect(await firing('CertificateEndsNow')).toEqual([])
      expect(await firing('ClockFarOff')).toEqual([])
      const origin = await serverOf('origin')
      expect(JSON.stringify(origin?.evidence)).not.toContain('refused')
      await restart('control', 0)
      await until(allHealthy, LONG_MS, () => told)
    },
    4 * LONG_MS,
  )
})
