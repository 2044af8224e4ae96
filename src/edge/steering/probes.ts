// Owns looking at the other edges from here: connect and GET /healthz on a fresh connection, once a second each.
// One failed look condemns nobody.
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { type Clock, messageOf } from '#base'
import type { ProbeReport } from '#wire'
import type { Standing } from './order.ts'

const DEADLINE_MS = 1000
/** As many as one report carries. */
const PEERS_MAX = 200
/** Failures in a row before a peer counts as unreachable: two looks, two seconds. */
const FAILURES_MIN = 2
const ERROR_CHARACTERS_MAX = 256
export const PROBE_AGENT = 'vitrine-probe'

interface Seen {
  readonly connectMs: number | null
  readonly httpMs: number | null
  readonly httpStatus: number | null
  readonly error: string | null
}

interface Peer {
  atMs: number
  last: Seen | null
  failures: number
  running: boolean
}

export class Probes {
  readonly #clock: Clock
  readonly #peers = new Map<string, Peer>()
  readonly #sockets = new Set<Socket>()
  #unreachable: ReadonlySet<string> = new Set()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  unreachable = (): ReadonlySet<string> => this.#unreachable

  /** Starts one look at each of them; peers that are gone are forgotten. */
  look(peers: readonly Standing[]): void {
    const wanted = peers.slice(0, PEERS_MAX)
    for (const id of this.#peers.keys()) if (!wanted.some(peer => peer.id === id)) this.#peers.delete(id)
    for (const { id, url } of wanted) {
      let peer = this.#peers.get(id)
      if (peer === undefined) {
        peer = { atMs: 0, last: null, failures: 0, running: false }
        this.#peers.set(id, peer)
      }
      if (!peer.running) void this.#lookAt(peer, url)
    }
    this.#judge()
  }

  report(): ProbeReport[] {
    const nowMs = this.#clock.monotonicMs()
    const reports: ProbeReport[] = []
    for (const [target, peer] of this.#peers) {
      if (peer.last !== null) reports.push({ target, ...peer.last, agoMs: Math.max(0, nowMs - peer.atMs) })
    }
    return reports
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async #lookAt(peer: Peer, url: string): Promise<void> {
    peer.running = true
    const seen = await this.#probe(url)
    peer.running = false
    peer.atMs = this.#clock.monotonicMs()
    peer.last = seen
    peer.failures = seen.httpStatus === 200 ? 0 : peer.failures + 1
    this.#judge()
  }

  #judge(): void {
    const down = [...this.#peers].filter(([, peer]) => peer.failures >= FAILURES_MIN).map(([id]) => id)
    this.#unreachable = new Set(down)
  }

  async #probe(url: string): Promise<Seen> {
    const startMs = this.#clock.monotonicMs()
    let connectMs: number | null = null
    let socket: Socket | null = null
    let deadline: NodeJS.Timeout | undefined
    try {
      const target = new URL('/healthz', url)
      const late = new Promise<never>((_, reject) => {
        deadline = setTimeout(() => reject(new Error(`no answer within ${DEADLINE_MS} ms`)), DEADLINE_MS)
      })
      const opened = open(target, () => {
        connectMs = this.#clock.monotonicMs() - startMs
      })
      socket = opened
      this.#sockets.add(opened)
      const httpStatus = await Promise.race([ask(target, opened), late])
      return { connectMs, httpMs: this.#clock.monotonicMs() - startMs, httpStatus, error: null }
    } catch (error) {
      const text = messageOf(error).slice(0, ERROR_CHARACTERS_MAX)
      return { connectMs, httpMs: null, httpStatus: null, error: text }
    } finally {
      clearTimeout(deadline)
      if (socket !== null) {
        this.#sockets.delete(socket)
        socket.destroy()
      }
    }
  }
}

/** A fresh TCP connection, with TLS on top where the URL says so. `onConnect` is called at TCP's handshake. */
function open(url: URL, onConnect: () => void): Socket {
  const secure = url.protocol === 'https:'
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const plain = connect({ host, port: Number(url.port) || (secure ? 443 : 80) })
  plain.once('connect', onConnect)
  plain.on('error', () => {}) // the request on top reports it
  // The peer's identity is not what is measured here; what it is told is nothing.
  return secure ? connectTls({ socket: plain, servername: host, rejectUnauthorized: false }) : plain
}

/** The status, once the last byte is here. */
async function ask(url: URL, socket: Socket): Promise<number> {
  return await new Promise<number>((resolve, reject) => {
    const asked = request(
      {
        createConnection: () => socket,
        host: url.hostname,
        path: url.pathname,
        headers: { host: url.host, 'user-agent': PROBE_AGENT, connection: 'close' },
      },
      answer => {
        answer.resume()
        answer.once('end', () => resolve(answer.statusCode ?? 0))
        answer.once('error', reject)
      },
    )
    asked.once('error', reject)
    asked.end()
  })
}
