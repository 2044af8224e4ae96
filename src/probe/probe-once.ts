// Owns one look at a server from outside: a fresh connection, TCP, TLS and GET /healthz apart, one deadline for all.
// It never rejects: a failed look is a value. It believes nothing that comes after 16 KiB.
import { request } from 'node:http'
import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { type Clock, messageOf } from '#base'

/** No answer in a second is no answer: players give up after three. */
export const PROBE_MS_MAX = 1000
/** Somebody else's server may stand anywhere. */
const FOREIGN_MS_MAX = 3000
const BODY_BYTES_MAX = 16 * 1024
const HEADERS_BYTES_MAX = 16 * 1024
const ERROR_CHARACTERS_MAX = 256
const DAY_MS = 86_400_000
const PROBE_AGENT = 'vitrine-probe'

/** Whose certificate is expected; empty: what any viewer expects. */
export type TlsClient = { readonly ca?: string; readonly servername?: string }

export interface TlsResult {
  /** The handshake, after TCP's; null: it failed. */
  readonly ms: number | null
  /** Until the certificate ends; negative: it has. Null: none was shown. */
  readonly daysLeft: number | null
  /** Why those who look refuse it; null: it is trusted. */
  readonly problem: string | null
}

export interface ProbeResult {
  /** TCP connect; null: it failed. A stopped process still accepts. */
  readonly connectMs: number | null
  /** Null: plain HTTP, or TCP failed. */
  readonly tls: TlsResult | null
  /** From the start to the last byte; null without an answer in time. */
  readonly httpMs: number | null
  readonly httpStatus: number | null
  readonly error: string | null
}

export interface ProbeOptions {
  readonly clock: Clock
  /** With `ca`, a server that proves to be somebody else is asked nothing. */
  readonly tls?: TlsClient
  /** Of a foreign server: HEAD of this path instead of GET /healthz; any status below 500 is an answer. */
  readonly path?: string | undefined
}

/** A connection of its own each time, or a server that stopped accepting would look well. */
export async function probeOnce(url: string, { clock, tls = {}, path }: ProbeOptions): Promise<ProbeResult> {
  const startMs = clock.monotonicMs()
  const steps: { connectMs: number | null; tls: TlsResult | null } = { connectMs: null, tls: null }
  const sockets: Socket[] = []
  let deadline: NodeJS.Timeout | undefined
  try {
    const target = new URL(path ?? '/healthz', url)
    const deadlineMs = path === undefined ? PROBE_MS_MAX : FOREIGN_MS_MAX
    const late = new Promise<never>((_, reject) => {
      deadline = setTimeout(() => reject(new Error(`no answer in ${deadlineMs} ms`)), deadlineMs)
    })
    const walk = async (): Promise<number> => {
      const plain = await openTcp(target, sockets)
      steps.connectMs = clock.monotonicMs() - startMs
      const method = path === undefined ? 'GET' : 'HEAD'
      if (target.protocol !== 'https:') return await ask(target, plain, method)
      const secure = await shakeHands(target, plain, { clock, tls, steps })
      sockets.push(secure)
      return await ask(target, secure, method)
    }
    const walking = walk()
    walking.catch(() => undefined) // when the deadline came first, nobody else listens
    const httpStatus = await Promise.race([walking, late])
    const isWell = path === undefined ? httpStatus === 200 : httpStatus < 500
    const error = isWell
      ? null
      : `status ${httpStatus}, expected ${path === undefined ? '200' : 'less than 500'}`
    return { ...steps, httpMs: clock.monotonicMs() - startMs, httpStatus, error }
  } catch (error) {
    const text = messageOf(error).slice(0, ERROR_CHARACTERS_MAX)
    return { ...steps, httpMs: null, httpStatus: null, error: text }
  } finally {
    clearTimeout(deadline)
    for (const socket of sockets) socket.destroy()
  }
}

function openTcp(url: URL, sockets: Socket[]): Promise<Socket> {
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80)
  const socket = connect({ host: bareHost(url), port })
  sockets.push(socket)
  return new Promise((resolve, reject) => {
    socket.once('connect', () => resolve(socket))
    socket.on('error', reject)
    socket.once('close', () => reject(new Error('closed before it was connected')))
  })
}

/** An untrusted certificate is a finding, not the end, unless it should prove a name of ours. */
async function shakeHands(
  url: URL,
  plain: Socket,
  { clock, tls, steps }: { clock: Clock; tls: TlsClient; steps: { tls: TlsResult | null } },
): Promise<TLSSocket> {
  const startMs = clock.monotonicMs()
  const host = bareHost(url)
  // RFC 6066 section 3: an address is no server name.
  const name = tls.servername ?? (isIP(host) === 0 ? host : undefined)
  const socket = connectTls({
    socket: plain,
    host,
    ...(name === undefined ? {} : { servername: name }),
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    rejectUnauthorized: false,
  })
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', resolve)
      socket.on('error', reject)
      socket.once('close', () => reject(new Error('closed during the TLS handshake')))
    })
  } catch (error) {
    steps.tls = { ms: null, daysLeft: null, problem: messageOf(error).slice(0, ERROR_CHARACTERS_MAX) }
    throw error
  }
  const problem = socket.authorized ? null : reasonOf(socket)
  steps.tls = { ms: clock.monotonicMs() - startMs, daysLeft: daysLeft(socket, clock.wallMs()), problem }
  if (problem !== null && tls.ca !== undefined) throw new Error(`not who it should be: ${problem}`)
  return socket
}

function reasonOf({ authorizationError }: TLSSocket): string {
  const reason: unknown = authorizationError
  const text = reason instanceof Error ? reason.message : typeof reason === 'string' ? reason : 'not trusted'
  return text.slice(0, ERROR_CHARACTERS_MAX)
}

function daysLeft(socket: TLSSocket, wallMs: number): number | null {
  const { valid_to: validTo } = socket.getPeerCertificate()
  const endMs = Date.parse(validTo ?? '')
  return Number.isNaN(endMs) ? null : (endMs - wallMs) / DAY_MS
}

/** The status, once the last byte is here. */
function ask(url: URL, socket: Socket, method: 'GET' | 'HEAD'): Promise<number> {
  return new Promise<number>((resolve, reject) => {
    const asked = request({
      createConnection: () => socket,
      host: url.hostname,
      method,
      path: `${url.pathname}${url.search}`,
      maxHeaderSize: HEADERS_BYTES_MAX,
      headers: { host: url.host, 'user-agent': PROBE_AGENT, connection: 'close' },
    })
    asked.on('error', reject)
    asked.once('response', answer => {
      let bytes = 0
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes > BODY_BYTES_MAX) reject(new Error(`the answer is longer than ${BODY_BYTES_MAX} bytes`))
      })
      answer.once('end', () => resolve(answer.statusCode ?? 0))
      answer.on('error', reject)
    })
    asked.end()
  })
}

/** Without the brackets of an IPv6 address. */
export function bareHost(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '')
}
