// Owns the requests of simulated viewers: deadlines as our own player has them, no retries, bodies thrown away
// as they arrive. It refuses bodies that are larger than any segment.
import { Agent, type Dispatcher } from 'undici'
import { messageOf } from '#base'
import { viewerFaults } from './faults.ts'

/** DESIGN, Steering: first-byte limit of our player. */
const FIRST_BYTE_MS_MAX = 3000
const IDLE_MS_MAX = 5000
const WHOLE_MS_MAX = 20_000
const KEEP_ALIVE_MS = 30_000
const BODY_BYTES_MAX = 64 * 1024 * 1024 // ten seconds of video at 50 Mbit/s
const REDIRECTS_MAX = 3

export interface Text {
  readonly status: number
  /** After redirects. */
  readonly url: string
  readonly body: string
}

/** Connections of one group of viewers. */
export class Fetcher {
  readonly #agent = new Agent({
    connect: { timeout: FIRST_BYTE_MS_MAX },
    bodyTimeout: IDLE_MS_MAX,
    keepAliveTimeout: KEEP_ALIVE_MS,
  })

  /** A small body as text; follows redirects. Any status but 200 is a fault. */
  async text(url: string, userAgent: string, signal: AbortSignal): Promise<Text> {
    let at = url
    for (let hop = 0; hop <= REDIRECTS_MAX; hop += 1) {
      const chunks: Buffer[] = []
      const answer = await this.#get(at, userAgent, signal, chunk => {
        chunks.push(chunk)
      })
      const { location } = answer.headers
      if (answer.statusCode >= 300 && answer.statusCode < 400 && typeof location === 'string') {
        at = new URL(location, at).href
        continue
      }
      expectOk(answer.statusCode, at)
      return { status: answer.statusCode, url: at, body: Buffer.concat(chunks).toString('utf8') }
    }
    throw viewerFaults.fault('viewer-bad-answer', `${url} redirects more than ${REDIRECTS_MAX} times`)
  }

  /** Bytes of a body that is thrown away as it arrives. */
  async drain(url: string, userAgent: string, signal: AbortSignal): Promise<number> {
    let bytes = 0
    const answer = await this.#get(url, userAgent, signal, chunk => {
      bytes += chunk.length
    })
    expectOk(answer.statusCode, url)
    return bytes
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  async #get(
    url: string,
    userAgent: string,
    signal: AbortSignal,
    onChunk: (chunk: Buffer) => void,
  ): Promise<Dispatcher.ResponseData> {
    const abort = new AbortController()
    const onAbort = (): void => abort.abort()
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) abort.abort()
    let timer = setTimeout(onAbort, FIRST_BYTE_MS_MAX)
    try {
      const { origin, pathname, search } = new URL(url)
      const answer = await this.#agent.request({
        origin,
        path: `${pathname}${search}`,
        method: 'GET',
        headers: { 'user-agent': userAgent },
        signal: abort.signal,
      })
      clearTimeout(timer)
      timer = setTimeout(onAbort, WHOLE_MS_MAX)
      let bytes = 0
      for await (const chunk of answer.body as AsyncIterable<Buffer>) {
        bytes += chunk.length
        if (bytes > BODY_BYTES_MAX) throw new Error(`more than ${BODY_BYTES_MAX} bytes`)
        onChunk(chunk)
      }
      return answer
    } catch (error) {
      const message = `${url.split('?')[0]}: expected an answer, got: ${messageOf(error)}`
      throw viewerFaults.fault('viewer-no-answer', message, { cause: error })
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
    }
  }
}

function expectOk(status: number, url: string): void {
  if (status === 200) return
  const message = `${url.split('?')[0]}: answered ${status}, expected 200`
  throw viewerFaults.fault('viewer-bad-answer', message, { facts: { status } })
}
