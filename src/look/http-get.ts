// Owns one GET as a player would make it, with the time of each step, whatever the certificate says. It refuses
// answers that never end: every step has a limit, and so has the body.
import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
} from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate, type ZlibOptions } from 'node:zlib'
import { type Clock, messageOf } from '#base'
import type { ByteRange } from '#media'
import { lookFaults } from './faults.ts'

/** Players give up on a first byte after 3 s (ours) to 10 s (hls.js); a look wants to see how late it comes. */
const FIRST_BYTE_MS_MAX = 10_000
const WHOLE_MS_MAX = 30_000
const REDIRECTS_MAX = 5
const HEADERS_BYTES_MAX = 64 * 1024

export interface Certificate {
  readonly subject: string
  readonly issuer: string
  /** As the certificate has it: `Nov 30 12:00:00 2026 GMT`. */
  readonly validTo: string
  /** Null: a player trusts it; else why not, as OpenSSL says it. */
  readonly problem: string | null
}

export interface Answer {
  /** After redirects. */
  readonly url: string
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  /** Of this answer's own connection; null where one was kept from before. */
  readonly dnsMs: number | null
  readonly connectMs: number | null
  readonly tlsMs: number | null
  readonly firstByteMs: number
  readonly totalMs: number
  readonly remoteAddress: string | null
  readonly protocol: string
  readonly certificate: Certificate | null
}

export interface GetOptions {
  readonly bytesMax: number
  readonly range?: ByteRange
  readonly headers?: Readonly<Record<string, string>>
}

/** The connections of one look: kept between its requests, as a player keeps them. */
export class Getter {
  readonly #clock: Clock
  readonly #http = new HttpAgent({ keepAlive: true, maxSockets: 6 })
  // An untrusted certificate is a finding, not the end of the look.
  readonly #https = new HttpsAgent({ keepAlive: true, maxSockets: 6, rejectUnauthorized: false })

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Follows redirects; any status is an answer. Faults: `look-no-answer`, `look-too-long`, `look-redirects`. */
  async get(url: string, options: GetOptions): Promise<Answer> {
    const startMs = this.#clock.monotonicMs()
    let at = url
    for (let hop = 0; hop <= REDIRECTS_MAX; hop += 1) {
      const answer = await this.#once(at, options)
      const { location } = answer.headers
      if (answer.status < 300 || answer.status >= 400 || location === undefined) {
        const beforeMs = this.#clock.monotonicMs() - startMs - answer.totalMs
        const firstByteMs = answer.firstByteMs + beforeMs
        return { ...answer, firstByteMs, totalMs: answer.totalMs + beforeMs }
      }
      at = nextUrl(location, at)
    }
    throw lookFaults.fault('look-redirects', `${url} redirects more than ${REDIRECTS_MAX} times`)
  }

  close(): void {
    this.#http.destroy()
    this.#https.destroy()
  }

  #once(url: string, options: GetOptions): Promise<Answer> {
    const startMs = this.#clock.monotonicMs()
    const elapsed = (): number => this.#clock.monotonicMs() - startMs
    const isTls = url.startsWith('https:')
    const steps: { dnsMs: number | null; connectMs: number | null; tlsMs: number | null } = {
      dnsMs: null,
      connectMs: null,
      tlsMs: null,
    }
    return new Promise((resolve, reject) => {
      let request: ClientRequest | null = null
      const fail = (error: Error): void => {
        clearTimeout(deadline)
        request?.destroy()
        reject(error)
      }
      const noAnswer = (problem: string): void =>
        fail(lookFaults.fault('look-no-answer', `${url}: ${problem}`))
      let deadline = setTimeout(
        () => noAnswer(`no first byte in ${FIRST_BYTE_MS_MAX} ms (${reached(steps, isTls)})`),
        FIRST_BYTE_MS_MAX,
      )
      const onResponse = (response: IncomingMessage): void => {
        const firstByteMs = elapsed()
        clearTimeout(deadline)
        deadline = setTimeout(() => noAnswer(`not whole after ${WHOLE_MS_MAX} ms`), WHOLE_MS_MAX)
        const socket = response.socket
        const connection = {
          remoteAddress: socket.remoteAddress ?? null,
          protocol: `HTTP/${response.httpVersion}`,
          certificate: certificateOf(socket),
        }
        readBody(response, options.bytesMax).then(
          body => {
            clearTimeout(deadline)
            const { statusCode: status = 0 } = response
            const headers = plainHeaders(response)
            resolve({ url, status, headers, body, ...steps, firstByteMs, totalMs: elapsed(), ...connection })
          },
          (error: unknown) => {
            if (error instanceof TooLong) {
              const message = `${url}: more than ${options.bytesMax} bytes, the limit for what it should be`
              fail(lookFaults.fault('look-too-long', message))
            } else noAnswer(`broke off: ${messageOf(error)}`)
          },
        )
      }
      try {
        const send = isTls ? httpsRequest : httpRequest
        request = send(url, {
          agent: isTls ? this.#https : this.#http,
          maxHeaderSize: HEADERS_BYTES_MAX,
          headers: requestHeaders(options),
        })
      } catch (error) {
        noAnswer(messageOf(error))
        return
      }
      request.on('socket', socket => timeSteps(socket, isTls, steps, elapsed))
      request.on('error', error => noAnswer(`${messageOf(error)} (${reached(steps, isTls)})`))
      request.on('response', onResponse)
      request.end()
    })
  }
}

