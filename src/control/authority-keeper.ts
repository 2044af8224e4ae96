// Owns the way of a change of the authority's key through the fleet: who has learnt the new root, who has a
// certificate from it, and when the old one goes. It never drops a root that somebody still needs, unless forced.
import { join } from 'node:path'
import { type Clock, type Closable, every, type Log, writeFileAtomic } from '#base'
import { type Authority, pinOf } from '#trust'
import type { AuthorityMessage, AuthorityState } from '#wire'
import type { Fleet } from './fleet/fleet.ts'

const TURN_MS = 1000
/** Listeners look at their files every 5 s: what is renewed is shown by then. */
const SHOWN_MS = 12_000

export interface AuthorityKeeperOptions {
  readonly authority: Authority
  readonly folder: string
  readonly fleet: Fleet
  /** A certificate of its own from the key that signs now. */
  readonly renewOwn: () => Promise<void>
  /** Join strings that carry the old pin. */
  readonly revokeStrings: () => Promise<void>
  readonly publish: () => void
  readonly clock: Clock
  readonly log: Log
}

export class AuthorityKeeper {
  readonly #options: AuthorityKeeperOptions
  readonly #told = new Map<string, AuthorityState>()
  #settledMs: number | null = null
  #status = ''

  constructor(options: AuthorityKeeperOptions) {
    this.#options = options
  }

  message = (): AuthorityMessage => {
    const { roots, pin } = this.#options.authority
    return { type: 'authority', roots: [...roots], issuer: pin }
  }

  told(server: string, state: AuthorityState): void {
    this.#told.set(server, state)
  }

  async turn(): Promise<void> {
    const { authority, publish, log } = this.#options
    if (authority.follow()) {
      this.#settledMs = null
      log.info('authority-change-followed', { phase: authority.rotation?.phase ?? null })
      await this.#options.revokeStrings()
      publish()
    }
    const { rotation } = authority
    if (rotation === null) return this.#tell([])
    const missing = this.#missing()
    this.#tell(missing)
    if (missing.length > 0 && !rotation.force) {
      this.#settledMs = null
      return
    }
    const nowMs = this.#options.clock.monotonicMs()
    this.#settledMs ??= nowMs
    if (nowMs - this.#settledMs < SHOWN_MS) return
    this.#settledMs = null
    if (rotation.phase === 'learn') {
      authority.switchOver()
      await this.#options.revokeStrings()
      await this.#options.renewOwn()
    } else {
      await this.#options.renewOwn()
      authority.finish()
    }
    log.info('authority-changed', { phase: authority.rotation?.phase ?? 'done', without: missing })
    publish()
  }

  #missing(): string[] {
    const { authority, fleet } = this.#options
    const pins = authority.roots.map(pinOf)
    const isRenewing = authority.rotation?.phase === 'renew'
    return fleet
      .all()
      .filter(({ role, tokenSha256 }) => role !== 'control' && tokenSha256 !== '')
      .filter(({ id }) => {
        const told = this.#told.get(id)
        if (told === undefined || !pins.every(pin => told.roots.includes(pin))) return true
        return isRenewing && told.issuer !== authority.pin
      })
      .map(({ id }) => id)
  }

  /** For commands beside it. */
  #tell(missing: readonly string[]): void {
    const text = `${JSON.stringify({ phase: this.#options.authority.rotation?.phase ?? null, missing })}\n`
    if (text === this.#status) return
    writeFileAtomic(join(this.#options.folder, 'rotation-status.json'), text)
    this.#status = text
  }
}

export function startAuthorityKeeper(keeper: AuthorityKeeper, log: Log): Closable {
  return every(
    TURN_MS,
    () => keeper.turn(),
    error => log.error('authority-broken', { error }),
  )
}
