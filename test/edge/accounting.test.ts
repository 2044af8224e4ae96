// What an edge accounts, against what was really sent: log, counters and the bytes that clients got.
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { RunningEdge } from '#edge'
import { get, makeFolder, runEdge, until } from './small-fleet.ts'
import { SmallOrigin } from './small-origin.ts'

const accessLog = { bytesMax: 1 << 24, filesMax: 3 }
const folder = { path: '', remove: (): void => undefined }
let origin: SmallOrigin
let edge: RunningEdge

beforeEach(async () => {
  Object.assign(folder, makeFolder())
  origin = await SmallOrigin.start()
  edge = await start()
})
afterEach(async () => {
  await edge.close()
  await origin.close()
  folder.remove()
})

const start = (): Promise<RunningEdge> =>
  runEdge({ stateFolder: folder.path, originUrl: origin.url, accessLog })

interface Line {
  readonly method: string
  readonly path: string
  readonly status: number
  readonly bytes: number
  readonly kind: string
  readonly cache?: string
  readonly session?: string
  readonly range?: string
}

function lines(): Line[] {
  const text = readFileSync(`${folder.path}/accounting/access.log`, 'utf8')
  return text
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line) as Line)
}

async function counters(): Promise<{ bytes: number; requests: number }> {
  const { body } = await get(edge.url, '/metrics', { authorization: 'Bearer edge-token' })
  let [bytes, requests] = [0, 0]
  for (const line of body.toString().split('\n')) {
    const value = Number(line.split(' ').at(-1))
    if (line.startsWith('vitrine_edge_sent_bytes_total{')) bytes += value
    if (line.startsWith('vitrine_edge_requests_total{') && !line.includes('internal')) requests += value
  }
  return { bytes, requests }
}

const sum = (all: readonly Line[]): number => all.reduce((bytes, line) => bytes + line.bytes, 0)

it('writes one line for each answer with the bytes of its body, and counts the same over a restart', async () => {
  const path = '/vod/sample/r1/v/0.m4s'
  const body = Buffer.alloc(300_000, 7)
  origin.set(path, { kind: 'serve', body })
  let received = 0
  const ask = async (
    ...parameters: Parameters<typeof get> extends [string, ...infer Rest] ? Rest : never
  ) => {
    received += (await get(edge.url, ...parameters)).body.length
  }
  await ask(`${path}?CMCD=${encodeURIComponent('sid="s-1"')}`)
  await ask(`${path}?sid=s-2`)
  await ask(path, { range: 'bytes=10-19' })
  await ask(path, {}, 'HEAD')
  await ask('/vod/sample/r1/v/9.m4s')
  await ask('/nothing?token=secret')
  await ask('/steer')
  await get(edge.url, '/healthz')
  await until('all lines are written', () => lines().length === 7)
  const before = lines()
  expect(before.map(({ method, status, kind, cache }) => [method, status, kind, cache])).toEqual([
    ['GET', 200, 'segment', 'miss'],
    ['GET', 200, 'segment', 'memory'],
    ['GET', 206, 'segment', 'memory'],
    ['HEAD', 200, 'segment', 'memory'],
    ['GET', 404, 'segment', expect.any(String)],
    ['GET', 404, 'other', undefined],
    ['GET', 200, 'steer', undefined],
  ])
  expect(before[0]).toMatchObject({ path, session: 's-1', bytes: body.length })
  expect(before[1]).toMatchObject({ session: 's-2' })
  expect(before[2]).toMatchObject({ range: 'bytes=10-19', bytes: 10 })
  expect(sum(before)).toBe(received)
  expect(await counters()).toEqual({ bytes: received, requests: 7 })
  await edge.close()
  edge = await start()
  expect(await counters()).toEqual({ bytes: received, requests: 7 })
})

it.each(['hot', 'cold'])(
  'counts of a %s answer that is given up what the kernel took, not all of it',
  async kind => {
    const path = `/vod/sample/r1/v/${kind}.m4s`
    const body = Buffer.alloc(24_000_000, 7)
    origin.set(path, { kind: 'serve', body })
    const linesBefore = kind === 'hot' ? 1 : 0
    if (kind === 'hot') await get(edge.url, path)
    const { hostname, port } = new URL(edge.url)
    const received = await new Promise<number>(resolve => {
      let bytes = 0
      const socket = connect(Number(port), hostname)
      socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)
      socket.on('data', chunk => {
        bytes += chunk.length
        if (bytes > 1_000_000) socket.destroy()
      })
      socket.on('close', () => resolve(bytes))
    })
    await until('the line is written', () => lines().length === linesBefore + 1)
    const given = lines().at(-1)
    expect(given?.bytes).toBeGreaterThan(received - 1000)
    expect(given?.bytes).toBeLessThan(body.length)
    expect((await counters()).bytes).toBe(sum(lines()))
  },
)