class TooLong extends Error {}

async function readBody(response: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > bytesMax) throw new TooLong()
    chunks.push(chunk)
  }
  return decoded(Buffer.concat(chunks), response.headers['content-encoding'], bytesMax)
}

/** Some servers compress what was asked for plain. */
async function decoded(body: Buffer, encoding: string | undefined, bytesMax: number): Promise<Buffer> {
  const decoders = { gzip: gunzip, 'x-gzip': gunzip, deflate: inflate, br: brotliDecompress } as const
  const name = encoding?.trim().toLowerCase() ?? ''
  if (!Object.hasOwn(decoders, name)) return body
  try {
    const decode = promisify<Buffer, ZlibOptions, Buffer>(decoders[name as keyof typeof decoders])
    return await decode(body, { maxOutputLength: bytesMax })
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE') throw new TooLong()
    throw error
  }
}

function requestHeaders({ range, headers }: GetOptions): Record<string, string> {
  const end = range === undefined ? 0 : range.offset + range.bytes - 1
  return {
    'user-agent': 'vitrine-look',
    accept: '*/*',
    'accept-encoding': 'identity',
    ...(range === undefined ? {} : { range: `bytes=${range.offset}-${end}` }),
    ...headers,
  }
}

function timeSteps(
  socket: Socket,
  isTls: boolean,
  steps: { dnsMs: number | null; connectMs: number | null; tlsMs: number | null },
  elapsed: () => number,
): void {
  if (!socket.connecting) return // kept from the request before
  const startMs = elapsed()
  socket.once('lookup', () => {
    steps.dnsMs = elapsed() - startMs
  })
  socket.once('connect', () => {
    steps.connectMs = elapsed() - startMs - (steps.dnsMs ?? 0)
  })
  if (isTls) {
    socket.once('secureConnect', () => {
      steps.tlsMs = elapsed() - startMs - (steps.dnsMs ?? 0) - (steps.connectMs ?? 0)
    })
  }
}

/** How far a request came that has no answer. */
function reached(steps: { connectMs: number | null; tlsMs: number | null }, isTls: boolean): string {
  if (steps.connectMs === null) return 'not connected'
  if (isTls && steps.tlsMs === null) return 'connected, no TLS'
  return 'connected'
}

function certificateOf(socket: Socket): Certificate | null {
  if (!(socket instanceof TLSSocket)) return null
  const { subject, issuer, valid_to: validTo } = socket.getPeerCertificate()
  if (validTo === undefined) return null
  const problem = socket.authorized ? null : String(socket.authorizationError ?? 'not trusted')
  return { subject: commonName(subject?.CN), issuer: commonName(issuer?.O ?? issuer?.CN), validTo, problem }
}

function commonName(name: string | string[] | undefined): string {
  return (Array.isArray(name) ? name.join(', ') : (name ?? '')).slice(0, 256)
}

function plainHeaders(response: IncomingMessage): Record<string, string> {
  const plain: Record<string, string> = {}
  for (const [name, value] of Object.entries(response.headers)) {
    if (value !== undefined) plain[name] = (Array.isArray(value) ? value.join(', ') : value).slice(0, 1024)
  }
  return plain
}

function nextUrl(location: string, from: string): string {
  const next = URL.canParse(location, from) ? new URL(location, from) : null
  if (next === null || !/^https?:$/.test(next.protocol)) {
    const found = JSON.stringify(location.slice(0, 200))
    throw lookFaults.fault('look-redirects', `${from} redirects to ${found}, expected an HTTP address`)
  }
  return next.href
}
