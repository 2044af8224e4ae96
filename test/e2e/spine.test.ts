import { execFile } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AlertView, ServerView, TitleView } from '#wire'
import { hasChromium, openBrowser } from './browser.ts'
import { edges, startFleet, type TestFleet, until } from './fleet.ts'

const run = promisify(execFile)
const hasFfmpeg = existsSync('/usr/bin/ffmpeg')
const sample = fileURLToPath(new URL('../../assets/sample/sample.mp4', import.meta.url))

let fleet: TestFleet
let browser: Browser | null = null
beforeAll(async () => {
  fleet = await startFleet()
  browser = hasChromium ? await openBrowser() : null
}, 150_000)
afterAll(async () => {
  await browser?.close()
  await fleet.close()
}, 30_000)

const servers = async (): Promise<ServerView[]> =>
  (await fleet.get<{ servers: ServerView[] }>('/api/v1/servers')).servers
const server = async (id: string): Promise<ServerView | undefined> =>
  (await servers()).find(one => one.id === id)
const titles = async (): Promise<TitleView[]> =>
  (await fleet.get<{ titles: TitleView[] }>('/api/v1/titles')).titles
const describeServers = async (): Promise<string> =>
  (await servers()).map(one => `${one.id} ${one.state} ${one.reason}`).join('; ')

interface Matrix {
  readonly data: {
    readonly result: readonly { metric: Record<string, string>; values: [number, string][] }[]
  }
}

async function settle(): Promise<void> {
  await until(
    async () => (await servers()).every(one => one.state === 'healthy'),
    30_000,
    () => 'all healthy',
  )
}

describe('a fleet that has just started', () => {
  it('lists every server as healthy, with the pid of its process group', async () => {
    await settle()
    const all = await servers()
    expect(all.map(one => one.id).toSorted()).toEqual([
      'ap-southeast',
      'control',
      'eu-west',
      'origin',
      'us-east',
    ])
    for (const id of edges) expect((await server(id))?.pid).toBe(fleet.pid(id))
  })

  it('has the sample title with three video renditions and sound', async () => {
    await until(async () => (await titles()).some(title => title.id === 'sample'), 10_000)
    const title = (await titles()).find(one => one.id === 'sample')
    expect(title?.state).toBe('ready')
    expect(title?.renditions.filter(one => one.kind === 'video')).toHaveLength(3)
    expect(title?.renditions.filter(one => one.kind === 'audio')).toHaveLength(1)
    expect(title?.durationMs).toBeGreaterThanOrEqual(180_000)
  })

  it('stores the CPU of each process group second by second', async () => {
    const query = encodeURIComponent(
      'rate(vitrine_server_cpu_seconds_total{instance=~"eu-west|ap-southeast"}[3s])',
    )
    let matrix: Matrix | null = null
    await until(
      async () => {
        const { now } = await fleet.get<{ now: number }>('/api/v1/servers')
        const path = `/prometheus/api/v1/query_range?query=${query}&start=${now / 1000 - 12}&end=${now / 1000 - 2}&step=1`
        matrix = await fleet.get<Matrix>(path)
        const { result } = matrix.data
        return result.length === 2 && result.every(series => series.values.length >= 10)
      },
      40_000,
      () => JSON.stringify(matrix),
    )
  })

  it('asks for sign-in everywhere but where viewers go', async () => {
    const status = async (url: string): Promise<number> => (await fetch(url, { redirect: 'manual' })).status
    const { controlUrl } = fleet
    expect(await status(`${controlUrl}/healthz`)).toBe(200)
    expect(await status(`${controlUrl}/watch/sample`)).toBe(200)
    expect(await status(`${controlUrl}/play/sample.m3u8`)).toBe(302)
    for (const path of [
      '/api/v1/servers',
      '/api/v1/titles',
      '/api/v1/alerts',
      '/metrics',
      '/prometheus/api/v1/query?query=1',
    ]) {
      expect(await status(`${controlUrl}${path}`), path).toBe(401)
    }
    expect(await status(`${fleet.edgeUrl('eu-west')}/metrics`)).toBe(401)
    expect(await status(`${fleet.edgeUrl('eu-west')}/steer?_HLS_pathway=eu-west`)).toBe(200)
    expect(await status(`http://127.0.0.1:${fleet.portBase + 10}/vod/sample/master.m3u8`)).toBe(401)
  })
})

