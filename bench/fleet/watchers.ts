// Owns real players in Chromium for the fleet bench: which server each segment came from, and what the viewer saw.
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import type { Browser, Page } from 'playwright-core'
import { chromiumPath, hasChromium, openBrowser } from '../../test/e2e/browser.ts'

const SAMPLE_MS = 100
/** A picture that stands for less is a slow frame. */
const STALL_MS_MIN = 300
const START_MS_MAX = 30_000

export function whyNoPlayers(): string | null {
  return hasChromium ? null : `there is no Chromium at ${chromiumPath}`
}

export interface Segment {
  readonly url: string
  readonly atMs: number
}

export interface Seen {
  readonly stalledMs: number
  readonly fatal: number
  readonly bufferS: number
}

export class Watcher {
  readonly page: Page
  readonly segments: Segment[] = []

  constructor(page: Page) {
    this.page = page
    page.on('requestfinished', request => {
      if (!/\/\d+\.m4s(\?|$)/.test(request.url())) return
      void request.response().then(
        response => {
          if (response?.ok() === true) this.segments.push({ url: request.url(), atMs: performance.now() })
        },
        () => undefined,
      )
    })
  }

  /** From opening the page to a picture that moves. */
  async open(url: string): Promise<number> {
    const startedMs = performance.now()
    await this.page.goto(url, { waitUntil: 'commit' })
    await this.page.waitForFunction(() => (document.querySelector('video')?.currentTime ?? 0) > 0.05, null, {
      timeout: START_MS_MAX,
      polling: 50,
    })
    const tookMs = performance.now() - startedMs
    await this.page.evaluate(watchPicture, { everyMs: SAMPLE_MS, stallMs: STALL_MS_MIN })
    return tookMs
  }

  seen(): Promise<Seen> {
    return this.page.evaluate(() => {
      const video = document.querySelector('video')
      const own = window as unknown as { stalledMs?: number; fatal?: number }
      const at = video?.currentTime ?? 0
      const { buffered } = video ?? {}
      let bufferS = 0
      for (let n = 0; n < (buffered?.length ?? 0); n += 1) {
        if ((buffered?.start(n) ?? 0) <= at + 0.1) bufferS = Math.max(bufferS, (buffered?.end(n) ?? 0) - at)
      }
      return { stalledMs: own.stalledMs ?? 0, fatal: own.fatal ?? 0, bufferS }
    })
  }

  /** The server of the newest segment: `http://host:port`. */
  feeding(): string | null {
    const newest = this.segments.at(-1)
    return newest === undefined ? null : new URL(newest.url).origin
  }

  /** The first segment after `fromMs` that came from somewhere else. */
  firstElsewhere(origin: string, fromMs: number): Segment | null {
    return this.segments.find(({ url, atMs }) => atMs > fromMs && new URL(url).origin !== origin) ?? null
  }
}

/** Runs in the page: how long the picture stood while it should have moved. */
function watchPicture({ everyMs, stallMs }: { everyMs: number; stallMs: number }): void {
  const video = document.querySelector('video')
  const own = window as unknown as { stalledMs: number }
  own.stalledMs = 0
  let lastS = -1
  let stoodMs = 0
  setInterval(() => {
    const nowS = video?.currentTime ?? 0
    const stands = nowS === lastS && video?.paused === false && !video.ended && !video.seeking
    stoodMs = stands ? stoodMs + everyMs : 0
    if (stoodMs === stallMs) own.stalledMs += stallMs
    else if (stoodMs > stallMs) own.stalledMs += everyMs
    lastS = nowS
  }, everyMs)
}

export interface Pages {
  readonly url: string
  close(): Promise<void>
}

/** A site of somebody else, with pages that embed a title; hls.js is as it comes from its package. */
export async function servePages(pages: ReadonlyMap<string, string>): Promise<Pages> {
  const hls = readFileSync(createRequire(import.meta.url).resolve('hls.js/dist/hls.min.js'))
  const server: Server = createServer((request, reply) => {
    const path = request.url ?? ''
    const page = pages.get(path)
    if (path === '/hls.min.js') reply.writeHead(200, { 'content-type': 'text/javascript' }).end(hls)
    else if (page === undefined) reply.writeHead(404).end()
    else reply.writeHead(200, { 'content-type': 'text/html' }).end(page)
  })
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** hls.js with its own policies; only the buffer is the 20 s of the promise. */
export function hlsPage(source: string): string {
  return `<!doctype html><video muted autoplay loop></video><script src="/hls.min.js"></script><script>
    window.fatal = 0
    const hls = new Hls({ maxBufferLength: 20, maxMaxBufferLength: 20, maxBufferSize: 0, backBufferLength: 10 })
    hls.on(Hls.Events.ERROR, (_, error) => { if (error.fatal) window.fatal += 1 })
    hls.loadSource(${JSON.stringify(source)})
    hls.attachMedia(document.querySelector('video'))
  </script>`
}

export async function withBrowser<Value>(use: (browser: Browser) => Promise<Value>): Promise<Value> {
  const browser = await openBrowser()
  try {
    return await use(browser)
  } finally {
    await browser.close()
  }
}

export async function newWatcher(browser: Browser): Promise<Watcher> {
  const context = await browser.newContext()
  return new Watcher(await context.newPage())
}
