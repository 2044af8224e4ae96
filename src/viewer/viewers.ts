// Owns a group of simulated viewers: how many there are and what they went through.
import type { Clock, Log } from '#base'
import type { ViewerStats } from './stats.ts'

export interface ViewersOptions {
  readonly count: number
  /** Base URLs that answer /play: edges, or the control room. */
  readonly entries: readonly string[]
  readonly title: string
  readonly clock: Clock
  readonly log: Log
}

export interface Viewers {
  setCount(n: number): void
  stats(): ViewerStats
  close(): Promise<void>
}

/** Starts players without a picture. */
export function startViewers(options: ViewersOptions): Viewers {
  throw new TypeError(`viewers of ${options.title} are not built yet`)
}