describe.runIf(hasFfmpeg)('own files', () => {
  it('plays a file soon after its arrival, frame for frame, and lists bad ones with the reason', async () => {
    const media = join(fleet.data, 'media')
    mkdirSync(media, { recursive: true })
    writeFileSync(join(media, 'text.mp4'), 'this is not a film\n')
    writeFileSync(join(media, 'empty.mp4'), '')
    copyFileSync(sample, join(media, 'truncated.mp4'))
    truncateSync(join(media, 'truncated.mp4'), 1_000_000)
    const own = join(fleet.data, 'own.mp4')
    const encode = [
      '-f',
      'lavfi',
      '-i',
      'testsrc2=size=320x180:rate=25:duration=9',
      '-f',
      'lavfi',
      '-i',
      'sine=duration=9',
    ]
    await run('ffmpeg', ['-v', 'error', ...encode, '-c:v', 'libx264', '-g', '25', '-c:a', 'aac', own])
    await fleet.vitrine('publish', own)
    await until(
      async () => (await titles()).some(title => title.id === 'own' && title.state === 'ready'),
      15_000,
      () => 'own.mp4 ready',
    )
    const url = `${fleet.edgeUrl('us-east')}/vod/own/master.m3u8`
    const probe = [
      '-v',
      'error',
      '-count_frames',
      '-select_streams',
      'v:0',
      '-show_entries',
      'stream=nb_read_frames',
      '-of',
      'csv=p=0',
      url,
    ]
    expect(Number((await run('ffprobe', probe)).stdout.trim().split('\n')[0]?.replace(/,.*/, ''))).toBe(225)
    const broken = async (): Promise<TitleView[]> =>
      (await titles()).filter(title => title.state === 'broken')
    await until(
      async () => (await broken()).length === 3,
      10_000,
      () => 'three broken titles',
    )
    for (const title of await broken()) expect(title.reason?.length).toBeGreaterThan(10)
  }, 60_000)
})

/** What the player page shows of itself, read from the video element and the requests it makes. */
async function watchSegments(page: Page): Promise<{ atMs: number; port: number }[]> {
  const seen: { atMs: number; port: number }[] = []
  page.on('response', response => {
    const url = new URL(response.url())
    if (url.pathname.endsWith('.m4s') && response.ok())
      seen.push({ atMs: performance.now(), port: Number(url.port) })
  })
  await Promise.resolve()
  return seen
}

const currentTime = (page: Page): Promise<number> =>
  page.evaluate(() => document.querySelector('video')?.currentTime ?? -1)

describe.runIf(hasChromium)('a viewer in Chromium', () => {
  it('goes on from another edge without a reload when its edge freezes, and the fleet says so', async () => {
    await settle()
    const page = await browser!.newPage()
    const segments = await watchSegments(page)
    await page.goto(`${fleet.controlUrl}/watch/sample?via=eu-west`)
    await until(
      async () => (await currentTime(page)) > 4,
      30_000,
      () => 'the picture moves',
    )
    const portOf = (id: string): number => Number(new URL(fleet.edgeUrl(id)).port)
    expect(segments.at(-1)?.port).toBe(portOf('eu-west'))
    await page.evaluate(() => ((window as unknown as { mark: number }).mark = 1))

    const frozenAtMs = performance.now()
    process.kill(fleet.pid('eu-west'), 'SIGSTOP')
    await until(
      async () => (await server('eu-west'))?.state === 'unreachable',
      20_000,
      () => 'unreachable',
    )
    const seen = await server('eu-west')
    expect(seen?.reason).toContain('process frozen')
    expect(seen?.evidence.length).toBeGreaterThanOrEqual(3)
    await until(
      async () =>
        (await fleet.get<{ alerts: AlertView[] }>('/api/v1/alerts')).alerts.some(
          alert => alert.state === 'firing' && alert.labels['instance'] === 'eu-west',
        ),
      20_000,
      () => 'an alert fires',
    )
    await until(
      () => segments.some(one => one.atMs > frozenAtMs && one.port !== portOf('eu-west')),
      15_000,
      () => 'segments from another edge',
    )
    const before = await currentTime(page)
    await until(
      async () => (await currentTime(page)) > before + 8,
      20_000,
      () => 'the picture goes on',
    )
    expect(await page.evaluate(() => (window as unknown as { mark: number }).mark)).toBe(1)

    process.kill(fleet.pid('eu-west'), 'SIGCONT')
    await until(
      async () => (await server('eu-west'))?.state === 'healthy',
      20_000,
      () => 'healthy again',
    )

    // Another one within a minute: the edge that plays now.
    const second = edges.find(id => portOf(id) === segments.at(-1)?.port) ?? 'us-east'
    const secondAtMs = performance.now()
    process.kill(fleet.pid(second), 'SIGSTOP')
    await until(
      () => segments.some(one => one.atMs > secondAtMs + 4000 && one.port !== portOf(second)),
      30_000,
      () => 'segments from a third edge',
    )
    process.kill(fleet.pid(second), 'SIGCONT')
    await page.close()
    await settle()
  }, 150_000)

  it('signs in by the one-time link, once, and draws two CPU lines', async () => {
    const page = await browser!.newPage()
    // A newcomer opens the pages first, and then pastes the link into the same tab: only the fragment changes.
    await page.goto(`${fleet.controlUrl}/sign-in`)
    await page.getByRole('button', { name: 'Sign in' }).waitFor({ timeout: 15_000 })
    await page.goto(fleet.signInUrl())
    await page.getByRole('heading', { name: /cpu/i }).first().waitFor({ timeout: 15_000 })
    expect(page.url()).not.toContain('link=')
    await until(
      async () => (await page.locator('canvas').count()) >= 3,
      15_000,
      () => 'three charts',
    )
    await page.close()
    const other = await (await browser!.newContext()).newPage()
    await other.goto(fleet.signInUrl())
    await other
      .getByText(/used|expired|not valid/i)
      .first()
      .waitFor({ timeout: 15_000 })
    await other.close()
  }, 60_000)
})

