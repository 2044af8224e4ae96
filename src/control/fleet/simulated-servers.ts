// Owns simulated servers: edges that do not exist, for benchmarks and drills. They live in memory, for as long as this
// control room runs or until somebody removes them; none is ever stored, looked at from outside, or told to viewers.
import { hashToken } from '#link'
import { simulatedName } from '#wire'
import { newToken } from '../state/secrets.ts'
import { SERVERS_MAX, type StoredServer } from '../state/servers.ts'

/** As many as a fleet may have. */
const SIMULATED_MAX: number = SERVERS_MAX
const ID_DIGITS = 4
const REGION = 'simulated'

export interface SimulatedServer {
  readonly id: string
  readonly region: string
  readonly token: string
}

export class SimulatedServers {
  #servers: readonly StoredServer[] = []

  /** `count` new ones in the place of those before; their tokens are known to the caller alone. */
  replace(count: number): readonly SimulatedServer[] {
    const made = Array.from({ length: Math.min(count, SIMULATED_MAX) }, (_, at) => ({
      id: simulatedName(String(at + 1).padStart(ID_DIGITS, '0')),
      region: REGION,
      token: newToken(),
    }))
    this.#servers = made.map(({ id, region, token }) => ({
      id,
      role: 'edge',
      region,
      tokenSha256: hashToken(token),
      url: '',
      version: '',
      hostId: '',
      tags: {},
      stream: '',
      entryWeight: 0,
      sharePercent: 100,
      measuredBps: null,
    }))
    return made
  }

  list(): readonly StoredServer[] {
    return this.#servers
  }
}
