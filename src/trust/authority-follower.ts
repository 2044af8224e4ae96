// Owns a server's part in a change of the authority's key: it believes the roots that the control room names on the
// channel, has its certificate from the one that signs now, and says what it has.
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type Closable, type Log, messageOf, writeFileAtomic } from '#base'
import type { AuthorityMessage, AuthorityState } from '#wire'
import type { Identity } from './identity.ts'
import { pinOf } from './pin.ts'
import { renew } from './renewal.ts'

const RETRY_MS = 5000

export interface AuthorityFollowerOptions {
  readonly identity: Identity
  readonly send: (state: AuthorityState) => void
  readonly log: Log
}

export class AuthorityFollower implements Closable {
  readonly #options: AuthorityFollowerOptions
  #wanted: AuthorityMessage | null = null
  #retry: NodeJS.Timeout | null = null
  #working: Promise<void> = Promise.resolve()

  constructor(options: AuthorityFollowerOptions) {
    this.#options = options
  }

  /** What is authenticated by the root that is believed already. */
  take(message: AuthorityMessage): void {
    this.#wanted = message
    this.#working = this.#working.then(() => this.#follow())
  }

  async close(): Promise<void> {
    if (this.#retry !== null) clearTimeout(this.#retry)
    this.#wanted = null
    await this.#working
  }

  async #follow(): Promise<void> {
    const { identity, send, log } = this.#options
    const wanted = this.#wanted
    const { tls, authorityFile } = identity
    if (wanted === null || tls === null || authorityFile === null) return
    if (this.#retry !== null) clearTimeout(this.#retry)
    try {
      const text = wanted.roots.join('')
      // Roots first: nobody shows a certificate of a root that is not believed here.
      if (readFileSync(authorityFile, 'utf8') !== text) {
        for (const root of wanted.roots) pinOf(root) // garbage is not kept
        writeFileAtomic(authorityFile, text)
        log.info('authority-learnt', { roots: wanted.roots.length })
      }
      if (issuerOf(tls.file, wanted.roots) !== wanted.issuer) {
        await renew(identity)
        log.info('certificate-renewed', { server: identity.id })
      }
    } catch (error) {
      log.warn('authority-not-followed', { problem: messageOf(error) })
      this.#retry = setTimeout(() => this.take(wanted), RETRY_MS)
    }
    const roots = wanted.roots.filter(root => readFileSync(authorityFile, 'utf8').includes(root)).map(pinOf)
    send({ type: 'authority-state', roots, issuer: issuerOf(tls.file, wanted.roots) })
  }
}

/** The pin of the root that signed the certificate in a file; null: none of these. */
function issuerOf(file: string, roots: readonly string[]): string | null {
  const leaf = new X509Certificate(readFileSync(file))
  const root = roots.find(pem => leaf.verify(new X509Certificate(pem).publicKey))
  return root === undefined ? null : pinOf(root)
}
