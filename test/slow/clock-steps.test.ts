// The product under clocks that are set by a second, an hour and ten years while it plays, takes samples and judges:
// real processes under libfaketime, which moves their wall clock and never the machine's.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { silentLog, systemClock } from '#base'
import { encodeRemoteWrite, REMOTE_WRITE_HEADERS } from '#metrics'
import { startViewers } from '#viewer'
import type { ServerView } from '#wire'
import { fetchPeer } from '../conformance/peers.ts'
import { edges, startFleet, type TestFleet, until } from '../e2e/fleet.ts'

const LIBRARY = 'usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1'
const HOUR_S = 3600
const YEARS_S = 87_600 * HOUR_S
const FORM = { 'content-type': 'application/json' }

/** A person who has signed in: by the link that `vitrine start` prints. */
async function signIn(running: TestFleet): Promise<string> {
  const { controlUrl } = running
  const link = /#link=(\S+)/.exec(running.signInUrl())?.[1] ?? ''
  const answer = await fetch(`${controlUrl}/api/v1/sign-in`, {
    method: 'POST',
    headers: { ...FORM, origin: controlUrl },
    body: JSON.stringify({ link }),
  })
  const cookie = answer.headers.getSetCookie().map(text => text.split(';')[0] ?? '')
  if (!answer.ok || cookie.length === 0) throw new Error(`sign-in: ${answer.status} ${await answer.text()}`)
  return cookie.join('; ')
}

/** What is acknowledged is counted. */
const acknowledged: number[] = []

/** A sample of a sender elsewhere, stamped in fleet time. */
async function write({ controlUrl }: TestFleet, token: string, timestampMs: number): Promise<void> {
  const labels = { __name__: 'acknowledged_sample', instance: 'sender', job: 'test' }
  const body = encodeRemoteWrite([{ labels, samples: [{ timestampMs, value: acknowledged.length + 1 }] }])
  const answer = await fetch(`${controlUrl}/prometheus/api/v1/write`, {
    method: 'POST',
    headers: { ...REMOTE_WRITE_HEADERS, authorization: `Bearer ${token}` },
    body: Buffer.from(body),
  })
  if (!answer.ok) throw new Error(`write: ${answer.status} ${await answer.text()}`)
  acknowledged.push(timestampMs)
}

async function isKnown({ controlUrl }: TestFleet, cookie: string): Promise<number> {
  return (await fetch(`${controlUrl}/api/v1/me`, { headers: { cookie } })).status
}

async function stored(running: TestFleet): Promise<number> {
  const { now } = await running.get<Api>('/api/v1/servers')
  const seconds = Math.ceil((now - (acknowledged[0] ?? now)) / 1000) + 5
  const query = encodeURIComponent(`count_over_time(acknowledged_sample[${seconds}s])`)
  const answer = await running.get<{ data: { result: { value: [number, string] }[] } }>(
    `/prometheus/api/v1/query?query=${query}`,
  )
  return Number(answer.data.result[0]?.value[1] ?? 0)
}

const STEPS_S = [1, -1, HOUR_S, -HOUR_S, YEARS_S, -YEARS_S]
/** Of fleet time, after each step: graphs and rules go on in it. */
const LOOK_MS = 4000
/** What a sample may be late by on a machine that does other things too; any step is further. */
const GAP_S_MAX = 8

const folder = mkdtempSync(join(tmpdir(), 'vitrine-clock-'))
const file = join(folder, 'clock')
const peer = await fetchPeer('libfaketime')
let fleet: TestFleet | null = null
let cookie = ''
let token = ''

/** Of every process of the fleet at once; 0: as the machine's. */
function setClocks(seconds: number): void {
  writeFileSync(file, `${seconds < 0 ? '' : '+'}${seconds}\n`)
}

