// Owns one look at a server's public address: what its name resolves to, who answers at each address, and what
// certificate is shown there. It believes no certificate and sends no credential.
import { lookup } from 'node:dns/promises'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP } from 'node:net'
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls'
import { type Clock, messageOf } from '#base'

const RESOLVE_MS_MAX = 3000
const ANSWER_MS_MAX = 3000
/** A name with more is a farm of machines, and none of them is this edge alone. */
const ADDRESSES_MAX = 4
const HEADERS_BYTES_MAX = 16 * 1024
const CHAIN_MAX = 6
const PROBLEM_CHARACTERS_MAX = 200
const DAY_MS = 86_400_000

export interface DoorCertificate {
  /** Why viewers refuse it; null: they do not. */
  readonly problem: string | null
  readonly daysLeft: number | null
  readonly issuer: string
  /** Certificates from the leaf up to the root, as far as they were shown or are known. */
  readonly chain: number
}

export interface DoorAddress {
  readonly address: string
  /** Who the answer says that it is; null: nobody, or no answer. */
  readonly edge: string | null
  readonly problem: string | null
  /** This machine has no way to such an address: says nothing about the server. */
  readonly isOutOfReach: boolean
  readonly certificate: DoorCertificate | null
}

export interface Door {
  readonly host: string
  readonly isLiteral: boolean
  readonly isTls: boolean
  /** Why the name resolves to nothing; null: it resolves. */
  readonly unresolved: string | null
  readonly addresses: readonly DoorAddress[]
}

/** Never rejects: whatever is wrong stands in the answer. */
export async function inspectDoor(url: string, clock: Clock): Promise<Door> {
  const { hostname, protocol } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  const isLiteral = isIP(host) !== 0
  const isTls = protocol === 'https:'
  let found: string[]
  try {
    found = isLiteral ? [host] : await resolve(host)
  } catch (error) {
    return { host, isLiteral, isTls, unresolved: short(error), addresses: [] }
  }
  const addresses = await Promise.all(found.map(address => knock(url, address, clock)))
  return { host, isLiteral, isTls, unresolved: null, addresses }
}

/** As viewers' machines do, with the hosts file too: a name that only this machine knows is found by other checks. */
async function resolve(host: string): Promise<string[]> {
  let deadline: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    deadline = setTimeout(() => reject(new Error(`no answer in ${RESOLVE_MS_MAX} ms`)), RESOLVE_MS_MAX)
  })
  try {
    const all = await Promise.race([lookup(host, { all: true }), late])
    return [...new Set(all.map(({ address }) => address))].slice(0, ADDRESSES_MAX)
  } finally {
    clearTimeout(deadline)
  }
}

async function knock(url: string, address: string, clock: Clock): Promise<DoorAddress> {
  let certificate: DoorCertificate | null = null
  try {
    const answer = await ask(new URL('/healthz', url), address, socket => {
      certificate = certificateOf(socket, clock.wallMs())
    })
    const edge = /(?:^|,)\s*n="([a-z0-9-]{1,63})"/.exec(fieldOf(answer, 'cmsd-static'))?.[1] ?? null
    const status = answer.statusCode ?? 0
    const problem = status === 200 ? null : `status ${status}, expected 200`
    return { address, edge, problem, isOutOfReach: false, certificate }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    const isOutOfReach = isIP(address) === 6 && /^(ENETUNREACH|EADDRNOTAVAIL|EAFNOSUPPORT)$/.test(code)
    return { address, edge: null, problem: short(error), isOutOfReach, certificate }
  }
}

function ask(url: URL, address: string, onSecure: (socket: TLSSocket) => void): Promise<IncomingMessage> {
  const isTls = url.protocol === 'https:'
  const host = url.hostname.replace(/^\[|\]$/g, '')
  return new Promise((done, reject) => {
    const asked = (isTls ? httpsRequest : httpRequest)({
      host: address,
      port: Number(url.port) || (isTls ? 443 : 80),
      path: url.pathname,
      agent: false,
      maxHeaderSize: HEADERS_BYTES_MAX,
      headers: { host: url.host, 'user-agent': 'vitrine-probe', connection: 'close' },
      ...(isTls ? { rejectUnauthorized: false, ...(isIP(host) === 0 ? { servername: host } : {}) } : {}),
    })
    const deadline = setTimeout(
      () => asked.destroy(new Error(`no answer in ${ANSWER_MS_MAX} ms`)),
      ANSWER_MS_MAX,
    )
    asked.on('socket', socket => socket.once('secureConnect', () => onSecure(socket as TLSSocket)))
    asked.on('error', error => {
      clearTimeout(deadline)
      reject(error)
    })
    asked.once('response', answer => {
      clearTimeout(deadline)
      done(answer)
      asked.destroy() // the head says it all
    })
    asked.end()
  })
}

function certificateOf(socket: TLSSocket, wallMs: number): DoorCertificate {
  const leaf = socket.getPeerCertificate(true)
  const endMs = Date.parse(leaf.valid_to ?? '')
  let chain = 0
  let next: DetailedPeerCertificate | undefined = leaf
  while (next?.raw !== undefined && chain < CHAIN_MAX) {
    chain += 1
    next = next.issuerCertificate === next ? undefined : next.issuerCertificate
  }
  const issuer = leaf.issuer?.O ?? leaf.issuer?.CN ?? 'nobody'
  return {
    problem: socket.authorized ? null : short(socket.authorizationError),
    daysLeft: Number.isNaN(endMs) ? null : (endMs - wallMs) / DAY_MS,
    issuer: String(issuer).slice(0, 80),
    chain,
  }
}

function fieldOf({ headers }: IncomingMessage, name: string): string {
  const value = headers[name]
  return typeof value === 'string' ? value : ''
}

function short(error: unknown): string {
  return (typeof error === 'string' ? error : messageOf(error)).slice(0, PROBLEM_CHARACTERS_MAX)
}
