// Owns the control room's end of the control channel: who may open one, what each side may say, and its bounds.
// It refuses browsers, unknown tokens, other servers' names, other protocols, and after 20 bad frames the sender.
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import {
  type Clock,
  type Closable,
  type Counter,
  type Counters,
  type FleetTime,
  faultBody,
  type Log,
} from '#base'
import {
  CHANNEL_FRAME_BYTES_MAX,
  type FromControl,
  type Hello,
  PROTOCOL,
  parseToControl,
  speaks,
  type ToControl,
} from '#wire'
import { controlFaults } from '../faults.ts'
import type { RefusalReason } from './refusal-book.ts'

const CHANNEL_PATH = '/api/v1/channel'
const HELLO_MS_MAX = 5000
/** Three heartbeats: who was heard since then lives, and one under its name from another machine is a second one. */
const ALIVE_MS = 3000
/** RFC 6455's OPEN, as WebSocket.readyState numbers it. */
const WS_OPEN = 1
const INVALID_FRAMES_MAX = 20
/** Two processes a server, while an old connection may linger beside a new one. */
const CONNECTIONS_MAX = 4000
/** What may wait for a receiver that does not read (a frozen process): the next table replaces what is dropped. */
const SEND_BUFFER_BYTES_MAX = 16 * 1024 * 1024
/** A frozen process keeps its channel: it goes on where it was. Beyond this it must come anew. */
const SILENCE_MS_MAX = 600_000

export interface Peer {
  readonly server: string
  readonly process: Hello['process']
  readonly role: Hello['role']
}

export interface ChannelOptions {
  readonly server: Server
  /** The server whose token this is; null: nobody's. */
  readonly serverOf: (
    authorization: string | undefined,
  ) => { readonly id: string; readonly role: string } | null
  readonly hostAllowed: (request: IncomingMessage) => boolean
  readonly onHello: (hello: Hello) => void
  /** Something of this server was not taken. */
  readonly onRefused: (server: string, cause: RefusalReason, detail: string) => void
  readonly onMessage: (peer: Peer, message: Exclude<ToControl, Hello>) => void
  /** What a server is told right after the welcome. */
  readonly greeting: (peer: Peer) => readonly FromControl[]
  readonly fleetTime: FleetTime
  readonly clock: Clock
  readonly counters: Counters
  readonly log: Log
}

export interface Channel extends Closable {
  /** To every connected process that `to` lets through. */
  broadcast(this: void, message: FromControl, to: (peer: Peer) => boolean): void
  /** To each connected process what is meant for it; null: nothing. */
  tell(this: void, messageFor: (peer: Peer) => FromControl | null): void
  /** Closes channels whose token is no longer their server's. */
  recheck(this: void): void
  /** Where the server process's connection comes from; null: it has none. */
  addressOf(this: void, server: string): string | null
  /** Processes that are connected. */
  count(this: void): number
  close(): Promise<void>
}

export function startChannel(options: ChannelOptions): Channel {
  const running = new RunningChannel(options)
  running.start()
  return running
}

interface Connection {
  readonly socket: WebSocket
  readonly authorization: string | undefined
  readonly tokenServer: { readonly id: string; readonly role: string }
  readonly address: string | null
  peer: Peer | null
  /** Who said hello: two machines under one name differ in it. */
  from: { readonly hostId: string; readonly pid: number } | null
  /** The process of the same host whose place it took while that one was alive; null: it took none. */
  displacedPid: number | null
  heardMs: number
  invalid: number
}

class RunningChannel implements Channel {
  readonly #options: ChannelOptions
  readonly #sockets: WebSocketServer
  readonly #connections = new Set<Connection>()
  readonly #byPeer = new Map<string, Connection>()
  readonly #invalid: Counter
  readonly #refused: Counter
  readonly #dropped: Counter
  #sweep: NodeJS.Timeout | null = null

