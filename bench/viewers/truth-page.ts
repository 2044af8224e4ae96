// Owns the page of the truth test: hls.js with the product's player library, and beside them a witness of its own. The
// witness believes the frames alone: what the clock went on between two of them beyond what the film did, it stood.
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'

/** A stop that is shorter is no stall: two frames of a busy machine. */
const STOP_S_MIN = 0.15
/** Less than an injected fault lasts lies in the buffer; the rest of a segment of 4 s goes through it. */
const BUFFER_S = 0.6

export interface SeenStall {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly seconds: number
}

export interface Seen {
  readonly startMs: number
  readonly watchedS: number
  readonly stalls: readonly SeenStall[]
  /** Of the element's own events, for comparison. */
  readonly waited: number
  readonly bufferS: number
  /** The picture moves. */
  readonly moves: boolean
}

const script = (edge: string, title: string, startS: number): string => `
import Hls from '/hls.mjs'
import { ViewerReports } from '${edge}/player.js'
const video = document.querySelector('video')
const seen = { startMs: NaN, watchedS: 0, stalls: [], waited: 0 }
const reports = new ViewerReports({ edges: ['${edge}'], contentId: '${title}' })
let [askedMs, last, before] = [NaN, null, null]
const look = (now, { presentationTime, mediaTime }) => {
  video.requestVideoFrameCallback(look)
  const frame = { at: presentationTime, media: mediaTime }
  ;[before, last] = [last, frame]
  if (before === null) return
  const media = frame.media - before.media
  if (!(media > 0) || media > 60) return
  const stoodS = (frame.at - before.at) / 1000 - media
  if (Number.isNaN(seen.startMs)) { seen.startMs = frame.at - media * 1000 - askedMs; seen.watchedS += media; return }
  seen.watchedS += media
  if (stoodS < ${STOP_S_MIN}) return
  seen.stalls.push({ at: performance.timeOrigin + before.at + media * 1000, seconds: stoodS })
}
video.requestVideoFrameCallback(look)
video.addEventListener('waiting', () => { seen.waited += 1 })
const hls = new Hls({
  cmcd: reports.cmcd, startPosition: ${startS},
  maxBufferLength: ${BUFFER_S}, maxMaxBufferLength: ${BUFFER_S}, maxBufferSize: 0, backBufferLength: 4,
})
window.truth = () => {
  const { buffered, currentTime } = video
  let bufferS = 0
  for (let n = 0; n < buffered.length; n += 1) {
    if (buffered.start(n) <= currentTime + 0.1 && buffered.end(n) >= currentTime) bufferS = buffered.end(n) - currentTime
  }
  const moves = last !== null && performance.now() - last.at < 150
  return { ...seen, bufferS, moves }
}
window.sid = reports.sessionId
window.leave = () => reports.close()
reports.watch(video, hls)
hls.loadSource('${edge}/vod/${title}/master.m3u8')
hls.attachMedia(video)
askedMs = performance.now()
reports.asked()
hls.on(Hls.Events.MANIFEST_PARSED, () => video.play())
`

export class TruthPages {
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(edge: string, title: string): Promise<TruthPages> {
    const hls = readFileSync(fileURLToPath(import.meta.resolve('hls.js')))
    const server = createServer((req, res) => {
      const url = new URL(req.url ?? '/', 'http://page')
      const isHls = url.pathname === '/hls.mjs'
      res.setHeader('Content-Type', isHls ? 'text/javascript' : 'text/html')
      const startS = Number(url.searchParams.get('start') ?? '0')
      const code = script(edge, title, startS)
      res.end(
        isHls
          ? hls
          : `<!doctype html><video muted playsinline></video><script type="module">${code}</script>`,
      )
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    return new TruthPages(server)
  }

  url(startS: number): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/?start=${startS}`
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}
