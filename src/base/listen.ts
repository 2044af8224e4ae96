// Owns listening: loopback by default; off loopback only over TLS or behind a proxy that was named.
import { readFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { type Fault, messageOf } from './fault.ts'
import { baseFaults } from './faults.ts'

export interface ListenOptions {
  /** IP address; `127.0.0.1` by default. */
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
  /** PEM files; required off loopback unless `behindProxy`. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string } | undefined
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

/** Starts a node:http (or node:https) server, or throws a base-listen-* fault. */
export async function listen(options: ListenOptions, onRequest?: RequestListener): Promise<Listening> {
  if (!isLoopback(options.host) && options.tls === undefined && options.behindProxy !== true) {
    const message = `refusing to listen on ${options.host}:${options.port} without TLS: give a certificate and key, or --behind-proxy`
    throw baseFaults.fault('base-listen-unsafe', message)
  }
  const server = create(options, onRequest)
  server.headersTimeout = HEADERS_TIMEOUT_MS
  server.requestTimeout = REQUEST_TIMEOUT_MS
  await new Promise<void>((resolve, reject) => {
    server.once('error', error => reject(listenFault(options, error)))
    server.listen(options.port, options.host, resolve)
  })
  const { port } = server.address() as AddressInfo
  const scheme = options.tls === undefined ? 'http' : 'https'
  const host = options.host.includes(':') ? `[${options.host}]` : options.host
  return { server, port, url: `${scheme}://${host}:${port}`, close: () => closeServer(server) }
}

function create(options: ListenOptions, onRequest: RequestListener | undefined): Server {
  if (options.tls === undefined) return createServer(onRequest)
  const { certFile, keyFile } = options.tls
  try {
    return createTlsServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) }, onRequest)
  } catch (error) {
    const message = `cannot listen over TLS with ${certFile} and ${keyFile}: ${messageOf(error)}`
    throw baseFaults.fault('base-listen-failed', message, { cause: error })
  }
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
