// Owns one request and its answer: small replies, faults, and what is counted of them.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { faultBody } from '#base'
import type { RequestKind, Tally } from '../tally.ts'
import { commonFields, type Fields } from './fields.ts'

/** Seconds after which a refused viewer may ask again. */
const RETRY_AFTER_S = 2

export interface Exchange {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  /** Monotonic ms at which the head was read. */
  readonly startMs: number
  readonly query: string
  readonly edgeId: string
  readonly tally: Tally
  kind: RequestKind
}

/** Answers with a small body that is built here; HEAD gets the same fields. */
export function reply(exchange: Exchange, status: number, fields: Fields, body: string | Buffer): void {
  const { req, res, tally, kind } = exchange
  const bytes = Buffer.byteLength(body)
  // RFC 9110 section 8.6: no Content-Length in a 204.
  res.writeHead(status, status === 204 ? fields : { ...fields, 'Content-Length': bytes })
  tally.request(kind, status)
  if (req.method === 'HEAD') res.end()
  else {
    // What our own agents and probes fetch is not throughput.
    if (kind !== 'other') tally.sentBytes += bytes
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
  const { res, tally, kind, edgeId } = exchange
  const { status, body } = faultBody(thrown)
  if (res.headersSent) {
    tally.request(kind, status)
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
