// Owns listening: loopback by default; off loopback only over TLS or behind a proxy that was named.
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { type Fault, messageOf } from './fault.ts'
import { baseFaults } from './faults.ts'
import type { Closable } from './lifecycle.ts'
import type { Log } from './log.ts'
import { type PrivateTls, readTlsMaterial, type TlsFiles } from './tls-material.ts'

export interface ListenOptions {
  /** IP address; `127.0.0.1` by default. */
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
  /** PEM files; required off loopback unless `behindProxy` or `privateTls`. Read again when they change. */
  readonly tls?: TlsFiles | undefined
  /** For our own clients, who ask for a private name; for everybody when there is no `tls`. */
  readonly privateTls?: PrivateTls | undefined
  /** True when a proxy in front of us ends TLS. */
  readonly behindProxy?: boolean | undefined
}

export interface Listening {
  readonly server: Server
  readonly port: number
  /** `http://127.0.0.1:8080`, without a slash at the end. */
  readonly url: string
  /** Stops accepting, closes idle connections, and after `graceMs` all others. */
  close(): Promise<void>
}

/** Whether clients must speak TLS. */
export function isTls({ tls, privateTls }: ListenOptions): boolean {
  return tls !== undefined || privateTls !== undefined
}

/** True for 127.0.0.0/8, ::1 and localhost. */
export function isLoopback(host: string): boolean {
  const bare = host.startsWith('::ffff:') ? host.slice(7) : host
  return (
    bare === 'localhost' ||
    bare === '::1' ||
    bare === '[::1]' ||
    /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(bare)
  )
}

const CLOSE_GRACE_MS = 2000 // a request that is under way at a stop may finish; see lifecycle
const HEADERS_TIMEOUT_MS = 10_000 // a client that dribbles its head is cut off
const REQUEST_TIMEOUT_MS = 60_000

/** Hears that a certificate was read again; with a problem, the one before stays in use. */
export type CertificateListener = (file: string, problem: string | null) => void

/** Writes them to the log. */
export function certificateLogger(log: Log): CertificateListener {
  return (file, problem) => {
    if (problem === null) log.info('certificate-read-again', { file })
    else log.warn('certificate-not-taken-over', { file, problem })
  }
}

/** Starts a node:http (or node:https) server, or throws a base-listen-* fault. */
export async function listen(
  options: ListenOptions,
  onRequest?: RequestListener,
  onCertificate: CertificateListener = () => undefined,
): Promise<Listening> {
  const secure = isTls(options)
  if (!isLoopback(options.host) && !secure && options.behindProxy !== true) {
    const message = `refusing to listen on ${options.host}:${options.port} without TLS: give a certificate and key, or --behind-proxy`
    throw baseFaults.fault('base-listen-unsafe', message)
  }
  const material = secure ? readTlsMaterial(options.tls, options.privateTls) : null
  const server = material === null ? createServer(onRequest) : createTlsServer(material.options, onRequest)
  server.headersTimeout = HEADERS_TIMEOUT_MS
  server.requestTimeout = REQUEST_TIMEOUT_MS
  await new Promise<void>((resolve, reject) => {
    server.once('error', error => reject(listenFault(options, error)))
    server.listen(options.port, options.host, resolve)
  })
  material?.serve(server as TlsServer, onCertificate)
  const { port } = server.address() as AddressInfo
  const scheme = secure ? 'https' : 'http'
  const host = options.host.includes(':') ? `[${options.host}]` : options.host
  return { server, port, url: `${scheme}://${host}:${port}`, close: () => closeAll(server, material) }
}

async function closeAll(server: Server, material: Closable | null): Promise<void> {
  await material?.close()
  await closeServer(server)
}

const hints: ReadonlyMap<unknown, string> = new Map([
  ['EACCES', 'ports below 1024 are for root; choose a higher one with --port-base or --port'],
  ['EADDRNOTAVAIL', 'no network interface of this machine has that address'],
])

/** The fault for a failed listen. Exported so that a role with its own server words it alike. */
export function listenFault(options: ListenOptions, error: unknown): Fault {
  const code = error instanceof Error && 'code' in error ? error.code : null
  const facts = { host: options.host, port: options.port }
  if (code === 'EADDRINUSE') {
    const message = `port ${options.port} on ${options.host} is taken by another program; stop it, or move all ports with --port-base N`
    return baseFaults.fault('base-listen-port-taken', message, { cause: error, facts })
  }
  const hint = hints.get(code)
  const message = `cannot listen on ${options.host}:${options.port}: ${hint ?? messageOf(error)}`
  return baseFaults.fault('base-listen-failed', message, { cause: error, facts })
}

async function closeServer(server: Server): Promise<void> {
  await new Promise<void>(resolve => {
    const force = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS)
    server.close(() => {
      clearTimeout(force)
      resolve()
    })
    server.closeIdleConnections()
  })
}
