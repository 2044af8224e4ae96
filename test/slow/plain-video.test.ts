// The player library with a `<video>` that no hls.js feeds, on a page of another site: its events reach the control room
// past a dead edge, and what it says as it goes reaches two edges without a preflight.
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ViewerSessionAnswer } from '#wire'
import { hasChromium, openBrowser } from '../e2e/browser.ts'
import { startFleet, type TestFleet, until } from '../e2e/fleet.ts'

interface Seen {
  readonly method: string
  readonly path: string
  readonly type: string
  readonly origin: string
  readonly body: string
}

/** Before an edge, as another origin; it remembers what was sent to it. */
class Before {
  readonly seen: Seen[] = []
  readonly #server: Server

  constructor(edge: string) {
    const { hostname, port } = new URL(edge)
    this.#server = createServer((req, res) => {
      const chunks: Buffer[] = []
      req.on('data', (chunk: Buffer) => chunks.push(chunk))
      req.on('end', () => {
        const { method = '', url: path = '', headers } = req
        const { 'content-type': type = '', origin = '' } = headers
        const body = Buffer.concat(chunks)
        this.seen.push({ method, path, type, origin, body: body.toString() })
        const asked = request({ hostname, port, method, path, headers, agent: false }, answer => {
          res.writeHead(answer.statusCode ?? 502, answer.headers)
          answer.pipe(res)
        })
        asked.on('error', () => res.destroy())
        asked.end(body)
      })
    })
  }

  async listen(): Promise<string> {
    await new Promise<void>(resolve => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  reports(): readonly Seen[] {
    return this.seen.filter(({ path, method }) => path === '/cmcd' && method === 'POST')
  }

  preflights(): readonly Seen[] {
    return this.seen.filter(({ path, method }) => path === '/cmcd' && method === 'OPTIONS')
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}

/** Feeds the element itself, by Media Source: a player that is not hls.js. */
const pageOf = (edges: readonly string[], sid: string): string => `<!doctype html><title>A site</title>
<video id="video" muted playsinline></video>
<script type="module">
  import { ViewerReports } from '${edges[1]}/player.js'
  const edges = ${JSON.stringify(edges)}
  const video = document.querySelector('video')
  const reports = new ViewerReports({ edges, contentId: 'sample', sessionId: '${sid}', viewerRef: 'customer-1' }).watch(video)
  window.reports = reports
  reports.asked()
  const text = async url => (await fetch(url)).text()
  const master = edges[1] + '/vod/sample/master.m3u8'
  const lines = (await text(master)).split('\\n')
  const at = lines.findIndex(line => line.startsWith('#EXT-X-STREAM-INF') && line.includes('avc1'))
  const codec = /avc1\\.[0-9a-fA-F]+/.exec(lines[at])[0]
  const media = new URL(lines[at + 1].trim(), master).href
  const playlist = await text(media)
  const init = /#EXT-X-MAP:URI="([^"]+)"/.exec(playlist)[1]
  const parts = [init, ...playlist.split('\\n').filter(line => line && !line.startsWith('#')).slice(0, 8)]
  const source = new MediaSource()
  video.src = URL.createObjectURL(source)
  await new Promise(done => source.addEventListener('sourceopen', done, { once: true }))
  const buffer = source.addSourceBuffer('video/mp4; codecs="' + codec + '"')
  for (const part of parts) {
    buffer.appendBuffer(await (await fetch(new URL(part.trim(), media).href)).arrayBuffer())
    await new Promise(done => buffer.addEventListener('updateend', done, { once: true }))
  }
  await video.play()
</script>`

let fleet: TestFleet
let browser: Browser
let site: Server
let siteUrl = ''
let page: string = ''
const [first, second] = [
  { before: null as Before | null, url: '' },
  { before: null as Before | null, url: '' },
]
beforeAll(async () => {
  fleet = await startFleet()
  for (const [place, id] of [
    [first, 'eu-west'],
    [second, 'us-east'],
  ] as const) {
    place.before = new Before(fleet.edgeUrl(id))
    place.url = await place.before.listen()
  }
  site = createServer((_, res) => res.writeHead(200, { 'content-type': 'text/html' }).end(page))
  await new Promise<void>(resolve => site.listen(0, '127.0.0.1', resolve))
  siteUrl = `http://127.0.0.1:${(site.address() as AddressInfo).port}/`
  browser = await openBrowser()
}, 120_000)
afterAll(async () => {
  await browser?.close()
  site?.close()
  first.before?.close()
  second.before?.close()
  await fleet?.close()
})

/** A server that was there and is gone: nothing listens any more. */
async function deadEdge(): Promise<string> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return `http://127.0.0.1:${port}`
}

async function stateOf(sid: string): Promise<string> {
  const answer = await fleet.get<ViewerSessionAnswer>(`/api/v1/viewers/sessions/${sid}`).catch(() => null)
  return answer?.session.state ?? 'unknown'
}

const holds = (what: string, condition: () => boolean | Promise<boolean>): Promise<number> =>
  until(condition, 60_000, () => what)

async function openPlaying(sid: string): Promise<Page> {
  page = pageOf([await deadEdge(), first.url, second.url], sid)
  const opened = await browser.newPage()
  opened.on('pageerror', error => console.log(`page: ${error.message}`))
  await opened.goto(siteUrl)
  await holds(`${sid} plays`, async () => (await stateOf(sid)) === 'playing')
  return opened
}

describe.skipIf(!hasChromium)('a plain video on a page of another site', () => {
  it('is told to the control room past a dead first edge, and as it goes to two edges without preflight', async () => {
    const sid = `plain-${Date.now()}`
    const opened = await openPlaying(sid)
    // Reports of a page that stays may ask first, once an edge.
    expect(first.before?.reports().every(({ type }) => type === 'application/cmcd')).toBe(true)
    expect(first.before?.preflights().length).toBe(1)
    expect(second.before?.preflights()).toEqual([])
    await opened.evaluate(() => {
      const video = document.querySelector('video')
      if (video !== null) video.currentTime = 12
    })
    await holds('the seek is over', () =>
      opened.evaluate(() => document.querySelector('video')?.seeking === false),
    )
    const before = [first.before?.reports().length ?? 0, second.before?.reports().length ?? 0]
    page = '<title>Elsewhere</title>'
    await opened.goto(siteUrl)
    await holds(
      'two edges hear that it went',
      () => (second.before?.reports().length ?? 0) > (before[1] ?? 0),
    )
    const last = [first.before?.reports().at(-1), second.before?.reports().at(-1)]
    for (const one of last) {
      expect(one?.type).toBe('text/plain')
      expect(`${one?.origin}/`).toBe(siteUrl)
      expect(one?.body).toMatch(/sta=q/)
    }
    expect(last[0]?.body).toBe(last[1]?.body)
    expect(second.before?.preflights()).toEqual([])
    expect(first.before?.preflights().length).toBe(1)
    await holds('it is known to have quit', async () => (await stateOf(sid)) === 'quit')
    const know = (): Promise<ViewerSessionAnswer> => fleet.get(`/api/v1/viewers/sessions/${sid}`)
    await holds('the same came through two edges', async () => (await know()).records.duplicates > 0)
    const { session, timeline } = await know()
    expect(session).toMatchObject({
      title: 'sample',
      estimated: false,
      attempt: 'started',
      viewerRefIs: 'claimed',
    })
    expect(session.startTimeS).toBeGreaterThan(0)
    expect(timeline.map(({ state }) => state)).toContain('seeking')
    await opened.close()
  }, 120_000)
})
