// Owns one look at a server from outside: a fresh connection, TCP, TLS and GET /healthz apart, one deadline for all.
// It never rejects: a failed look is a value. It believes nothing that comes after 16 KiB.
import { request } from 'node:http'
import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { type Clock, datesOf, isDateProblem, messageOf, proves } from '#base'

/** No answer in a second is no answer: players give up after three. */
export const PROBE_MS_MAX = 1000
/** Somebody else's server may stand anywhere. */
const FOREIGN_MS_MAX = 3000
const BODY_BYTES_MAX = 16 * 1024
const HEADERS_BYTES_MAX = 16 * 1024
const ERROR_CHARACTERS_MAX = 256
const DAY_MS = 86_400_000
/** A `Date` header is cut to the second: on the average it is from half a second before. */
const DATE_HALF_MS = 500
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
  /** The server's clock minus the time given, by its `Date` header, to the second; left out: it says none, or none was given. */
  readonly clockOffsetS?: number
}

export interface ProbeOptions {
  readonly clock: Clock
  /** With `ca`, a server that proves to be somebody else is asked nothing. */
  readonly tls?: TlsClient
  /** Of a foreign server: HEAD of this path instead of GET /healthz; any status below 500 is an answer. */
  readonly path?: string | undefined
  /** Fleet time; null: not known. Left out: dates of certificates are judged by this host's own clock. */
  nowMs?(this: void): number | null
}

/** A connection of its own each time, or a server that stopped accepting would look well. */
export async function probeOnce(url: string, options: ProbeOptions): Promise<ProbeResult> {
  const { clock, tls = {}, path } = options
  const fleetMs = options.nowMs?.() ?? null
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
    const walk = async (): Promise<Answer> => {
      const plain = await openTcp(target, sockets)
      steps.connectMs = clock.monotonicMs() - startMs
      const method = path === undefined ? 'GET' : 'HEAD'
      if (target.protocol !== 'https:') return await ask(target, plain, method)
      const secure = await shakeHands(target, plain, { clock, tls, steps, fleetMs })
      sockets.push(secure)
      return await ask(target, secure, method)
    }
    const walking = walk()
    walking.catch(() => undefined) // when the deadline came first, nobody else listens
    const { status: httpStatus, dateMs } = await Promise.race([walking, late])
    const isWell = path === undefined ? httpStatus === 200 : httpStatus < 500
    const error = isWell
      ? null
      : `status ${httpStatus}, expected ${path === undefined ? '200' : 'less than 500'}`
    const httpMs = clock.monotonicMs() - startMs
    // What a foreign server says may come out of a cache.
    const atMs = fleetMs === null || path !== undefined ? null : fleetMs + httpMs
    const offset =
      atMs === null || dateMs === null ? {} : { clockOffsetS: (dateMs + DATE_HALF_MS - atMs) / 1000 }
    return { ...steps, httpMs, httpStatus, error, ...offset }
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
  { clock, tls, steps, fleetMs }: Handshake,
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
  const problem = socket.authorized || isOwnClock(socket, { tls, name, fleetMs }) ? null : reasonOf(socket)
  const nowMs = fleetMs ?? clock.wallMs()
  steps.tls = { ms: clock.monotonicMs() - startMs, daysLeft: daysLeft(socket, nowMs), problem }
  if (problem !== null && tls.ca !== undefined) throw new Error(`not who it should be: ${problem}`)
  return socket
}

interface Handshake {
  readonly clock: Clock
  readonly tls: TlsClient
  readonly steps: { tls: TlsResult | null }
  readonly fleetMs: number | null
}

/** Refused for its dates alone, and by fleet time they are good: it is the observer's own clock that is wrong. */
function isOwnClock(
  socket: TLSSocket,
  { tls, name, fleetMs }: { tls: TlsClient; name: string | undefined; fleetMs: number | null },
): boolean {
  if (fleetMs === null || !isDateProblem(socket.authorizationError)) return false
  const der = socket.getPeerCertificate().raw
  const dates = datesOf(der)
  if (dates === null || fleetMs < dates.fromMs || fleetMs > dates.toMs) return false
  return tls.ca === undefined || proves(der, name ?? '', tls.ca)
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

interface Answer {
  readonly status: number
  /** Of the `Date` header; null: there is none that can be read. */
  readonly dateMs: number | null
}

/** Once the last byte is here. */
function ask(url: URL, socket: Socket, method: 'GET' | 'HEAD'): Promise<Answer> {
  return new Promise<Answer>((resolve, reject) => {
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
      const dateMs = Date.parse(answer.headers.date ?? '')
      answer.once('end', () =>
        resolve({ status: answer.statusCode ?? 0, dateMs: Number.isNaN(dateMs) ? null : dateMs }),
      )
      answer.on('error', reject)
    })
    asked.end()
  })
}

/** Without the brackets of an IPv6 address. */
export function bareHost(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '')
}
