// Owns one request and its answer: small replies, faults, and what is counted of them.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { faultBody } from '#base'
import type { RequestKind } from '../accounting/totals.ts'
import type { CacheResult } from '../cache/object-cache.ts'
import type { Tally } from '../tally.ts'
import { unsentBytes } from './connections.ts'
import { commonFields, type Fields } from './fields.ts'

/** Seconds after which a refused viewer may ask again. */
const RETRY_AFTER_S = 2

/** One request and what is found out about it on the way; `settle` accounts it, once. */
export interface Exchange {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  /** Of both; they lose it when it closes. */
  readonly socket: Socket
  /** Monotonic ms at which the head was read. */
  readonly startMs: number
  readonly edgeId: string
  /** Of media alone; a probe has one that counts nothing. */
  tally: Pick<Tally, 'cache' | 'firstByte'>
  readonly settle: (exchange: Exchange, bytes: number, whole: boolean) => void
  query: string
  /** `/s/{id}` before the path, where the session is told there; empty: it is not. */
  prefix: string
  kind: RequestKind
  title: string | null
  session: string | null
  /** `session` is no player's own word. */
  isEstimated: boolean
  /** One of the fleet's own looks, by its credential: no viewer, no hit, no cost. */
  isProbe: boolean
  cache: CacheResult | null
  /** From the request to the first byte of media, in ms; null: none went out. */
  firstByteMs: number | null
  /** How long the upstream took to begin its answer, in ms; null: none was asked. */
  upstreamMs: number | null
  /** Of sending, how long it waited for more from the upstream, in ms. */
  upstreamRestMs: number
  /** 0 until it is answered. */
  status: number
  /** Bytes of body that were given to the response so far. */
  handedBytes: number
  isSettled: boolean
}

/** Says what the answer is; when it is over, it is accounted with what of the body went out. */
export function answers(exchange: Exchange, status: number, handedBytes = 0): void {
  const { res, socket } = exchange
  const isFirst = exchange.status === 0
  exchange.status = status
  exchange.handedBytes = handedBytes
  if (!isFirst) return
  // The viewer has left: nothing goes out any more.
  if (res.closed) exchange.settle(exchange, 0, false)
  else
    res.once('close', () => {
      const unsent = unsentBytes(socket)
      exchange.settle(
        exchange,
        Math.max(0, exchange.handedBytes - unsent),
        res.writableFinished && unsent === 0,
      )
    })
}

/** Answers with a small body that is built here; HEAD gets the same fields. */
export function reply(exchange: Exchange, status: number, fields: Fields, body: string | Buffer): void {
  const { req, res } = exchange
  const bytes = Buffer.byteLength(body)
  // RFC 9110 section 8.6: no Content-Length in a 204.
  res.writeHead(status, status === 204 ? fields : { ...fields, 'Content-Length': bytes })
  if (req.method === 'HEAD') {
    answers(exchange, status)
    res.end()
  } else {
    answers(exchange, status, bytes)
    res.end(body)
  }
}

/** JSON that no cache keeps, readable from any page. */
export function replyJson(exchange: Exchange, status: number, value: unknown): void {
  const fields = {
    ...commonFields(exchange.edgeId),
    'Content-Type': 'application/json',
    'Cache-Control': 'no-store',
  }
  reply(exchange, status, fields, JSON.stringify(value))
}

/** Answers with a fault, or cuts the connection when the answer has begun: a short body must not pass for a whole. */
export function replyFault(exchange: Exchange, thrown: unknown): void {
  const { res, edgeId } = exchange
  const { status, body } = faultBody(thrown)
  if (res.headersSent) {
    answers(exchange, status, exchange.handedBytes)
    res.destroy()
    return
  }
  const fields: Fields = {
    ...commonFields(edgeId),
    'Content-Type': 'application/json',
    'Cache-Control': 'no-store',
    ...(status === 503 ? { 'Retry-After': RETRY_AFTER_S } : {}),
    ...(status === 405 ? { Allow: 'GET, HEAD, OPTIONS' } : {}),
    ...(status === 401 ? { 'WWW-Authenticate': 'Bearer' } : {}),
  }
  reply(exchange, status, fields, JSON.stringify(body))
}

/** The body of a POST, or null when it is larger than `bytesMax`. */
export async function readBody(req: IncomingMessage, bytesMax: number): Promise<string | null> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of req as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > bytesMax) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