describe('without the control room', () => {
  it('a new viewer still starts from an edge, and the control room comes back with every sample', async () => {
    await settle()
    const fleetNow = async (): Promise<number> => (await fleet.get<{ now: number }>('/api/v1/servers')).now
    let now = await fleetNow()
    const count = async (): Promise<number> => {
      const path = `/prometheus/api/v1/query?query=${encodeURIComponent('count_over_time(vitrine_server_cpu_seconds_total{instance="us-east"}[20s])')}&time=${now / 1000 - 1}`
      const answer = await fleet.get<{ data: { result: { value: [number, string] }[] } }>(path)
      return Number(answer.data.result[0]?.value[1] ?? 0)
    }
    const enough = async (): Promise<boolean> => {
      now = await fleetNow()
      return (await count()) > 5
    }
    await until(enough, 20_000, () => 'some seconds of samples')
    const samples = await count()
    const pid = fleet.pid('control')
    process.kill(pid, 'SIGSTOP') // stopped, not dead: the supervisor leaves it alone
    const play = await fetch(`${fleet.edgeUrl('us-east')}/play/sample.m3u8`, { redirect: 'manual' })
    expect(play.status).toBe(302)
    const master = await fetch(play.headers.get('location') ?? '')
    expect(master.status).toBe(200)
    expect(await master.text()).toContain('#EXT-X-CONTENT-STEERING')
    process.kill(pid, 'SIGKILL')
    await until(
      async () =>
        fleet.get('/api/v1/servers').then(
          () => true,
          () => false,
        ),
      20_000,
      () => fleet.output(),
    )
    expect(fleet.pid('control')).not.toBe(pid)
    expect(await count()).toBeGreaterThanOrEqual(samples)
  }, 60_000)
})

describe('a control room that did not run for a while', () => {
  it('blames nobody else for the silence', async () => {
    await settle()
    const before = await servers()
    const pid = fleet.pid('control')
    const agentAlertMs = 10_000
    process.kill(pid, 'SIGSTOP')
    const stoppedAtMs = performance.now()
    await until(() => performance.now() - stoppedAtMs > agentAlertMs + 1000, 20_000)
    process.kill(pid, 'SIGCONT')
    const continuedAtMs = performance.now()
    const silences: string[] = []
    await until(async () => {
      const { alerts } = await fleet.get<{ alerts: AlertView[] }>('/api/v1/alerts')
      silences.push(...alerts.filter(alert => alert.rule === 'AgentSilent').map(alert => alert.state))
      return performance.now() - continuedAtMs > 4000
    }, 20_000)
    expect(silences).toEqual([])
    const since = (all: readonly ServerView[]): unknown[] => all.map(one => [one.id, one.state, one.since])
    expect(since(await servers())).toEqual(since(before))
  }, 60_000)
})

describe('every role, killed', () => {
  it('comes back by itself', async () => {
    for (const id of [...edges, 'origin']) {
      await settle()
      const pid = fleet.pid(id)
      process.kill(pid, 'SIGKILL')
      await until(
        () => fleet.pid(id) > 0 && fleet.pid(id) !== pid,
        10_000,
        () => `${id} has a new process`,
      )
      const url = id === 'origin' ? `http://127.0.0.1:${fleet.portBase + 10}` : fleet.edgeUrl(id)
      const answers = (): Promise<boolean> =>
        fetch(`${url}/healthz`).then(
          answer => answer.ok,
          () => false,
        )
      await until(answers, 15_000, () => `${id} answers again`)
    }
    await settle().catch(async error => {
      throw new Error(`${String(error)} ${await describeServers()}`)
    })
    const plays = async (): Promise<boolean> =>
      (await fetch(`${fleet.edgeUrl('eu-west')}/vod/sample/master.m3u8`)).status === 200
    await until(plays, 5000, () => 'the sample plays')
  }, 120_000)
})
