// The proof of the ledger: a real fleet whose servers are killed under traffic. What the access logs say, what clients
// received and what the ledger counts must be the same.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { Agent, get, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { silentLog, systemClock } from '#base'
import type { LedgerRow } from '#metrics'
import { startViewers } from '#viewer'
import { edges, startFleet, type TestFleet, until } from '../e2e/fleet.ts'

const EDGES = ['eu-west', 'us-east'] as const
const VIEWERS = 6
const DOWNLOADERS = 3
/** The goal of the ledger; what is lost is expected to be nothing. */
const SHARE_MAX = 0.001
/** Between two events, so that there is traffic of every kind around each. */
const DOWNLOADS_A_STAGE = 700
/** A viewer counts for so long after the last media that it got. */
const WATCHING_MS = 30_000
/** What a session may miss on a busy machine: at its start, and at a restart of the control room. */
const SESSION_LAG_S = 5

let fleet: TestFleet
beforeAll(async () => {
  fleet = await startFleet()
}, 90_000)
afterAll(async () => {
  await fleet.close()
}, 30_000)

interface Line {
  readonly time: string
  readonly kind: string
  readonly class: string
  readonly bytes: number
  readonly session?: string
  readonly probe?: boolean
}

function lines(edge: string): Line[] {
  const folder = join(fleet.data, 'edges', edge, 'accounting')
  if (!existsSync(folder)) return []
  return (
    readdirSync(folder)
      .filter(name => name.endsWith('.log'))
      .flatMap(name => readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1))
      .map(line => JSON.parse(line) as Line)
      // The fleet's own looks are no delivery.
      .filter(line => line.probe !== true)
  )
}

interface Sum {
  bytes: number
  requests: number
}

function logged(edge: string, of: (line: Line) => boolean = () => true): Sum {
  const all = lines(edge).filter(of)
  return { bytes: all.reduce((bytes, line) => bytes + line.bytes, 0), requests: all.length }
}

async function ledgerRows(): Promise<readonly LedgerRow[]> {
  return (await fleet.get<{ rows: LedgerRow[] }>('/api/v1/ledger')).rows
}

async function counted(edge: string): Promise<Sum> {
  const own = (await ledgerRows()).filter(row => row.server === edge)
  const sum = (measure: string): number =>
    own.reduce((all, row) => all + (row.measure === measure ? row.value : 0), 0)
  return { bytes: sum('bytes'), requests: sum('requests') }
}

/** What clients know by themselves. */
interface Received {
  /** Answers that came whole. */
  readonly whole: Sum
  /** Bytes that those which broke off may have had at most. */
  readonly broken: Sum
}

interface Answer {
  readonly announced: number
  readonly received: number
  readonly isWhole: boolean
}

/** One download; with `leaveAfter` the client goes after so many bytes. */
function download(
  agent: Agent,
  url: string,
  range: string | null,
  leaveAfter: number,
): Promise<Answer | null> {
  return new Promise(resolve => {
    const asked = get(url, { agent, headers: range === null ? {} : { range } }, (answer: IncomingMessage) => {
      const announced = Number(answer.headers['content-length'] ?? 0)
      let received = 0
      answer.on('data', (chunk: Buffer) => {
        received += chunk.length
        if (received >= leaveAfter) asked.destroy()
      })
      answer.on('error', () => undefined)
      answer.on('close', () =>
        resolve({ announced, received, isWhole: received === announced && answer.complete }),
      )
    })
    asked.on('error', () => resolve(null))
    asked.setTimeout(5000, () => asked.destroy())
  })
}

async function mediaOf(edge: string): Promise<string[]> {
  const base = `${fleet.edgeUrl(edge)}/vod/sample`
  const read = async (path: string): Promise<string> => (await fetch(`${base}/${path}?sid=reader`)).text()
  const playlist =
    (await read('master.m3u8'))
      .split('\n')
      .findLast(line => line.endsWith('index.m3u8') && !line.startsWith('#')) ?? ''
  const path = new URL(playlist, `${base}/master.m3u8`).pathname.replace('/vod/sample/', '')
  const segments = (await read(path)).split('\n').filter(line => line.endsWith('.m4s'))
  const folder = path.replace('index.m3u8', '')
  return segments.map(segment => `${base}/${folder}${segment.replace('./', '')}`)
}

class Downloads {
  readonly received = new Map<string, Received>()
  done = 0
  #stopped = false
  readonly #running: Promise<void>[] = []

  start(edge: string, urls: readonly string[]): void {
    const own: Received = { whole: { bytes: 0, requests: 0 }, broken: { bytes: 0, requests: 0 } }
    this.received.set(edge, own)
    for (let nth = 0; nth < DOWNLOADERS; nth += 1)
      this.#running.push(this.#loop(`dl-${edge}-${nth}`, urls, own))
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#running)
  }

  async #loop(sid: string, urls: readonly string[], { whole, broken }: Received): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    for (let at = 0; !this.#stopped; at += 1) {
      const url = `${urls[at % urls.length] ?? ''}?sid=${sid}`
      const leaveAfter = at % 17 === 0 ? 1000 : Number.POSITIVE_INFINITY
      const answer = await download(agent, url, at % 5 === 0 ? 'bytes=1000-50999' : null, leaveAfter)
      this.done += 1
      const into = answer?.isWhole === true ? whole : broken
      into.requests += 1
      into.bytes += answer?.announced ?? 0
      // Not all of the machine: others test on it as well.
      await pause(3)
    }
    agent.destroy()
  }
}

