// Owns how a server proves itself and whom it believes: its identity where it joined, else a token from a file.
import { isLoopback, type ListenOptions, type Secret } from '#base'
import { type Identity, PRIVATE_SUFFIX, readIdentity, type Trust } from '#trust'
import { cliFaults } from '../faults.ts'
import { readServerToken } from './server-token.ts'

export interface Credentials {
  readonly token: Secret
  readonly trust: Trust
  /** Null: it did not join by a join string. */
  readonly identity: Identity | null
}

export function readCredentials(settings: {
  readonly id: string
  readonly tokenFile: string
  readonly identityFolder: string | null
}): Credentials {
  const { id, tokenFile, identityFolder } = settings
  if (identityFolder === null) return { token: readServerToken(tokenFile, id), trust: null, identity: null }
  const identity = readIdentity(identityFolder)
  if (identity === null) {
    const message = `${identityFolder} holds no identity; start with --join and a join string`
    throw cliFaults.fault('cli-token-unreadable', message)
  }
  return { token: identity.credential, trust: identity.trust, identity }
}

/**
 * What a joined server listens with. An origin and an agent show their private certificate to everybody, since only
 * servers of ours call them; an edge shows the viewers' one, and its private one to those who ask for it.
 */
export function joinedListen(
  listen: ListenOptions,
  kind: 'edge' | 'origin' | 'agent',
  identity: Identity | null,
): ListenOptions {
  if (identity?.tls == null || listen.behindProxy === true) return listen
  const isPlain =
    listen.tls === undefined && kind !== 'origin' && (kind === 'edge' || isLoopback(listen.host))
  return isPlain ? listen : { ...listen, privateTls: { file: identity.tls.file, suffix: PRIVATE_SUFFIX } }
}
