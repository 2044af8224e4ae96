// Owns the header fields of media answers: types, caching, cross-origin access, who served it.
import { unreachable } from '#base'
import type { CacheResult } from '../cache/object-cache.ts'
import { CMSD_CHARACTERS, type ObjectFacts } from '../cache/stored.ts'

/** Two hours is the most that Chromium remembers a preflight. */
const PREFLIGHT_SECONDS = 7200
const EXPOSED = 'CMSD-Static, CMSD-Dynamic, Cache-Status, Content-Length, Content-Range, ETag, Age'
const IMMUTABLE = 'public, max-age=31536000, immutable'

export type Fields = Record<string, string | number>

/** On every answer about media, whatever its status. */
export function commonFields(edgeId: string): Fields {
  return {
    'Access-Control-Allow-Origin': '*',
    'Access-Control-Expose-Headers': EXPOSED,
    'Timing-Allow-Origin': '*',
    'X-Content-Type-Options': 'nosniff',
    // CTA-5006: `n` names the server; players echo it, so that what they say can be laid at the right door.
    'CMSD-Static': `n="${edgeId}"`,
  }
}

/** On a 200, 206 or 304 of an object. */
export function objectFields(
  edgeId: string,
  facts: Omit<ObjectFacts, 'key' | 'freshMs' | 'etag'>,
  etag: string | null,
): Fields {
  return {
    'Content-Type': facts.contentType,
    'Accept-Ranges': 'bytes',
    'Cache-Control': IMMUTABLE,
    ...(etag === null ? {} : { ETag: etag }),
    ...(facts.date === null ? {} : { Date: facts.date }),
    ...commonFields(edgeId),
  }
}

/** RFC 9211: how this cache came by the answer. `ttlS`: freshness that is left, negative when stale. */
export function cacheStatus(edgeId: string, result: CacheResult, ttlS = 0): string {
  switch (result) {
    case 'memory':
    case 'disk':
      return `${edgeId}; hit; detail=${result}`
    case 'shared':
      return `${edgeId}; fwd=miss; collapsed`
    case 'stale':
      return `${edgeId}; hit; ttl=${ttlS}; detail=origin-away`
    case 'negative':
      return `${edgeId}; hit; detail=negative`
    case 'miss':
      return `${edgeId}; fwd=miss; stored`
    case 'error':
      return `${edgeId}; fwd=miss`
    default:
      return unreachable(result)
  }
}

/** The prebuilt head of a hit from memory over HTTP/1.1, without Age; its last field waits for `stampCmsd`. */
export function hitHead(edgeId: string, facts: ObjectFacts, bodyBytes: number, keepAliveS: number): string {
  const fields: Fields = {
    ...objectFields(edgeId, facts, facts.etag),
    'Content-Length': bodyBytes,
    'Cache-Status': cacheStatus(edgeId, 'memory'),
    Connection: 'keep-alive',
    'Keep-Alive': `timeout=${keepAliveS}`,
    // Last: `stampCmsd` writes over it.
    'CMSD-Dynamic': ' '.repeat(CMSD_CHARACTERS),
  }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 200 OK\r\n${lines.join('')}`
}

/** Answer to a preflight: every player's CMCD fields are let through (CTA-5004). */
export function preflightFields(edgeId: string, requested: string | undefined): Fields {
  const wanted = requested !== undefined && /^[A-Za-z0-9, -]{1,512}$/.test(requested) ? `, ${requested}` : ''
  return {
    ...commonFields(edgeId),
    'Access-Control-Allow-Methods': 'GET, HEAD, POST, OPTIONS',
    'Access-Control-Allow-Headers': `CMCD-Object, CMCD-Request, CMCD-Session, CMCD-Status, Range, If-None-Match, If-Range, Content-Type${wanted}`,
    'Access-Control-Max-Age': PREFLIGHT_SECONDS,
  }
}
