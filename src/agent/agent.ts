// Owns an agent: it measures its host and one server, and tells the control room. It refuses to end for a failed
// measurement or delivery: those are counted.
import type { Clock, Closable, ListenOptions, Log, Secret } from '#base'

export interface AgentOptions {
  /** Id of the server that is watched; also this agent's `instance` label. */
  readonly id: string
  readonly role: 'edge' | 'origin' | 'control'
  readonly region: string
  /** For /healthz and /metrics of the agent itself; null: it does not listen. */
  readonly listen: ListenOptions | null
  readonly controlUrl: string
  /** The watched server's own token: it opens its /metrics and lets the agent write as that server. */
  readonly token: Secret
  /** The watched server, for /healthz and /metrics; null: only the host is measured. */
  readonly serverUrl: string | null
  /** Leader of the watched server's process group; asked at each pass, null when there is none. */
  readonly watchedPid: () => number | null
  readonly stateFolder: string
  readonly clock: Clock
  readonly log: Log
}

export interface RunningAgent extends Closable {
  /** Where the agent itself listens; null when it does not. */
  readonly url: string | null
  close(): Promise<void>
}

/** Starts an agent; it works in the background until it is closed. */
export async function startAgent(options: AgentOptions): Promise<RunningAgent> {
  throw new Error(`not yet: ${options.id}`)
}
