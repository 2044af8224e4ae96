// Owns who acts at this moment: each request runs as its caller, so that whatever it changes is noted under the one
// who answers for it, however deep down the change is made. Without a request it is a command, or Vitrine itself.
import { AsyncLocalStorage } from 'node:async_hooks'
import { userInfo } from 'node:os'

export interface Actor {
  readonly kind: 'person' | 'link' | 'token' | 'server' | 'wall' | 'anonymous' | 'command' | 'vitrine'
  /** Who answers for it: of a token its owner; null: nobody is named. */
  readonly person: string | null
  /** Id of the token or the session; on the command line the user of the operating system. */
  readonly via: string
  readonly address: string
}

/** Who the audit names for changes that were made on the command line. */
export const COMMAND = 'command line'

const acting = new AsyncLocalStorage<Actor>()

/** Runs it, and all that it starts, as this one. */
export function runAs<Result>(actor: Actor, run: () => Result): Result {
  return acting.run(actor, run)
}

export function actorNow(by: string): Actor {
  const actor = acting.getStore()
  if (actor !== undefined) return actor
  const own = { person: null, address: '' }
  return by === COMMAND
    ? { kind: 'command', via: systemUser(), ...own }
    : { kind: 'vitrine', via: '', ...own }
}

/** Behind sudo, who called it. */
function systemUser(): string {
  const caller = process.env['SUDO_USER']
  try {
    const { username } = userInfo()
    return (caller === undefined ? username : `${caller} as ${username}`).slice(0, 128)
  } catch {
    return (caller ?? '').slice(0, 128) // an account without a name
  }
}