beforeAll(async () => {
  if ('missing' in peer) return
  setClocks(0)
  fleet = await startFleet({
    environment: {
      LD_PRELOAD: join(peer.folder, LIBRARY),
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
  })
}, 150_000)
afterAll(async () => {
  await fleet?.close()
  rmSync(folder, { recursive: true, force: true })
}, 30_000)

interface Api {
  readonly now: number
}
type Matrix = { data: { result: { values: [number, string][] }[] } }

const cpuSeconds = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

it.skipIf('missing' in peer)(
  'neither crashes, spins, refuses anybody nor leaves a hole in a graph',
  async () => {
    const running = fleet as TestFleet
    const names = ['control', 'origin', ...edges]
    await until(
      async () => (await running.get<{ titles: unknown[] }>('/api/v1/titles')).titles.length > 0,
      60_000,
      () => 'there is a title',
    )
    const entries = [running.edgeUrl('us-east')]
    const viewers = startViewers({ count: 3, entries, title: 'sample', clock: systemClock, log: silentLog })
    try {
      await until(
        () => viewers.stats().playing === 3,
        60_000,
        () => JSON.stringify(viewers.stats()),
      )
      const pids = names.map(id => running.pid(id))
      cookie = await signIn(running)
      token = (await running.vitrine('token', 'create', '--role', 'admin')).trimEnd().split('\n').at(-1) ?? ''
      const began = await running.get<Api>('/api/v1/servers')
      for (const step of STEPS_S) {
        const [before, beforeMs] = [await running.get<Api>('/api/v1/servers'), performance.now()]
        const cpuBefore = pids.map(cpuSeconds)
        setClocks(step)
        await until(
          async () => (await running.get<Api>('/api/v1/servers')).now - before.now >= LOOK_MS,
          60_000,
          () => `fleet time stands still after ${step} s`,
        )
        const elapsedMs = performance.now() - beforeMs
        const after = await running.get<Api>('/api/v1/servers')
        // Fleet time is never set: it went on as this process's monotonic clock did.
        expect(Math.abs(after.now - before.now - (performance.now() - beforeMs))).toBeLessThan(1000)
        expect(names.map(id => running.pid(id))).toEqual(pids)
        for (const [place, pid] of pids.entries()) {
          const cores = (cpuSeconds(pid) - (cpuBefore[place] ?? 0)) / (elapsedMs / 1000)
          expect(`${names[place] ?? ''} spins: ${cores > 0.95}`).toBe(`${names[place] ?? ''} spins: false`)
        }
        expect(viewers.stats()).toMatchObject({ playing: 3 })
        // Nobody who has signed in is refused, and what is acknowledged stands where it belongs.
        expect(await isKnown(running, cookie)).toBe(200)
        await write(running, token, Math.floor(after.now))
        setClocks(0)
      }
      expect(await stored(running)).toBe(STEPS_S.length)
      const { servers } = await running.get<Api & { servers: ServerView[] }>('/api/v1/servers')
      expect(
        servers.filter(({ state }) => state !== 'healthy').map(({ id, reason }) => `${id}: ${reason}`),
      ).toEqual([])
      const range = Math.ceil(((await running.get<Api>('/api/v1/servers')).now - began.now) / 1000)
      const ask = async (expr: string): Promise<Matrix> =>
        await running.get<Matrix>(`/prometheus/api/v1/query?query=${encodeURIComponent(expr)}`)
      for (const expr of [
        `vitrine_server_cpu_seconds_total{instance="us-east"}[${range}s]`,
        `vitrine_fleet_watching{instance="us-east"}[${range}s]`,
      ]) {
        const times = (await ask(expr)).data.result[0]?.values.map(([at]) => at) ?? []
        expect(times.length).toBeGreaterThan(range / 4)
        const gaps = times.slice(1).map((at, place) => at - (times[place] ?? at))
        expect(Math.min(...gaps)).toBeGreaterThan(0)
        expect(Math.max(...gaps)).toBeLessThan(GAP_S_MAX)
      }
      // The agents saw it and said so: the steps were real.
      const steps = await running.get<{ data: { result: { value: [number, string] }[] } }>(
        '/prometheus/api/v1/query?query=sum(vitrine_clock_steps_total)',
      )
      expect(Number(steps.data.result[0]?.value[1])).toBeGreaterThanOrEqual(STEPS_S.length)
    } finally {
      await viewers.close()
    }
  },
  170_000,
)

it.skipIf('missing' in peer)(
  'a control room that starts again on a clock that was set goes on in its own time',
  async () => {
    const running = fleet as TestFleet
    for (const step of [-HOUR_S, YEARS_S]) {
      const [before, beforeMs] = [await running.get<Api>('/api/v1/servers'), performance.now()]
      setClocks(step)
      const pid = running.pid('control')
      process.kill(pid, 'SIGKILL')
      await until(
        async () => {
          if (running.pid('control') === pid) return false
          return await running.get<Api>('/api/v1/servers').then(
            () => true,
            () => false,
          )
        },
        60_000,
        () => 'the control room does not come back',
      )
      const after = await running.get<Api>('/api/v1/servers')
      expect(Math.abs(after.now - before.now - (performance.now() - beforeMs))).toBeLessThan(5000)
      // Killed in the same moment: sessions, credentials and samples that were acknowledged are still there.
      expect(await isKnown(running, cookie)).toBe(200)
      await write(running, token, Math.floor(after.now))
      expect(await stored(running)).toBe(acknowledged.length)
      setClocks(0)
    }
  },
  120_000,
)
