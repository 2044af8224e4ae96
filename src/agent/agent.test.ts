import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { WebSocketServer } from 'ws'
import { Secret, silentLog, systemClock } from '#base'
import { decodeRemoteWrite, type WriteSeries } from '#metrics'
import { type HostNote, hostNotesRequest } from '#wire'
import { type RunningAgent, startAgent } from './agent.ts'

/** A control room as an agent sees it: remote write, and a channel with a clock that is an hour ahead. */
const AHEAD_MS = 3_600_000
const TOKEN = 'vs_agent-test-token'

let folder: string
let control: Server
let server: Server
let agent: RunningAgent | null = null
let batches: (readonly WriteSeries[])[]
let beats: { watched?: { pid: number | null; state: string | null; httpOk: boolean } }[]
let answerStatus: number
let shown: string | null
let writeHeaders: Record<string, unknown>
let told: HostNote[]

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-agent-'))
  batches = []
  told = []
  beats = []
  answerStatus = 204
  shown = 'edge_hits_total{kind="a b"} 5\nedge_sessions 2\n'
  control = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      if (request.url === '/api/v1/host-notes') {
        const { notes } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { notes: HostNote[] }
        if (answerStatus === 204) told.push(...notes)
        response.writeHead(answerStatus === 204 ? 200 : answerStatus).end('{"taken":0}')
        return
      }
      // Facts of the host have a route of their own.
      if (request.url?.endsWith('/write') !== true) {
        response.writeHead(404).end()
        return
      }
      writeHeaders = request.headers
      if (answerStatus === 204) batches.push(decodeRemoteWrite(Buffer.concat(chunks)))
      response.writeHead(answerStatus).end()
    })
  })
  const channel = new WebSocketServer({ server: control, path: '/api/v1/channel' })
  channel.on('connection', socket => {
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString('utf8')) as { type: string; t1: number }
      const nowMs = systemClock.wallMs() + AHEAD_MS
      if (message.type === 'hello') {
        socket.send(JSON.stringify({ type: 'welcome', protocol: { major: 1, minor: 0 }, fleetMs: nowMs }))
      }
      if (message.type === 'time-request') {
        socket.send(JSON.stringify({ type: 'time-reply', t1: message.t1, t2: nowMs, t3: nowMs }))
      }
      if (message.type === 'heartbeat') beats.push(message as (typeof beats)[number])
    })
  })
  server = createServer((request, response) => {
    if (request.url === '/healthz') return response.end('{"status":"ok"}')
    const allowed = request.headers.authorization === `Bearer ${TOKEN}`
    if (shown === null || !allowed) return response.writeHead(allowed ? 503 : 401).end()
    return response.end(shown)
  })
  await Promise.all(
    [control, server].map(each => new Promise<void>(resolve => each.listen(0, '127.0.0.1', resolve))),
  )
})

afterEach(async () => {
  await agent?.close()
  agent = null
  for (const each of [control, server]) {
    each.closeAllConnections()
    each.close()
  }
  rmSync(folder, { recursive: true, force: true })
})

const urlOf = (each: Server): string => `http://127.0.0.1:${(each.address() as AddressInfo).port}`

async function start(): Promise<RunningAgent> {
  agent = await startAgent({
    id: 'eu-west',
    role: 'edge',
    region: 'europe',
    listen: { host: '127.0.0.1', port: 0 },
    controlUrl: urlOf(control),
    token: new Secret(TOKEN),
    serverUrl: urlOf(server),
    watchedPid: () => process.pid,
    stateFolder: folder,
    clock: systemClock,
    log: silentLog,
  })
  return agent
}

function find(name: string): {
  labels: Readonly<Record<string, string>>
  samples: { timestampMs: number; value: number }[]
} {
  const all = batches.flat().filter(({ labels }) => labels['__name__'] === name)
  return { labels: all[0]?.labels ?? {}, samples: all.flatMap(({ samples }) => [...samples]) }
}

const patient = { timeout: 8000, interval: 50 }

