// Owns a server's copy of who may do what, as the control room pushed it. Tokens are compared by SHA-256.
import { createHash, timingSafeEqual } from 'node:crypto'
import type { FleetTime, Secret } from '#base'
import type { Access, UserRole } from '#wire'

/** The token of an `Authorization` header: Bearer, or Basic with the token as password. Null: none. */
export function tokenOf(authorization: string | undefined): string | null {
  if (authorization === undefined) return null
  const [scheme, value, ...rest] = authorization.trim().split(/ +/)
  if (scheme === undefined || value === undefined || rest.length > 0) return null
  if (scheme.toLowerCase() === 'bearer') return value
  if (scheme.toLowerCase() !== 'basic') return null
  const decoded = Buffer.from(value, 'base64').toString('utf8')
  const colon = decoded.indexOf(':')
  return colon < 0 ? null : decoded.slice(colon + 1)
}

/** SHA-256 of a token, hex: what is stored and sent instead of it. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

/** Answers from the last `access` message; a server always knows its own token. */
export class AccessTable {
  readonly #ownHash: string
  #fleetMs: () => number = () => Number.NEGATIVE_INFINITY
  #users = new Map<string, { readonly role: UserRole; readonly endsMs: number }>()
  #edges = new Map<string, string>()

  constructor(own: Secret) {
    this.#ownHash = hashToken(own.reveal())
  }

  /** Tokens end by fleet time and not by this host's own clock, also while the control room is away. */
  useTime(fleet: Pick<FleetTime, 'nowMs'>): void {
    this.#fleetMs = fleet.nowMs
  }

  set(access: Access): void {
    this.#users = new Map(
      access.tokens.map(({ sha256, role, endsMs = Number.POSITIVE_INFINITY }) => [sha256, { role, endsMs }]),
    )
    this.#edges = new Map(access.edges.map(edge => [edge.sha256, edge.id]))
  }

  /** True for any API token, and for the server's own (its agent reads with it). */
  mayReadMetrics(authorization: string | undefined): boolean {
    const token = tokenOf(authorization)
    if (token === null) return false
    const hash = hashToken(token)
    return this.isPersons(hash) || timingSafeEqual(Buffer.from(hash), Buffer.from(this.#ownHash))
  }

  /** Whether this is the SHA-256 of a person's token. */
  isPersons(sha256: string): boolean {
    const user = this.#users.get(sha256)
    return user !== undefined && user.endsMs > this.#fleetMs()
  }

  /** The edge whose credential this is; null: nobody's. */
  edgeOf(authorization: string | undefined): string | null {
    const token = tokenOf(authorization)
    return token === null ? null : (this.#edges.get(hashToken(token)) ?? null)
  }
}
