// Owns what the Try it strip does to a local fleet: it freezes, slows, and sends viewers. One place knows the state
// of all injections; a server that ended and came back is healthy again.
import { cliFaults } from '../faults.ts'
import { Injection } from './injection.ts'

type Action = 'freeze' | 'thaw' | 'slow' | 'unslow' | 'viewers'

/** The viewers' process, which runs only while there are viewers. */
export interface ViewersPort {
  setCount(count: number): Promise<void>
}

export class TryIt {
  readonly #viewers: ViewersPort
  readonly #servers = new Map<string, Injection>()

  constructor(viewers: ViewersPort) {
    this.#viewers = viewers
  }

  /** A server (re)started: what was injected into its predecessor is over. */
  leaderStarted(server: string, pid: number): void {
    this.#servers.get(server)?.forget()
    this.#servers.set(server, new Injection(pid))
  }

  leaderEnded(server: string): void {
    this.#servers.get(server)?.forget()
    this.#servers.delete(server)
  }

  async act(action: Action, server: string | null, count: number | null): Promise<void> {
    if (action === 'viewers') return await this.#viewers.setCount(count ?? 0)
    const injection = this.#servers.get(server ?? '')
    if (injection === undefined) {
      throw cliFaults.fault('cli-no-such-server', `no server ${server ?? '(none named)'} runs in this fleet`)
    }
    injection[action]()
  }

  /** Undoes everything, so that all can be told to stop. */
  close(): void {
    for (const injection of this.#servers.values()) injection.end()
  }
}
