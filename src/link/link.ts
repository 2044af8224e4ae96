// Owns a server's end of the control channel: connect, say hello, beat, keep fleet time, reconnect with jitter.
// It refuses nothing that it does not know: unknown messages are counted and skipped.

import { WebSocket } from 'ws'
import {
  type Clock,
  type Closable,
  type FleetTime,
  isDateProblem,
  type Log,
  messageOf,
  type Secret,
  SlewedFleetTime,
} from '#base'
import { type Trust, tlsClient } from '#trust'
import {
  CHANNEL_FRAME_BYTES_MAX,
  type FromControl,
  type Heartbeat,
  type Hello,
  PROTOCOL,
  parseFromControl,
  speaks,
  type ToControl,
} from '#wire'
import { clockHint } from './clock-hint.ts'
import { MessageMemory } from './memory.ts'
import { TimeExchange } from './time-exchange.ts'

const CHANNEL_PATH = '/api/v1/channel'
const HEARTBEAT_MS = 1000
const EXCHANGE_TICKS = 2
const HANDSHAKE_MS_MAX = 5000
/** A control room that accepts and says nothing is gone: the time exchange alone answers every 2 s. */
const SILENCE_MS_MAX = 10_000
/** Three exchanges: whoever has heard nothing for so long does not know what the control room says now. */
const HEARD_MS_MAX = 6000
const RECONNECT_MS_MIN = 200
const RECONNECT_MS_MAX = 5000
/** Bytes that may wait in the socket; beyond it a report is dropped (the next one replaces it). */
const SEND_BUFFER_BYTES_MAX = 16 * 1024 * 1024

export interface LinkOptions {
  /** The control room, for example `http://127.0.0.1:8080`. */
  readonly controlUrl: string
  readonly token: Secret
  /** How the control room proves who it is; left out: by a public certificate. */
  readonly trust?: Trust
  readonly hello: Omit<Hello, 'type' | 'protocol'>
  readonly clock: Clock
  readonly log: Log
  /** Folder in which the last table, probe plan, access list and catalogue are kept, so that a restart without the control room works. Null: not kept. */
  readonly memoryFolder: string | null
  /** Every message but the time exchange; also the remembered ones, once, before the first connection. */
  readonly onMessage: (message: FromControl) => void
  /** After each welcome: the moment to send whole lists again. */
  readonly onWelcome?: () => void
  /** Time is asked for after each beat; left out: after every second one. */
  readonly exchangeEachBeat?: boolean
  /** The beat before a time exchange was taken, so many ms after both were sent. */
  readonly onBeatTaken?: (roundTripMs: number) => void
  /** An agent's view of the process that it watches, for the heartbeat. */
  readonly watched?: () => Heartbeat['watched']
}

/** A running link. `fleet` may be read at any time; before the first exchange the wall clock stands in. */
export interface Link extends Closable {
  readonly fleet: FleetTime
  /** False when there is no channel or its buffer is full; the caller sends its next report instead. */
  send(this: void, message: ToControl): boolean
  connected(this: void): boolean
  /** True while something came of late: a channel that was cut, or of a process that stood, is open and says nothing. */
  hears(this: void): boolean
  close(): Promise<void>
}

/** Starts a link; it connects in the background and for ever. */
export function startLink(options: LinkOptions): Link {
  const running = new RunningLink(options)
  running.start()
  return running
}

class RunningLink implements Link {
  readonly #options: LinkOptions
  readonly #fleet: SlewedFleetTime
  readonly #memory: MessageMemory
  readonly #exchange: TimeExchange
  /** The next answer is to a request that no beat went before. */
  #askedAgain = false
  #socket: WebSocket | null = null
  #welcomed = false
  #closed = false
  #attempt = 0
  /** Of this series of failures: what is wrong with this host's clock has been told. */
  #hinted = false
  #sequence = 0
  #heardMs = 0
  #beat: NodeJS.Timeout | null = null
  #retry: NodeJS.Timeout | null = null

