// Owns the requests of simulated viewers: deadlines as our own player has them, no retries, bodies thrown away
// as they arrive. It refuses bodies that are larger than any segment.
import { rootCertificates } from 'node:tls'
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
/** Shorter waits cost more timers than they slow anything down. */
const PAUSE_MS_MIN = 20
const CMSD_CHARACTERS_MAX = 256

export interface Text {
  readonly status: number
  /** After redirects. */
  readonly url: string
  readonly body: string
}

export interface Drained {
  readonly bytes: number
  readonly firstByteMs: number
  readonly wholeMs: number
  /** CMSD-Static (CTA-5006): what the server said of itself; null: nothing, or more than anybody echoes. */
  readonly cmsd: string | null
}

export interface FetcherOptions {
  /** Authorities that are believed beside the public ones, in PEM; null: none. */
  readonly authorityPem: string | null
  /** What the line of one viewer carries, bits a second; null: as much as comes. */
  readonly rateBps: number | null
}

interface Ask {
  readonly url: string
  readonly userAgent: string
  readonly signal: AbortSignal
  readonly body?: { readonly type: string; readonly text: string }
  /** Only called for a 2xx answer. The chunk is valid until it returns. */
  readonly onChunk: (chunk: Buffer) => void
}

interface Answer extends Drained {
  readonly status: number
  readonly location: string | null
}

/** Connections of one group of viewers. */
export class Fetcher {
  readonly #agent: Agent
  readonly #rateBps: number | null

