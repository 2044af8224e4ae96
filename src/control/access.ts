// Owns who a token belongs to: people's API tokens, servers' own, and links to the wall. In memory, refreshed when state.db changes.
import { hashToken, tokenOf } from '#link'
import type { Access, UserRole } from '#wire'
import type { Fleet } from './fleet/fleet.ts'
import type { ActiveToken } from './state/tokens.ts'
import type { ActiveWallLink } from './state/wall-links.ts'

/** Which token it is, and who answers for it. */
export type TokenIdentity = Pick<ActiveToken, 'id' | 'owner' | 'scope'>

export type TokenOwner =
  | {
      readonly kind: 'person'
      readonly name: string
      readonly role: UserRole
      readonly token: TokenIdentity
    }
  | { readonly kind: 'server'; readonly id: string }
  /** A screen that shows the wall and nothing else. */
  | { readonly kind: 'wall'; readonly name: string }

export class AccessDirectory {
  #owners = new Map<string, TokenOwner>()
  #message: Access = { type: 'access', tokens: [], edges: [] }
  #endsAt = Infinity

  /** True when anything differs from before: the moment to tell the servers. */
  set(tokens: readonly ActiveToken[], fleet: Fleet, walls: readonly ActiveWallLink[]): boolean {
    const owners = new Map<string, TokenOwner>()
    for (const server of fleet.all()) owners.set(server.tokenSha256, { kind: 'server', id: server.id })
    for (const { sha256, name, role, id, owner, scope } of tokens) {
      owners.set(sha256, { kind: 'person', name, role, token: { id, owner, scope } })
    }
    for (const { sha256, name } of walls) owners.set(sha256, { kind: 'wall', name })
    const message: Access = {
      type: 'access',
      tokens: tokens
        .filter(({ scope }) => scope !== 'alerts')
        .map(({ sha256, role, expiresAt }) => ({
          sha256,
          role,
          ...(expiresAt === null ? {} : { endsMs: expiresAt }),
        })),
      edges: fleet.edges().map(edge => ({ id: edge.id, sha256: edge.tokenSha256 })),
    }
    // Any token that comes or goes counts, also those of servers that the message does not name.
    const key = (known: ReadonlyMap<string, TokenOwner>): string => [...known.keys()].toSorted().join()
    const changed =
      key(owners) !== key(this.#owners) || JSON.stringify(message) !== JSON.stringify(this.#message)
    this.#owners = owners
    this.#endsAt = Math.min(...tokens.map(({ expiresAt }) => expiresAt ?? Infinity))
    this.#message = message
    return changed
  }

  /** Null: no token, or nobody's. Looked up by hash, so its time tells nothing about the token. */
  ownerOf(authorization: string | undefined): TokenOwner | null {
    const token = tokenOf(authorization)
    return token === null ? null : (this.#owners.get(hashToken(token)) ?? null)
  }

  /** Fleet time at which the next token ends: the moment to read them again. */
  get endsAt(): number {
    return this.#endsAt
  }

  message(): Access {
    return this.#message
  }
}