  constructor(options: LinkOptions) {
    this.#options = options
    this.#fleet = new SlewedFleetTime(options.clock, null)
    this.#memory = new MessageMemory(options.memoryFolder, options.token, options.log)
    this.#exchange = new TimeExchange(
      options.clock,
      this.#fleet,
      options.exchangeEachBeat === true ? 1 : EXCHANGE_TICKS,
    )
  }

  get fleet(): FleetTime {
    return this.#fleet
  }

  connected = (): boolean => this.#welcomed
  hears = (): boolean => this.#welcomed && this.#options.clock.monotonicMs() - this.#heardMs <= HEARD_MS_MAX

  start(): void {
    for (const message of this.#memory.recall()) this.#options.onMessage(message)
    this.#beat = setInterval(() => this.#tick(), HEARTBEAT_MS)
    this.#connect()
  }

  send = (message: ToControl): boolean => {
    const socket = this.#socket
    if (!this.#welcomed || socket === null || socket.bufferedAmount > SEND_BUFFER_BYTES_MAX) return false
    socket.send(JSON.stringify(message))
    return true
  }

  async close(): Promise<void> {
    this.#closed = true
    if (this.#beat !== null) clearInterval(this.#beat)
    if (this.#retry !== null) clearTimeout(this.#retry)
    const socket = this.#socket
    if (socket === null) return
    await new Promise<void>(resolve => {
      const force = setTimeout(() => socket.terminate(), 500)
      socket.once('close', () => {
        clearTimeout(force)
        resolve()
      })
      socket.close(1000)
    })
  }

  #connect(): void {
    const { controlUrl, token, trust, log } = this.#options
    const url = `${controlUrl.replace(/^http/, 'ws')}${CHANNEL_PATH}`
    const socket = new WebSocket(url, {
      ...tlsClient(trust ?? null, url, { role: 'control' }),
      headers: { authorization: `Bearer ${token.reveal()}` },
      handshakeTimeout: HANDSHAKE_MS_MAX,
      maxPayload: CHANNEL_FRAME_BYTES_MAX,
      perMessageDeflate: false,
    })
    this.#socket = socket
    socket.on('open', () => {
      this.#heardMs = this.#options.clock.monotonicMs()
      socket.send(
        JSON.stringify({ type: 'hello', protocol: PROTOCOL, ...this.#options.hello } satisfies Hello),
      )
    })
    socket.on('message', data => this.#receive(Buffer.isBuffer(data) ? data.toString('utf8') : ''))
    socket.on('error', error => {
      // One line for the first failure of a series; the control room may be away for hours.
      if (this.#attempt === 0) log.warn('channel-failed', { url, problem: messageOf(error) })
      if (!this.#hinted && isDateProblem(error)) void this.#tellClock(error)
    })
    socket.on('close', () => this.#lost(socket))
  }

  /** A host whose clock is years off cannot say so to anybody but its own log; the control room sees its `Date`. */
  async #tellClock(error: Error): Promise<void> {
    const { controlUrl, trust = null, clock, log } = this.#options
    this.#hinted = true
    const hint = await clockHint(error, { controlUrl, trust, wallMs: clock.wallMs })
    this.#hinted = hint !== null
    if (hint !== null) log.error('own-clock-wrong', { ...hint })
  }

  #lost(socket: WebSocket): void {
    if (this.#socket !== socket) return
    if (this.#welcomed) this.#options.log.warn('channel-lost', {})
    this.#socket = null
    this.#welcomed = false
    if (this.#closed) return
    const ceilingMs = Math.min(RECONNECT_MS_MAX, RECONNECT_MS_MIN * 2 ** this.#attempt)
    this.#attempt += 1
    // Full jitter above the minimum, so that a fleet does not come back in one instant.
    const waitMs = RECONNECT_MS_MIN + Math.random() * (ceilingMs - RECONNECT_MS_MIN)
    this.#retry = setTimeout(() => this.#connect(), waitMs)
  }

  #receive(text: string): void {
    this.#heardMs = this.#options.clock.monotonicMs()
    const parsed = parseFromControl(text)
    if (parsed.kind !== 'message') {
      this.#options.log.debug('channel-message-skipped', { ...parsed })
      return
    }
    const { message } = parsed
    if (message.type === 'time-reply') {
      if (!this.#askedAgain) this.#options.onBeatTaken?.(this.#options.clock.bootMs() - message.t1)
      const again = this.#exchange.onReply(message)
      this.#askedAgain = again !== null
      if (again !== null) this.send(again)
      return
    }
    if (message.type === 'welcome') this.#onWelcome(message.protocol)
    if (message.type === 'refused') this.#options.log.error('channel-refused', { reason: message.reason })
    this.#memory.remember(message)
    this.#options.onMessage(message)
    if (message.type === 'welcome') this.#options.onWelcome?.()
  }

  #onWelcome(protocol: Hello['protocol']): void {
    if (!speaks(PROTOCOL, protocol)) {
      this.#options.log.error('channel-protocol-mismatch', { ours: PROTOCOL, theirs: protocol })
      this.#socket?.close(1002)
      return
    }
    this.#attempt = 0
    this.#hinted = false
    this.#welcomed = true
    this.#options.log.info('channel-open', { controlUrl: this.#options.controlUrl })
    this.#exchange.restart()
    this.#askedAgain = false
    this.#tick()
  }

  #tick(): void {
    const { clock, watched } = this.#options
    const socket = this.#socket
    if (socket?.readyState === WebSocket.OPEN && clock.monotonicMs() - this.#heardMs > SILENCE_MS_MAX) {
      socket.terminate()
      return
    }
    if (!this.#welcomed) return
    const seen = watched?.()
    const beat: Heartbeat = { type: 'heartbeat', sequence: this.#sequence, bootMs: clock.bootMs() }
    this.#sequence += 1
    this.send(seen === undefined ? beat : { ...beat, watched: seen })
    // After the beat: messages are taken in order, so an answer means that the beat was taken, too.
    const request = this.#exchange.next()
    if (request !== null) this.send(request)
  }
}
