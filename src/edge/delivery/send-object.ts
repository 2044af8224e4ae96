// Owns sending objects: a hot one in a single write, one that is still arriving as it arrives. It keeps no copy
// for a viewer, waits for slow ones, and cuts the connection when the origin broke off.
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { StoredObject } from '../cache/stored.ts'
import { stampAge, stampCmsd } from '../cache/stored.ts'
import type { Flight } from '../upstream/flight.ts'
import { unsentBytes } from './connections.ts'
import type { Exchange } from './exchange.ts'

/** One TLS write holds all of its ciphertext for a stalled reader; so no more than this at once (EDGE-NOTES). */
const TLS_WRITE_BYTES_MAX = 256 * 1024

/**
 * Sends head and body of a hot object in one write, past ServerResponse, which would build the head anew.
 * False, and nothing is done, where anything is out of the ordinary: the caller then goes the ordinary way.
 */
export function sendHot(
  exchange: Exchange,
  object: StoredObject,
  nowMs: number,
  cmsd: (socket: Socket) => Buffer,
): boolean {
  const { req, res } = exchange
  const { socket } = res
  const plain =
    socket !== null &&
    (req.method === 'GET' || req.method === 'HEAD') &&
    req.httpVersion === '1.1' &&
    res.shouldKeepAlive &&
    socket.writable &&
    socket.writableLength === 0 &&
    !isTls(res) &&
    req.headers.range === undefined &&
    req.headers['if-none-match'] === undefined &&
    req.headers['content-length'] === undefined &&
    req.headers['transfer-encoding'] === undefined
  if (!plain) return false
  stampAge(object, nowMs)
  stampCmsd(object, cmsd(socket))
  const bodyBytes = req.method === 'HEAD' ? 0 : object.bodyBytes
  exchange.status = 200
  socket.write(bodyBytes === 0 ? object.whole.subarray(0, object.headBytes) : object.whole)
  if (socket.writableLength === 0) exchange.settle(exchange, bodyBytes, true)
  // An empty write comes after it: it is done when the kernel has taken all, or the viewer has left.
  else
    socket.write('', () => {
      const unsent = unsentBytes(socket)
      exchange.settle(exchange, Math.max(0, bodyBytes - unsent), unsent === 0)
    })
  // The server takes the next request of this connection when the answer says that it is finished.
  res.emit('finish')
  return true
}

/** Sends bytes that are all here; the head has been written. */
export async function sendBytes(exchange: Exchange, bytes: Buffer): Promise<void> {
  const { res } = exchange
  if (!isTls(res)) {
    exchange.handedBytes = bytes.length
    res.end(bytes)
    return
  }
  for (let at = 0; at < bytes.length; at += TLS_WRITE_BYTES_MAX) {
    const piece = bytes.subarray(at, at + TLS_WRITE_BYTES_MAX)
    exchange.handedBytes += piece.length
    const more = res.write(piece)
    if (!more && !(await drained(res))) return
  }
  res.end()
}

/** Sends an object as it arrives. Gives the bytes sent; when the flight fails, the connection is destroyed. */
export async function sendFlight(
  exchange: Exchange,
  flight: Flight,
  monotonicMs: () => number,
): Promise<number> {
  const { res } = exchange
  let sent = 0
  for (;;) {
    const arrived = flight.arrived(sent)
    if (arrived.length > 0) {
      const chunk = arrived.subarray(0, TLS_WRITE_BYTES_MAX)
      sent += chunk.length
      exchange.handedBytes = sent
      if (!res.write(chunk) && !(await drained(res))) return sent
      continue
    }
    if (flight.over) break
    const waitsFromMs = monotonicMs()
    await flight.more()
    exchange.upstreamRestMs += monotonicMs() - waitsFromMs
    if (res.destroyed) return sent
  }
  const end = await flight.ended
  if (end.kind === 'whole') res.end()
  else {
    exchange.status = 502
    res.destroy()
  }
  return sent
}

/** True when there is room again, false when the viewer is gone. */
function drained(res: ServerResponse): Promise<boolean> {
  if (res.destroyed) return Promise.resolve(false)
  return new Promise(resolve => {
    const onDrain = (): void => settle(true)
    const onClose = (): void => settle(false)
    const settle = (open: boolean): void => {
      res.off('drain', onDrain)
      res.off('close', onClose)
      resolve(open)
    }
    res.once('drain', onDrain)
    res.once('close', onClose)
  })
}

function isTls(res: ServerResponse): boolean {
  return (res.socket as TLSSocket | null)?.encrypted === true
}