it('pushes host, group and server series under their labels, stamped with fleet time', async () => {
  await start()
  await vi.waitFor(() => expect(find('edge_hits_total').samples.length).toBeGreaterThanOrEqual(2), patient)
  expect(find('edge_hits_total').labels).toEqual({
    __name__: 'edge_hits_total',
    kind: 'a b',
    job: 'vitrine-edge',
    instance: 'eu-west',
    region: 'europe',
  })
  const { labels, samples } = find('node_load1')
  expect(labels['job']).toBe('vitrine-agent')
  const aheadMs = (samples[0]?.timestampMs ?? 0) - systemClock.wallMs()
  expect(Math.abs(aheadMs - AHEAD_MS)).toBeLessThan(10_000)
  expect(find('vitrine_server_cpu_seconds_total').samples.at(-1)?.value).toBeGreaterThan(0)
  expect(find('vitrine_server_processes').samples.length).toBeGreaterThan(0)
  expect(find('vitrine_clock_fleet_offset_seconds').samples.at(-1)?.value).toBeCloseTo(-AHEAD_MS / 1000, 0)
  expect(writeHeaders['vitrine-protocol']).toBe('1.0')
  expect(writeHeaders['authorization']).toBe(`Bearer ${TOKEN}`)
})

it('tells the process state and the answer of /healthz in its heartbeat', async () => {
  await start()
  await vi.waitFor(() => expect(beats.at(-1)?.watched?.httpOk).toBe(true), patient)
  expect(beats.at(-1)?.watched?.pid).toBe(process.pid)
  expect(beats.at(-1)?.watched?.state).toMatch(/^[RSD]$/)
})

it('ends the series of a server that stops answering, once, and does not repeat them', async () => {
  await start()
  await vi.waitFor(() => expect(find('edge_sessions').samples.length).toBeGreaterThan(0), patient)
  shown = null
  const nan = (): number => find('edge_sessions').samples.filter(({ value }) => Number.isNaN(value)).length
  await vi.waitFor(() => expect(nan()).toBe(1), patient)
  const count = find('edge_sessions').samples.length
  const loads = find('node_load1').samples.length
  await vi.waitFor(() => expect(find('node_load1').samples.length).toBeGreaterThan(loads + 1), patient)
  expect(find('edge_sessions').samples.length).toBe(count)
})

it('keeps what it measured while the control room fails, and delivers it in order afterwards', async () => {
  answerStatus = 503
  await start()
  await new Promise(resolve => control.once('request', resolve))
  answerStatus = 204
  await vi.waitFor(() => expect(find('node_load1').samples.length).toBeGreaterThanOrEqual(3), patient)
  const stamps = find('node_load1').samples.map(({ timestampMs }) => timestampMs)
  expect(stamps).toEqual(stamps.toSorted((a, b) => a - b))
  for (const [index, stampMs] of stamps.slice(1).entries())
    expect(stampMs - (stamps[index] ?? 0)).toBeLessThan(3000)
})

it('tells who used the CPU by command name, five at most, in fleet time', async () => {
  await start()
  const looks = (): HostNote[] => told.filter(({ top }) => top !== undefined)
  await vi.waitFor(() => expect(looks().length).toBeGreaterThan(0), { timeout: 20_000, interval: 50 })
  expect(hostNotesRequest.safeParse({ notes: told }).success).toBe(true)
  const [note] = looks()
  expect(Math.abs((note?.at ?? 0) - systemClock.wallMs() - AHEAD_MS)).toBeLessThan(20_000)
  expect(note?.top?.length).toBeLessThanOrEqual(5)
  for (const share of note?.top ?? []) {
    expect(Object.keys(share).sort()).toEqual(['cpu', 'name', 'pid', 'residentBytes'])
    expect(share.name).not.toContain('/')
  }
}, 25_000)

it('drops what the control room refuses for good, and counts it', async () => {
  answerStatus = 400
  const running = await start()
  await new Promise(resolve => control.once('request', resolve))
  const read = async (): Promise<string> =>
    await (await fetch(`${running.url}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } })).text()
  await vi.waitFor(
    async () => expect(await read()).toMatch(/pushed_samples_total\{result="refused"\} [1-9]/),
    patient,
  )
})

it('answers /healthz to all and /metrics to who may read it', async () => {
  const { url } = await start()
  expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: 'ok' })
  expect((await fetch(`${url}/metrics`)).status).toBe(401)
  expect((await fetch(`${url}/elsewhere`)).status).toBe(404)
})