  constructor(options: ChannelOptions) {
    this.#options = options
    this.#sockets = new WebSocketServer({
      noServer: true,
      maxPayload: CHANNEL_FRAME_BYTES_MAX,
      perMessageDeflate: false,
    })
    const { counters } = options
    this.#invalid = counters.counter(
      'vitrine_control_channel_invalid_frames_total',
      'Channel frames that could not be read. Should be 0: look for a server with another version.',
    )
    this.#refused = counters.counter(
      'vitrine_control_channel_refused_total',
      'Channels refused, by cause. token: check the token of the server that tries; protocol: update it.',
    )
    this.#dropped = counters.counter(
      'vitrine_control_channel_messages_dropped_total',
      'Messages not sent because a server does not read. A frozen server causes them; others should not.',
    )
  }

  start(): void {
    this.#options.server.on('upgrade', this.#onUpgrade)
    this.#sweep = setInterval(() => this.#closeSilent(), 5000)
  }

  broadcast = (message: FromControl, to: (peer: Peer) => boolean): void => {
    const text = JSON.stringify(message)
    for (const connection of this.#byPeer.values()) {
      if (connection.peer !== null && to(connection.peer)) this.#sendText(connection, text)
    }
  }

  tell = (messageFor: (peer: Peer) => FromControl | null): void => {
    for (const connection of this.#byPeer.values()) {
      const message = connection.peer === null ? null : messageFor(connection.peer)
      if (message !== null) this.#send(connection, message)
    }
  }

  recheck = (): void => {
    for (const { socket, authorization, tokenServer } of this.#connections) {
      if (this.#options.serverOf(authorization)?.id !== tokenServer.id) socket.close(1008)
    }
  }

  addressOf = (server: string): string | null =>
    this.#byPeer.get(peerKey({ server, process: 'server' }))?.address ?? null

  count = (): number => this.#byPeer.size

  async close(): Promise<void> {
    this.#options.server.off('upgrade', this.#onUpgrade)
    if (this.#sweep !== null) clearInterval(this.#sweep)
    for (const { socket } of this.#connections) socket.close(1001)
    for (const { socket } of this.#connections) socket.terminate()
    await new Promise<void>(resolve => {
      this.#sockets.close(() => resolve())
    })
  }

  #onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on('error', () => socket.destroy())
    const refusal = this.#refusal(request)
    if (refusal !== null) {
      this.#refused.add(1, { cause: refusal.cause })
      const { status, body } = faultBody(refusal.fault)
      const text = JSON.stringify(body)
      const reply = `HTTP/1.1 ${status} Refused\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`
      socket.end(reply)
      return
    }
    const { authorization } = request.headers
    const tokenServer = this.#options.serverOf(authorization)
    if (tokenServer === null) return
    const address = request.socket.remoteAddress ?? null
    this.#sockets.handleUpgrade(request, socket, head, opened =>
      this.#open(opened, { authorization, tokenServer, address }),
    )
  }

  #refusal(request: IncomingMessage): { cause: string; fault: Error } | null {
    const path = (request.url ?? '').split('?')[0]
    if (path !== CHANNEL_PATH) {
      return { cause: 'path', fault: controlFaults.fault('control-route-unknown', `no WebSocket at ${path}`) }
    }
    if (!this.#options.hostAllowed(request)) {
      return { cause: 'host', fault: controlFaults.fault('control-host-refused', 'this Host is not served') }
    }
    // Servers send no Origin; a page that does has no business here.
    if (
      request.headers.origin !== undefined ||
      this.#options.serverOf(request.headers.authorization) === null
    ) {
      const message = 'the channel needs the token of an enrolled server'
      return { cause: 'token', fault: controlFaults.fault('control-sign-in-needed', message) }
    }
    if (this.#connections.size >= CONNECTIONS_MAX) {
      const message = `${CONNECTIONS_MAX} channels are open already`
      return { cause: 'full', fault: controlFaults.fault('control-starting', message) }
    }
    return null
  }

  #open(socket: WebSocket, who: Pick<Connection, 'authorization' | 'tokenServer' | 'address'>): void {
    const { tokenServer } = who
    const connection: Connection = {
      socket,
      ...who,
      peer: null,
      from: null,
      displacedPid: null,
      heardMs: this.#options.clock.monotonicMs(),
      invalid: 0,
    }
    this.#connections.add(connection)
    const late = setTimeout(() => {
      if (connection.peer === null) this.#refuse(connection, 'no hello within 5 s', 'hello')
    }, HELLO_MS_MAX)
    socket.on('message', (data, binary) => {
      try {
        this.#receive(connection, binary || !Buffer.isBuffer(data) ? null : data.toString('utf8'))
      } catch (error) {
        this.#options.log.error('channel-broken', { server: tokenServer.id, error })
      }
    })
    socket.on('error', error => this.#options.log.warn('channel-error', { server: tokenServer.id, error }))
    socket.on('close', () => {
      clearTimeout(late)
      this.#connections.delete(connection)
      if (connection.peer !== null && this.#byPeer.get(peerKey(connection.peer)) === connection) {
        this.#byPeer.delete(peerKey(connection.peer))
        this.#options.log.info('channel-closed', { ...connection.peer })
      }
    })
  }

  #receive(connection: Connection, text: string | null): void {
    const receivedMs = this.#options.fleetTime.nowMs()
    connection.heardMs = this.#options.clock.monotonicMs()
    const parsed = text === null ? ({ kind: 'invalid', problem: 'not text' } as const) : parseToControl(text)
    if (parsed.kind === 'unknown-type') return // a neighbour one minor version newer
    if (parsed.kind === 'invalid') {
      this.#invalid.add()
      this.#options.onRefused(connection.tokenServer.id, 'frames', parsed.problem)
      connection.invalid += 1
      if (connection.invalid >= INVALID_FRAMES_MAX) {
        this.#refuse(
          connection,
          `${INVALID_FRAMES_MAX} frames could not be read, the last: ${parsed.problem}`,
          'frames',
        )
      }
      return
    }
    const { message } = parsed
    if (message.type === 'hello') return this.#hello(connection, message)
    if (connection.peer === null) return this.#refuse(connection, 'the first message must be hello', 'hello')
    if (message.type === 'time-request') {
      const t3 = this.#options.fleetTime.nowMs()
      const followed = this.#options.fleetTime.followed?.()
      const more = followed === undefined ? {} : { followed }
      this.#send(connection, { type: 'time-reply', t1: message.t1, t2: receivedMs, t3, ...more })
      return
    }
    this.#options.onMessage(connection.peer, message)
  }

  #hello(connection: Connection, hello: Hello): void {
    const { tokenServer } = connection
    if (!speaks(PROTOCOL, hello.protocol)) {
      const theirs = `${hello.protocol.major}.${hello.protocol.minor}`
      const ours = `${PROTOCOL.major}.${PROTOCOL.minor}`
      this.#refuse(
        connection,
        `protocol ${theirs} is too far from ours, ${ours}: update the older side`,
        'protocol',
      )
      return
    }
    if (hello.server !== tokenServer.id || hello.role !== tokenServer.role) {
      const message = `the token belongs to ${tokenServer.role} ${tokenServer.id}, the hello came from ${hello.role} ${hello.server}`
      this.#refuse(connection, message, 'name')
      return
    }
    const peer: Peer = { server: hello.server, process: hello.process, role: hello.role }
    // A process that restarted takes the place of its old connection, which may not have closed yet.
    const old = this.#byPeer.get(peerKey(peer))
    if (old !== undefined && old !== connection && this.#isSecond(old, hello)) {
      const theirs = old.from?.hostId === hello.hostId ? 'this host' : 'another machine'
      const message = `${hello.process} ${hello.server} is connected from ${theirs} (pid ${old.from?.pid ?? 0}) and alive: two may not share a name`
      // On one host the newer is a restart. The older one, back again, is not: they would take turns for ever.
      const isBack = old.displacedPid === hello.pid
      if (isBack || old.from?.hostId !== hello.hostId) return this.#refuse(connection, message, 'twice')
      this.#options.onRefused(hello.server, 'twice', message)
      connection.displacedPid = old.from.pid
    }
    // The welcome goes out before the peer is known to broadcasts: it must be the first message.
    const fleetMs = this.#options.fleetTime.nowMs()
    this.#send(connection, { type: 'welcome', protocol: PROTOCOL, fleetMs })
    this.#byPeer.set(peerKey(peer), connection)
    connection.peer = peer
    connection.from = { hostId: hello.hostId, pid: hello.pid }
    if (old !== undefined && old !== connection) old.socket.terminate()
    this.#options.log.info('channel-open', { ...peer, version: hello.version, pid: hello.pid })
    for (const message of this.#options.greeting(peer)) this.#send(connection, message)
    this.#options.onHello(hello)
  }

  /** The one before has been heard a moment ago, and is another process. */
  #isSecond(old: Connection, hello: Hello): boolean {
    const silentMs = this.#options.clock.monotonicMs() - old.heardMs
    const isOther = old.from?.hostId !== hello.hostId || old.from.pid !== hello.pid
    return old.socket.readyState === WS_OPEN && isOther && silentMs < ALIVE_MS
  }

  #refuse(connection: Connection, reason: string, cause: RefusalReason): void {
    this.#refused.add(1, { cause })
    this.#options.log.warn('channel-refused', { server: connection.tokenServer.id, reason })
    this.#options.onRefused(connection.tokenServer.id, cause, reason)
    this.#send(connection, { type: 'refused', reason: reason.slice(0, 512) })
    connection.socket.close(1002)
  }

  #send(connection: Connection, message: FromControl): void {
    this.#sendText(connection, JSON.stringify(message))
  }

  #sendText(connection: Connection, text: string): void {
    if (connection.socket.bufferedAmount > SEND_BUFFER_BYTES_MAX) this.#dropped.add()
    else connection.socket.send(text, () => undefined)
  }

  #closeSilent(): void {
    const nowMs = this.#options.clock.monotonicMs()
    for (const connection of this.#connections) {
      if (nowMs - connection.heardMs > SILENCE_MS_MAX) connection.socket.terminate()
    }
  }
}

function peerKey({ server, process }: { server: string; process: Hello['process'] }): string {
  return `${server}/${process}`
}
