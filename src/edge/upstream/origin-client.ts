// Owns the connections to the origin: credential, deadlines, size limits. It follows no redirects and believes
// no body whose length is not what was announced.
import { buildConnector, type Dispatcher, Pool } from 'undici'
import { type Clock, type Fault, messageOf, type Secret } from '#base'
import { type Trust, tlsClient } from '#trust'
import { edgeFaults } from '../faults.ts'
import type { Flight, FlightHead } from './flight.ts'

const CONNECT_MS_MAX = 2000
const FIRST_BYTE_MS_MAX = 5000
const IDLE_MS_MAX = 5000
/** An origin that dribbles is no better than one that is away. */
const WHOLE_MS_MAX = 60_000
/** Ten seconds of video at 50 Mbit/s. */
const OBJECT_BYTES_MAX = 64 * 1024 * 1024
const CONNECTIONS_MAX = 64
const KEEP_ALIVE_MS = 30_000
const FIELD_CHARACTERS_MAX = 128

export interface OriginCounts {
  receivedBytes: number
  failures: number
  requests: number
}

export interface MeasureLimits {
  readonly bytesMax: number
  readonly msMax: number
  readonly clock: Clock
}

export interface Measured {
  readonly bytes: number
  readonly ms: number
  readonly firstByteMs: number
  /** A bound was reached before its end. */
  readonly isCut: boolean
}

export interface OriginClientOptions {
  /** `http://127.0.0.1:8090`, with or without a path in front of /vod. */
  readonly originUrl: string
  readonly token: Secret
  /** How the origin proves who it is; left out: by a public certificate. */
  readonly trust?: Trust | undefined
  readonly edgeId: string
}

export class OriginClient {
  readonly counts: OriginCounts = { receivedBytes: 0, failures: 0, requests: 0 }
  readonly #pool: Pool
  readonly #prefix: string
  readonly #headers: Readonly<Record<string, string>>

  constructor(options: OriginClientOptions) {
    const url = new URL(options.originUrl)
    this.#prefix = url.pathname.replace(/\/+$/, '')
    this.#headers = {
      authorization: `Bearer ${options.token.reveal()}`,
      'user-agent': `vitrine-edge/${options.edgeId}`,
    }
    this.#pool = new Pool(url.origin, {
      connections: CONNECTIONS_MAX,
      // Made at each connection: what is believed changes with the authority's key.
      connect: (address, callback) => {
        const tls = tlsClient(options.trust ?? null, options.originUrl, { role: 'origin' })
        buildConnector({ timeout: CONNECT_MS_MAX, ...tls })(address, callback)
      },
      headersTimeout: FIRST_BYTE_MS_MAX,
      bodyTimeout: IDLE_MS_MAX,
      keepAliveTimeout: KEEP_ALIVE_MS,
    })
  }

  /** Starts a fetch at once; everything that can happen, happens on the flight. */
  bring(flight: Flight, etag: string | null): void {
    const abort = new AbortController()
    flight.onAbandoned = () => abort.abort()
    void this.#run(flight, etag, abort)
  }

  /** Fetches one object past the cache, for its speed alone, up to `bytesMax` of it. Throws a fault. */
  async measure(key: string, { bytesMax, msMax, clock }: MeasureLimits): Promise<Measured> {
    const abort = new AbortController()
    const deadline = setTimeout(() => abort.abort(), Math.max(msMax, FIRST_BYTE_MS_MAX))
    this.counts.requests += 1
    const startMs = clock.monotonicMs()
    const endMs = startMs + msMax
    try {
      const { signal } = abort
      const path = `${this.#prefix}${key}`
      const answer = await this.#pool.request({ method: 'GET', path, headers: this.#headers, signal })
      if (answer.statusCode !== 200) {
        await answer.body.dump()
        throw statusFault(key, answer.statusCode)
      }
      let bytes = 0
      let firstByteMs: number | null = null
      let isCut = false
      for await (const chunk of answer.body as AsyncIterable<Buffer>) {
        firstByteMs ??= clock.monotonicMs() - startMs
        bytes += chunk.length
        isCut = bytes >= bytesMax || clock.monotonicMs() >= endMs
        if (isCut) break
      }
      this.counts.receivedBytes += bytes
      const ms = clock.monotonicMs() - startMs
      return { bytes, ms, firstByteMs: firstByteMs ?? ms, isCut }
    } catch (error) {
      this.counts.failures += 1
      if (isFault(error)) throw error
      if (abort.signal.aborted) throw lateFault(key)
      const message = `origin cannot be reached for ${key}: ${messageOf(error)}`
      throw edgeFaults.fault('edge-origin-unreachable', message, { cause: error, facts: { key } })
    } finally {
      clearTimeout(deadline)
    }
  }

  async close(): Promise<void> {
    await this.#pool.destroy()
  }

  async #run(flight: Flight, etag: string | null, abort: AbortController): Promise<void> {
    this.counts.requests += 1
    let begun = false
    let late = false
    const giveUp = (): void => {
      late = true
      abort.abort()
    }
    // One clock from asking to the head, so that waiting for a connection counts as well.
    const firstByte = setTimeout(giveUp, FIRST_BYTE_MS_MAX)
    const whole = setTimeout(giveUp, WHOLE_MS_MAX)
    try {
      const answer = await this.#pool.request({
        method: 'GET',
        path: `${this.#prefix}${flight.key}`,
        headers: etag === null ? this.#headers : { ...this.#headers, 'if-none-match': etag },
        signal: abort.signal,
      })
      clearTimeout(firstByte)
      begun = await this.#receive(flight, answer)
    } catch (error) {
      this.counts.failures += 1
      // A fault is ours and says enough; what undici throws is put into words here.
      const fault = late
        ? lateFault(flight.key)
        : originFault(error, flight, begun || flight.receivedBytes > 0)
      flight.fail(fault)
    } finally {
      clearTimeout(firstByte)
      clearTimeout(whole)
    }
  }

  async #receive(flight: Flight, answer: Dispatcher.ResponseData): Promise<boolean> {
    const { statusCode: status, headers, body } = answer
    if (status !== 200) {
      await body.dump()
      if (status === 304) flight.stop({ kind: 'unchanged' })
      else if (status === 404 || status === 410) flight.stop({ kind: 'absent' })
      else throw statusFault(flight.key, status)
      return false
    }
    const head = readHead(headers)
    if ((head.bodyBytes ?? 0) > OBJECT_BYTES_MAX) {
      body.destroy()
      throw tooLarge(flight.key, head.bodyBytes ?? 0)
    }
    flight.begin(head)
    for await (const chunk of body as AsyncIterable<Buffer>) {
      this.counts.receivedBytes += chunk.length
      if (flight.receivedBytes + chunk.length > OBJECT_BYTES_MAX) {
        throw tooLarge(flight.key, flight.receivedBytes + chunk.length)
      }
      if (!flight.take(chunk)) throw wrongLength(flight, head.bodyBytes, flight.receivedBytes + chunk.length)
    }
    if (head.bodyBytes !== null && head.bodyBytes !== flight.receivedBytes) {
      throw wrongLength(flight, head.bodyBytes, flight.receivedBytes)
    }
    flight.land()
    return true
  }
}