  constructor({ authorityPem, rateBps }: FetcherOptions) {
    this.#rateBps = rateBps
    this.#agent = new Agent({
      connect: {
        timeout: FIRST_BYTE_MS_MAX,
        ...(authorityPem === null ? {} : { ca: [...rootCertificates, authorityPem] }),
      },
      bodyTimeout: IDLE_MS_MAX,
      keepAliveTimeout: KEEP_ALIVE_MS,
    })
  }

  /** A small body as text; follows redirects. Any status but 200 is a fault. */
  async text(url: string, userAgent: string, signal: AbortSignal): Promise<Text> {
    let at = url
    for (let hop = 0; hop <= REDIRECTS_MAX; hop += 1) {
      const chunks: Buffer[] = []
      // Copied: undici reuses what it reads into.
      const onChunk = (chunk: Buffer): void => void chunks.push(Buffer.from(chunk))
      const { status, location } = await this.#get({ url: at, userAgent, signal, onChunk })
      if (status >= 300 && status < 400 && location !== null) {
        at = new URL(location, at).href
        continue
      }
      expectOk(status, at)
      return { status, url: at, body: Buffer.concat(chunks).toString('utf8') }
    }
    throw viewerFaults.fault('viewer-bad-answer', `${url} redirects more than ${REDIRECTS_MAX} times`)
  }

  /** A body that is thrown away as it arrives; follows redirects, which edges send that do not want to serve it. */
  async drain(url: string, userAgent: string, signal: AbortSignal): Promise<Drained> {
    let at = url
    for (let hop = 0; hop <= REDIRECTS_MAX; hop += 1) {
      const answer = await this.#get({ url: at, userAgent, signal, onChunk: () => undefined })
      if (answer.status >= 300 && answer.status < 400 && answer.location !== null) {
        at = new URL(answer.location, at).href
        continue
      }
      expectOk(answer.status, at)
      return answer
    }
    throw viewerFaults.fault('viewer-bad-answer', `${url} redirects more than ${REDIRECTS_MAX} times`)
  }

  /** Gives the status, whatever it is. */
  async post(
    url: string,
    userAgent: string,
    body: NonNullable<Ask['body']>,
    signal: AbortSignal,
  ): Promise<number> {
    return (await this.#get({ url, userAgent, signal, body, onChunk: () => undefined })).status
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  async #get(ask: Ask): Promise<Answer> {
    try {
      return await new Promise((resolve, reject) => {
        const exchange = new Exchange(ask, this.#rateBps, resolve, reject)
        exchange.start(this.#agent)
      })
    } catch (error) {
      const message = `${ask.url.split('?')[0]}: expected an answer, got: ${messageOf(error)}`
      throw viewerFaults.fault('viewer-no-answer', message, { cause: error })
    }
  }
}

/** One request, as undici's own handler: no stream, no copy, and one timer at a time. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #ask: Ask
  readonly #rateBps: number | null
  readonly #resolve: (answer: Answer) => void
  readonly #reject: (error: unknown) => void
  readonly #startMs = performance.now()
  #controller: Dispatcher.DispatchController | null = null
  #timer: NodeJS.Timeout
  #ended = false
  #status = 0
  #location: string | null = null
  #cmsd: string | null = null
  #bytes = 0
  #firstByteMs = 0

  constructor(
    ask: Ask,
    rateBps: number | null,
    resolve: (answer: Answer) => void,
    reject: (error: unknown) => void,
  ) {
    this.#ask = ask
    this.#rateBps = rateBps
    this.#resolve = resolve
    this.#reject = reject
    this.#timer = setTimeout(
      () => this.#fail(`no first byte within ${FIRST_BYTE_MS_MAX} ms`),
      FIRST_BYTE_MS_MAX,
    )
  }

  start(agent: Agent): void {
    const { url, userAgent, body, signal } = this.#ask
    if (signal.aborted) return this.#onAbort()
    signal.addEventListener('abort', this.#onAbort, { once: true })
    const path = pathOf(url)
    agent.dispatch(
      {
        origin: url.slice(0, url.length - path.length),
        path,
        method: body === undefined ? 'GET' : 'POST',
        headers:
          body === undefined
            ? { 'user-agent': userAgent }
            : { 'user-agent': userAgent, 'content-type': body.type },
        body: body?.text ?? null,
      },
      this,
    )
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#ended) controller.abort(new Error('given up before it was sent'))
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return
    this.#status = status
    const { location, 'cmsd-static': cmsd } = headers
    this.#location = typeof location === 'string' ? location : null
    this.#cmsd = typeof cmsd === 'string' && cmsd.length <= CMSD_CHARACTERS_MAX ? cmsd : null
    this.#firstByteMs = performance.now() - this.#startMs
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#fail(`not whole within ${WHOLE_MS_MAX} ms`), WHOLE_MS_MAX)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length
    if (this.#bytes > BODY_BYTES_MAX) return this.#fail(`more than ${BODY_BYTES_MAX} bytes`)
    if (this.#status < 300) this.#ask.onChunk(chunk)
    if (this.#rateBps === null) return
    const dueMs = this.#startMs + (this.#bytes * 8000) / this.#rateBps
    const waitMs = dueMs - performance.now()
    if (waitMs < PAUSE_MS_MIN) return
    controller.pause()
    setTimeout(() => controller.resume(), waitMs)
  }

  onResponseEnd(): void {
    if (this.#ended) return
    this.#end()
    this.#resolve({
      status: this.#status,
      location: this.#location,
      bytes: this.#bytes,
      firstByteMs: this.#firstByteMs,
      wholeMs: performance.now() - this.#startMs,
      cmsd: this.#cmsd,
    })
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#ended) return
    this.#end()
    this.#reject(error)
  }

  readonly #onAbort = (): void => this.#fail('given up')

  #fail(problem: string): void {
    if (this.#ended) return
    this.#end()
    const error = new Error(problem)
    this.#reject(error)
    this.#controller?.abort(error)
  }

  #end(): void {
    this.#ended = true
    clearTimeout(this.#timer)
    this.#ask.signal.removeEventListener('abort', this.#onAbort)
  }
}

/** All behind the host. */
function pathOf(url: string): string {
  const slash = url.indexOf('/', url.indexOf('//') + 2)
  return slash === -1 ? '' : url.slice(slash)
}

function expectOk(status: number, url: string): void {
  if (status === 200) return
  const message = `${url.split('?')[0]}: answered ${status}, expected 200`
  throw viewerFaults.fault('viewer-bad-answer', message, { facts: { status } })
}
