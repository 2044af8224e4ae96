// What anybody can send to `POST /cmcd`: never a 5xx, never unbounded memory, and every line is taken or counted by reason.
// FUZZ_S and FUZZ_SEED choose how long and what; the seed is printed.
import { type ChildProcess, spawn } from 'node:child_process'
import { request } from 'node:http'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { get, makeFolder } from '../edge/small-fleet.ts'

const FUZZ_MS = Number(process.env['FUZZ_S'] ?? 10) * 1000
const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31)
const AT_ONCE = 8
const BODY_MAX = 256 * 1024
const LINES_MAX = 1000
const GROWN_MAX = 256 * 1024 * 1024

const folder = makeFolder()
let edge: ChildProcess
let url = ''
beforeAll(async () => {
  const script = new URL('../edge/run-edge.ts', import.meta.url).pathname
  edge = spawn('npx', ['tsx', '-C', 'source', script, folder.path, 'http://127.0.0.1:9'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  const lines = createInterface({ input: edge.stdout ?? process.stdin })
  url = await new Promise<string>((resolve, reject) => {
    lines.once('line', resolve)
    edge.once('exit', code => reject(new Error(`the edge ended with ${code}`)))
  })
}, 60_000)
afterAll(async () => {
  const ended = new Promise(resolve => edge.once('exit', resolve))
  if (edge.pid !== undefined) process.kill(-edge.pid, 'SIGKILL')
  await ended
  folder.remove()
})

/** Mulberry32: small, and the same everywhere. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

type Pick = <Value>(values: readonly Value[]) => Value
interface Dice {
  readonly upTo: (max: number) => number
  readonly pick: Pick
}

function dice(random: () => number): Dice {
  const upTo = (max: number): number => Math.floor(random() * (max + 1))
  return { upTo, pick: values => values[upTo(values.length - 1)] as (typeof values)[number] }
}

interface Shot {
  readonly body: Buffer
  readonly headers: Readonly<Record<string, string>>
  /** Pieces in which it is sent, chunked; 1: at once. */
  readonly pieces: number
  readonly isCut: boolean
}

const values = [
  '1',
  '-1',
  '1e999',
  '999999999999999',
  '-0.5',
  '?1',
  '?2',
  '"a"',
  '"\\""',
  '"',
  '()',
  '(1 2)',
  '((1))',
  'tok',
  ':YQ==:',
  '1;v;a=2',
  '"\u0000"',
  '"é"',
  '@1',
  '',
] // prettier-ignore
const keys = [
  'sid',
  'e',
  'ts',
  'sn',
  'sta',
  'bl',
  'br',
  'd',
  'cid',
  'url',
  'cmsds',
  '__proto__',
  'constructor',
  'com.vitrine-grant',
  'com.vitrine-viewer',
  'toString',
] // prettier-ignore

function record({ upTo, pick }: Dice): string {
  const sane =
    upTo(1) === 0 ? [`sid="f${upTo(50)}"`, `e=${pick(['t', 'ps', 'rr'])}`, `ts=${upTo(2e12)}`, 'v=2'] : []
  const more = Array.from({ length: upTo(6) }, () => `${pick(keys)}=${pick(values)}`)
  return [...sane, ...more].join(pick([',', ', ', ',,', ';']))
}

function bytes({ upTo, pick }: Dice): Buffer {
  const filled = (size: number): Buffer => Buffer.from(Array.from({ length: size }, () => upTo(255)))
  switch (pick(['noise', 'records', 'many', 'keys', 'deep', 'large', 'long', 'empty'])) {
    case 'noise':
      return filled(upTo(4096))
    case 'records': {
      const text = Array.from({ length: upTo(40) }, () => record({ upTo, pick }))
      const body = Buffer.from(text.join('\n'))
      for (let n = upTo(3); n > 0 && body.length > 0; n -= 1) body[upTo(body.length - 1)] = upTo(255)
      return body
    }
    case 'many':
      return Buffer.from('e=t\n'.repeat(upTo(5000)))
    case 'keys':
      return Buffer.from(
        `sid="k",e=t,ts=1,${Array.from({ length: upTo(9000) }, (_, n) => `k${n}=1`).join(',')}`,
      )
    case 'deep':
      return Buffer.from(
        `${pick(['', 'sid="d",e=t,ts=1,x='])}${pick(['[', '(', '{"a":', '"\\'])}`.repeat(1 + upTo(900)),
      )
    case 'large':
      return Buffer.alloc(BODY_MAX - 2 + upTo(512 * 1024), pick(['a', '\n', ',', '(']))
    case 'long':
      return Buffer.from(`sid="${'x'.repeat(upTo(5000))}",e=t,ts=1`)
    default:
      return Buffer.alloc(0)
  }
}

function shotOf(of: Dice): Shot {
  const { upTo, pick } = of
  const isBomb = upTo(12) === 0
  const body = isBomb ? gzipSync(Buffer.alloc(8 * 1024 * 1024)) : bytes(of)
  const type = pick([
    'application/cmcd',
    'text/plain',
    'application/json',
    'multipart/form-data; boundary=',
    'é/x',
    '',
  ])
  const encoding = isBomb ? pick(['gzip', 'br', 'gzip, gzip', 'identity', '']) : ''
  const isCut = upTo(15) === 0
  return {
    body,
    headers: {
      ...(type === '' ? {} : { 'content-type': encodeURI(type) }),
      ...(encoding === '' ? {} : { 'content-encoding': encoding }),
    },
    pieces: isCut || upTo(6) === 0 ? 2 + upTo(8) : 1,
    isCut,
  }
}

/** The status; null: the connection ended without one. */
function send({ body, headers, pieces, isCut }: Shot): Promise<number | null> {
  const { hostname, port } = new URL(url)
  return new Promise(resolve => {
    const length = pieces === 1 ? { 'content-length': String(body.length) } : {}
    const asked = request(
      { hostname, port, path: '/cmcd', method: 'POST', agent: false, headers: { ...headers, ...length } },
      answer => {
        answer.resume()
        answer.on('error', () => undefined)
        answer.on('close', () => resolve(answer.statusCode ?? null))
      },
    )
    asked.on('error', () => resolve(null))
    const step = Math.ceil(body.length / pieces) || 1
    const go = async (): Promise<void> => {
      for (let at = 0; at < body.length; at += step) {
        asked.write(body.subarray(at, at + step))
        if (pieces > 1) await pause(1)
        if (isCut && at > body.length / 2) {
          asked.destroy()
          return
        }
      }
      asked.end()
    }
    void go()
  })
}

interface Seen {
  readonly rssBytes: number
  readonly taken: number
  readonly dropped: Readonly<Record<string, number>>
}

async function seen(): Promise<Seen> {
  const { body } = await get(url, '/metrics', { authorization: 'Bearer edge-token' })
  const text = body.toString()
  const one = (pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? 0)
  const dropped = [
    ...text.matchAll(/^vitrine_edge_viewer_records_dropped_total\{.*?reason="([^"]+)".*?\} (\S+)/gm),
  ]
  return {
    rssBytes: one(/^process_resident_memory_bytes(?:\{.*?\})? (\S+)/m),
    taken: one(/^vitrine_edge_viewer_records_total\{.*?kind="event".*?\} (\S+)/m),
    dropped: Object.fromEntries(dropped.map(([, reason = '', count]) => [reason, Number(count)])),
  }
}

const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((all, n) => all + n, 0)
const linesOf = (body: Buffer): number =>
  body
    .toString('utf8')
    .split('\n', LINES_MAX + 1)
    .filter(line => line.trim() !== '').length // prettier-ignore

it(`takes or counts whatever is posted (seed ${SEED})`, { timeout: FUZZ_MS + 60_000 }, async () => {
  console.log(`FUZZ_SEED=${SEED}`)
  const of = dice(randomFrom(SEED))
  const before = await seen()
  const statuses: Record<string, number> = {}
  let expected = 0
  let unsure = 0
  const endMs = performance.now() + FUZZ_MS
  const worker = async (): Promise<void> => {
    while (performance.now() < endMs) {
      const shot = shotOf(of)
      const status = await send(shot)
      statuses[String(status)] = (statuses[String(status)] ?? 0) + 1
      if (status === 204) expected += linesOf(shot.body)
      else if (status === null) unsure += 1
      else if (status < 500 && status !== 405) expected += 1
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  const after = await seen()
  const told = after.taken + sum(after.dropped) - before.taken - sum(before.dropped)
  console.log(JSON.stringify({ statuses, ...after, told, expected, unsure }))
  expect(Object.keys(statuses).filter(status => Number(status) >= 500)).toEqual([])
  // What was cut may have been counted or have come too late for it; nothing else is missing.
  expect(told).toBeGreaterThanOrEqual(expected)
  expect(told).toBeLessThanOrEqual(expected + unsure * (LINES_MAX + 1))
  expect(after.dropped).toMatchObject({
    malformed: expect.any(Number),
    'body-too-large': expect.any(Number),
    'body-encoded': expect.any(Number),
    'record-too-long': expect.any(Number),
    'batch-too-long': expect.any(Number),
  })
  expect(after.rssBytes - before.rssBytes).toBeLessThan(GROWN_MAX)
})