function readHead(headers: Dispatcher.ResponseData['headers']): FlightHead {
  const control = one(headers['cache-control']) ?? ''
  const maxAge = /(?:^|[\s,])max-age=(\d{1,9})/i.exec(control)?.[1]
  const length = one(headers['content-length'])
  return {
    contentType: safe(one(headers['content-type']), /^[\w.+-]+\/[\w.+-]+(;\s*charset=[\w-]+)?$/),
    // Weak validators are no good for ranges and are not taken over.
    etag: safe(one(headers['etag']), /^"[\x21\x23-\x7e]*"$/),
    date: safe(one(headers['date']), /^[A-Za-z0-9 ,:]+$/),
    maxAgeMs: maxAge === undefined ? null : Number(maxAge) * 1000,
    mayStore: !/(?:^|[\s,])(no-store|private)/i.test(control),
    bodyBytes: length === undefined || !/^\d{1,15}$/.test(length) ? null : Number(length),
  }
}

function one(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}

function safe(value: string | undefined, shape: RegExp): string | null {
  return value !== undefined && value.length <= FIELD_CHARACTERS_MAX && shape.test(value) ? value : null
}

function statusFault(key: string, status: number): Fault {
  const facts = { key, status }
  return edgeFaults.fault('edge-origin-refused', `origin answered ${status} for ${key}, expected 200`, {
    facts,
  })
}

function tooLarge(key: string, bytes: number): Fault {
  const message = `origin sends ${bytes} bytes or more for ${key}, expected at most ${OBJECT_BYTES_MAX}`
  return edgeFaults.fault('edge-origin-too-large', message, { facts: { key, bytes } })
}

function wrongLength(flight: Flight, expected: number | null, bytes: number): Fault {
  const message = `origin sent ${bytes} bytes for ${flight.key}, expected ${expected ?? 'another number'}`
  return edgeFaults.fault('edge-origin-broke-off', message, { facts: { key: flight.key, bytes } })
}

function lateFault(key: string): Fault {
  const message = `origin was too slow with ${key}: expected a first byte within ${FIRST_BYTE_MS_MAX} ms and all within ${WHOLE_MS_MAX} ms`
  return edgeFaults.fault('edge-origin-timeout', message, { facts: { key } })
}

function originFault(error: unknown, flight: Flight, midBody: boolean): Fault {
  if (isFault(error)) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const facts = { key: flight.key, receivedBytes: flight.receivedBytes }
  const options = { cause: error, facts }
  if (midBody) {
    const message = `origin broke off in ${flight.key} after ${flight.receivedBytes} bytes: ${messageOf(error)}`
    return edgeFaults.fault('edge-origin-broke-off', message, options)
  }
  if (code === 'UND_ERR_HEADERS_TIMEOUT') {
    return edgeFaults.fault('edge-origin-timeout', `origin gave no answer for ${flight.key}`, options)
  }
  const message = `origin cannot be reached for ${flight.key}: ${messageOf(error)}`
  return edgeFaults.fault('edge-origin-unreachable', message, options)
}

function isFault(error: unknown): error is Fault {
  return error instanceof Error && error.name === 'Fault'
}