async function serves(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(1000) })).ok
  } catch {
    return false
  }
}

/** Ends a server under traffic and waits until it is back, and for some traffic after that; seconds that it was away. */
async function hit(id: string, signal: 'SIGKILL' | 'SIGTERM', downloads: Downloads): Promise<number> {
  const before = fleet.pid(id)
  const endedMs = performance.now()
  process.kill(before, signal)
  await until(
    () => fleet.pid(id) > 0 && fleet.pid(id) !== before,
    20_000,
    () => `${id} is started again`,
  )
  const url = id === 'control' ? fleet.controlUrl : fleet.edgeUrl(id)
  await until(
    () => serves(url),
    20_000,
    () => `${id} serves again`,
  )
  const awayS = (performance.now() - endedMs) / 1000
  await traffic(downloads)
  return awayS
}

async function traffic(downloads: Downloads): Promise<void> {
  const target = downloads.done + DOWNLOADS_A_STAGE
  await until(
    () => downloads.done >= target,
    30_000,
    () => `${downloads.done} of ${target} downloads`,
  )
}

/** Seconds for which somebody watched, by the logs alone: each session from its first media to 30 s after its last. */
function watchedSeconds(endMs: number): { sessions: number; seconds: number } {
  const times = new Map<string, number[]>()
  // Steering may send viewers to the third edge too.
  for (const edge of edges) {
    for (const { session, kind, time } of lines(edge)) {
      if (session === undefined || kind === 'master') continue
      const all = times.get(session) ?? []
      all.push(Date.parse(time))
      times.set(session, all)
    }
  }
  let watchedMs = 0
  for (const all of times.values()) {
    all.sort((a, b) => a - b)
    all.forEach((ms, at) => {
      watchedMs += Math.max(
        0,
        Math.min(ms + WATCHING_MS, all[at + 1] ?? Number.POSITIVE_INFINITY, endMs) - ms,
      )
    })
  }
  return { sessions: times.size, seconds: watchedMs / 1000 }
}

const isNear = (a: number, b: number): boolean => Math.abs(a - b) <= SHARE_MAX * Math.max(a, b)

it('equals the access logs and what clients received, over kills of edges and of the control room', async () => {
  await until(
    async () => (await fetch(`${fleet.edgeUrl('us-east')}/vod/sample/master.m3u8?sid=reader`)).ok,
    30_000,
    () => 'the sample is served',
  )
  const downloads = new Downloads()
  for (const edge of EDGES) downloads.start(edge, await mediaOf(edge))
  const viewers = startViewers({
    count: VIEWERS,
    entries: EDGES.map(edge => fleet.edgeUrl(edge)),
    title: 'sample',
    clock: systemClock,
    log: silentLog,
  })
  let awayS = 0
  try {
    await traffic(downloads)
    await hit('eu-west', 'SIGKILL', downloads)
    awayS = await hit('control', 'SIGKILL', downloads)
    await hit('us-east', 'SIGKILL', downloads)
    await hit('eu-west', 'SIGTERM', downloads)
    await hit('eu-west', 'SIGKILL', downloads)
  } finally {
    await viewers.close()
    await downloads.stop()
  }
  for (const edge of EDGES) {
    let last = ''
    let waited = 0
    await until(
      async () => {
        const [log, ledger] = [logged(edge), await counted(edge)]
        last = `${edge}: log ${JSON.stringify(log)}, ledger ${JSON.stringify(ledger)}`
        // Sooner or later they are equal; what is asked for is less, since a kill may come between the two.
        waited += 1
        const isExact = log.bytes === ledger.bytes && log.requests === ledger.requests
        const isGood = isNear(log.bytes, ledger.bytes) && isNear(log.requests, ledger.requests)
        return isExact || (isGood && waited > 100)
      },
      20_000,
      () => last,
    )
    console.log(last)
    const own = logged(edge, line => line.session?.startsWith(`dl-${edge}`) === true)
    const { whole, broken } = downloads.received.get(edge) ?? { whole: own, broken: own }
    for (const measure of ['bytes', 'requests'] as const) {
      expect(own[measure], measure).toBeGreaterThanOrEqual(whole[measure] * (1 - SHARE_MAX))
      expect(own[measure], measure).toBeLessThanOrEqual((whole[measure] + broken[measure]) * (1 + SHARE_MAX))
    }
  }
  const rows = await ledgerRows()
  expect(
    new Set(rows.filter(row => row.measure === 'bytes' && row.role === 'edge').map(row => row.class)),
  ).toContain('builtin')
  const watched = rows.reduce((sum, row) => sum + (row.measure === 'viewer-seconds' ? row.value : 0), 0)
  const { sessions, seconds } = watchedSeconds(systemClock.wallMs())
  console.log(`viewer-seconds: ${watched} in the ledger, ${seconds} by the logs`)
  // Each session is told of within a second and counted in the next, once more after the control room's restart.
  expect(watched).toBeLessThanOrEqual(seconds + sessions)
  // While the control room is away it counts nobody.
  expect(watched).toBeGreaterThanOrEqual(seconds - sessions * (SESSION_LAG_S + awayS))
}, 120_000)
