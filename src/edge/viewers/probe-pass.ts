// Owns knowing probes of the fleet from viewers: by a credential that only the control room and its observers have.
// It refuses to believe names: whoever just says that he is a probe is a viewer.
import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { PROBE_HEADER } from '#wire'

const CREDENTIAL_CHARACTERS_MAX = 128

export class ProbePass {
  #accepted: ReadonlySet<string> = new Set()

  /** SHA-256 of credentials, hex; they replace those before. */
  set(accepts: readonly string[]): void {
    this.#accepted = new Set(accepts)
  }

  /** Compared by hash: its time tells nothing of the credential. */
  isHeldBy(headers: IncomingHttpHeaders): boolean {
    const shown = headers[PROBE_HEADER]
    if (typeof shown !== 'string' || shown.length > CREDENTIAL_CHARACTERS_MAX) return false
    return this.#accepted.has(createHash('sha256').update(shown).digest('hex'))
  }
}
