// Owns who is behind a request: address, player, session. It believes a proxy's word only behind a proxy.
import type { IncomingMessage } from 'node:http'
import { estimate, type Identity, shortHash, sidOf } from '../viewers/identity.ts'
import { sessionInPrefix } from './route.ts'

const USER_AGENT_CHARACTERS_MAX = 256

export interface Viewer {
  readonly address: string
  readonly userAgent: string
  /** The player's own session id; null: it told none. */
  readonly sid: string | null
  /** From the path, given at its entry, beginning with `~`; null: none. */
  readonly pathSid: string | null
  /** True when CMCD was sent that cannot be read. */
  readonly malformed: boolean
}

export function viewerOf(req: IncomingMessage, query: string, prefix: string, behindProxy: boolean): Viewer {
  const sid = sidOf(query, req.headers)
  return {
    address: addressOf(req, behindProxy),
    userAgent: (req.headers['user-agent'] ?? '').slice(0, USER_AGENT_CHARACTERS_MAX),
    sid: sid.kind === 'sid' ? sid.sid : null,
    pathSid: sessionInPrefix(prefix),
    malformed: sid.kind === 'malformed',
  }
}

export function identityOf(viewer: Viewer, title: string): Identity {
  if (viewer.sid !== null) return { sid: viewer.sid, estimated: false }
  if (viewer.pathSid !== null) return { sid: viewer.pathSid, estimated: true }
  return estimate(viewer.address, viewer.userAgent, title)
}

/** What spreads viewers over edges: the same for one viewer on every edge. */
export function steeringSession(viewer: Viewer): string {
  return shortHash(viewer.sid ?? viewer.pathSid ?? `${viewer.address}\n${viewer.userAgent}`)
}

/** The last entry of X-Forwarded-For is the one that the proxy in front of us wrote. */
export function addressOf(req: IncomingMessage, behindProxy: boolean): string {
  const forwarded = behindProxy ? req.headers['x-forwarded-for'] : undefined
  const text = typeof forwarded === 'string' ? forwarded.split(',').at(-1)?.trim() : undefined
  return text !== undefined && text !== '' ? text : (req.socket.remoteAddress ?? '')
}
