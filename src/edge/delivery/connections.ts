// Owns the connections of viewers: how many are admitted, and for how long a reader may stand still.
// What is pending for a reader is a share of one object, never a copy; this bounds how long it is held.
import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '#base'

/** Beyond `viewersMax` some more are accepted, only to be told 503; past that the kernel's queue is the answer. */
const SURPLUS_MAX = 256
/** A pending write has this long, and a second more for every SLOW_BYTES_PER_SECOND. */
const WRITE_MS_MAX = 20_000
/** 128 kbit/s: below the lowest rendition anybody publishes. */
const SLOW_BYTES_PER_SECOND = 16 * 1024
const SWEEP_MS = 2000
const NEARLY_FULL = 0.9
/** No byte in or out for this long in the middle of a request. */
const SILENCE_MS_MAX = 30_000
/** Players come back for a segment every few seconds; a minute keeps their connection. */
export const KEEP_ALIVE_SECONDS = 65

interface Connection {
  readonly surplus: boolean
  /** Since when bytes are pending; null: none are. */
  pendingSinceMs: number | null
  /** Bytes handed to the socket when `pendingSinceMs` was set: when all of those are out, the clock starts again. */
  pendingBytes: number
  target: number
}

/** What was written to a connection and not taken by the kernel when the connection was closed. */
const unsent = new WeakMap<Socket, number>()

/** 0 for a connection that is open, or was closed with everything sent. */
export function unsentBytes(socket: Socket): number {
  return unsent.get(socket) ?? 0
}

/** The kernel's queue length is known only until the handle is closed. */
interface Handle {
  readonly bytesWritten?: number
  readonly writeQueueSize?: number
}

function noteUnsent(socket: Socket): void {
  const destroy = socket._destroy.bind(socket)
  socket._destroy = (error, callback) => {
    if (socket.writableLength > 0) unsent.set(socket, pendingBytes(socket))
    destroy(error, callback)
  }
}

/** A write that the kernel has taken in part counts in part; where that cannot be told, it counts as pending. */
function pendingBytes(socket: Socket): number {
  const handle = (socket as unknown as { readonly _handle?: Handle | null })._handle
  const { bytesWritten, writeQueueSize } = handle ?? {}
  const isKnown = bytesWritten !== undefined && writeQueueSize !== undefined && !('encrypted' in socket)
  return isKnown ? socket.bytesWritten - bytesWritten + writeQueueSize : socket.writableLength
}

export class Connections {
  refused = 0
  slow = 0
  readonly #clock: Clock
  readonly #viewersMax: number
  readonly #connections = new Map<Socket, Connection>()
  readonly #timer: NodeJS.Timeout

  constructor(server: Server, secure: boolean, viewersMax: number, clock: Clock) {
    this.#clock = clock
    this.#viewersMax = viewersMax
    server.maxConnections = viewersMax + SURPLUS_MAX
    server.keepAliveTimeout = KEEP_ALIVE_SECONDS * 1000
    server.timeout = SILENCE_MS_MAX
    server.on(secure ? 'secureConnection' : 'connection', (socket: Socket) => this.#enter(socket))
    this.#timer = setInterval(() => this.#sweep(), SWEEP_MS)
    this.#timer.unref()
  }

  get count(): number {
    return this.#connections.size
  }

  /** Nine of ten places are taken. */
  get isNearlyFull(): boolean {
    return this.#connections.size >= this.#viewersMax * NEARLY_FULL
  }

  /** False: this connection came when all places were taken, and is told 503. */
  admits(socket: Socket): boolean {
    if (this.#connections.get(socket)?.surplus !== true) return true
    this.refused += 1
    return false
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #enter(socket: Socket): void {
    socket.setNoDelay(true)
    noteUnsent(socket)
    const surplus = this.#connections.size >= this.#viewersMax
    this.#connections.set(socket, { surplus, pendingSinceMs: null, pendingBytes: 0, target: 0 })
    socket.once('close', () => this.#connections.delete(socket))
  }

  #sweep(): void {
    const nowMs = this.#clock.monotonicMs()
    for (const [socket, connection] of this.#connections) {
      const outBytes = socket.bytesWritten - socket.writableLength
      if (socket.writableLength === 0) connection.pendingSinceMs = null
      else if (connection.pendingSinceMs === null || outBytes >= connection.target) {
        connection.pendingSinceMs = nowMs
        connection.pendingBytes = socket.writableLength
        connection.target = socket.bytesWritten
      } else {
        const allowedMs = WRITE_MS_MAX + (connection.pendingBytes / SLOW_BYTES_PER_SECOND) * 1000
        if (nowMs - connection.pendingSinceMs <= allowedMs) continue
        this.slow += 1
        socket.destroy()
      }
    }
  }
}
