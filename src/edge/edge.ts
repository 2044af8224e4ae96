// Owns the putting together of an edge. It keeps no state of its own and speaks no protocol.
import type { Clock, ListenOptions, Log, Secret } from '#base'

export interface EdgeOptions {
  /** Permanent id; also the pathway id. */
  readonly id: string
  readonly region: string
  readonly listen: ListenOptions
  /** Where viewers reach this edge; null: the URL that it listens on. */
  readonly publicUrl: string | null
  readonly controlUrl: string
  /** This server's credential, for the control room and for the origin. */
  readonly token: Secret
  readonly originUrl: string
  readonly stateFolder: string
  /** Built web pages (`watch.html` and what it loads); null: no player page. */
  readonly webFolder: string | null
  readonly memoryBytesMax: number
  readonly diskBytesMax: number
  /** Viewers' connections that are admitted at once. */
  readonly viewersMax?: number | undefined
  readonly clock: Clock
  readonly log: Log
}

export interface RunningEdge {
  /** Where it listens, without a slash at the end. */
  readonly url: string
  close(): Promise<void>
}

/** Starts an edge; it serves from its cache and its last table, whatever the control room and the origin do. */
export async function startEdge(options: EdgeOptions): Promise<RunningEdge> {
  await Promise.resolve()
  throw new TypeError(`edge ${options.id} is not built yet`)
}
