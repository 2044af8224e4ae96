// Beginning to watch while an entry host is frozen: an operator's own page with the embed code, and the player page.
import { readFileSync } from 'node:fs'
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ServerView } from '#wire'
import { embedCode } from '../../web/control-room/embed/embed-code.ts'
import { hasChromium, openBrowser } from './browser.ts'
import { startFleet, type TestFleet, until } from './fleet.ts'

const hlsJs = fileURLToPath(new URL('../../node_modules/hls.js/dist/hls.min.js', import.meta.url))

let fleet: TestFleet
let browser: Browser
let site: HttpServer
/** Accepts connections and never answers, as a stopped process does. */
let frozen: Server
let pageOf = ''

beforeAll(async () => {
  fleet = await startFleet()
  browser = await openBrowser()
  frozen = createServer(() => {})
  await new Promise<void>(resolve => frozen.listen(0, '127.0.0.1', resolve))
  site = createHttpServer((request, response) => {
    const isScript = request.url === '/hls.min.js'
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
    response.end(isScript ? readFileSync(hlsJs) : pageOf)
  })
  await new Promise<void>(resolve => site.listen(0, '127.0.0.1', resolve))
  await until(
    async () => {
      const { servers } = await fleet.get<{ servers: ServerView[] }>('/api/v1/servers')
      const { titles } = await fleet.get<{ titles: unknown[] }>('/api/v1/titles')
      return titles.length > 0 && servers.filter(({ weight }) => weight === 1).length === 3
    },
    60_000,
    () => 'three edges take viewers',
  )
}, 150_000)
afterAll(async () => {
  await browser?.close()
  site.close()
  frozen.close()
  await fleet.close()
}, 30_000)

function portOf(server: Server | HttpServer): number {
  return (server.address() as AddressInfo).port
}

describe.runIf(hasChromium)('with the first entry host frozen', () => {
  it('the embed code begins at the second one', async () => {
    const hosts = [`http://127.0.0.1:${portOf(frozen)}`, fleet.edgeUrl('us-east')]
    pageOf = `<!doctype html>${embedCode({ kind: 'hls.js', title: 'sample', hosts })}`
    const page = await browser.newPage()
    const asked: string[] = []
    page.on('request', request => asked.push(request.url()))
    await page.goto(`http://127.0.0.1:${portOf(site)}/`)
    await until(
      () => asked.some(url => url.endsWith('.m4s') || url.includes('.m4s?')),
      15_000,
      () => asked.join('\n'),
    )
    expect(asked.findIndex(url => url.startsWith(hosts[0] ?? ''))).toBeLessThan(
      asked.findIndex(url => url.startsWith(hosts[1] ?? '')),
    )
    await page.close()
  }, 60_000)

  it('the player page, loaded before its server fell silent, plays from another edge', async () => {
    const home = fleet.edgeUrl('eu-west')
    const page = await browser.newPage()
    // From the page on its server answers nothing but what the page itself consists of.
    await page.route(
      url => url.origin === home && /^\/(play|watch-table|vod)/.test(url.pathname),
      () => undefined,
    )
    await page.goto(`${home}/watch/sample`)
    await until(
      async () => /us-east|ap-southeast/.test((await page.locator('.edge').textContent()) ?? ''),
      20_000,
      () => 'another edge feeds',
    )
    const sid = await page.getByLabel('Session id').inputValue()
    // By the id that the page shows, the control room tells where it came in.
    const isKnown = async (): Promise<boolean> => {
      const known = fleet.get<{ changes: { edge: string }[] }>(`/api/v1/sessions/${sid}/pathways`)
      return known.then(({ changes }) => changes[0]?.edge !== 'eu-west').catch(() => false)
    }
    await until(isKnown, 10_000, () => sid)
    await page.close()
  }, 60_000)
})
