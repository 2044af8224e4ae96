// Owns a group of simulated viewers: how many there are and what they went through.
import { randomUUID } from 'node:crypto'
import type { Clock, Log } from '#base'
import { Fetcher } from './fetcher.ts'
import { Player } from './player.ts'
import { type EdgeStats, GroupCounts, type ViewerStats } from './stats.ts'

/** One process stands for no more than this. */
const VIEWERS_MAX = 1000
/** Starts are spread, as those of people are. */
const STAGGER_MS = 50

export interface ViewersOptions {
  readonly count: number
  /** Base URLs that answer /play: edges, or the control room. */
  readonly entries: readonly string[]
  readonly title: string
  readonly clock: Clock
  readonly log: Log
}

export interface Viewers {
  /** More viewers start one by one; when fewer are wanted, the newest leave. */
  setCount(n: number): void
  stats(): ViewerStats
  close(): Promise<void>
}

/** Starts players without a picture. */
export function startViewers(options: ViewersOptions): Viewers {
  const group = new Group(options)
  group.setCount(options.count)
  return group
}

class Group implements Viewers {
  readonly #options: ViewersOptions
  readonly #fetcher = new Fetcher()
  readonly #counts = new GroupCounts()
  readonly #players: Player[] = []
  readonly #leaving = new Set<Promise<void>>()
  #closed = false
  #number = 0

  constructor(options: ViewersOptions) {
    this.#options = options
  }

  setCount(n: number): void {
    if (this.#closed) return
    const wanted = Math.max(0, Math.min(VIEWERS_MAX, Math.floor(n)))
    const { entries, title, clock, log } = this.#options
    for (let nth = 0; this.#players.length < wanted; nth += 1) {
      this.#number += 1
      this.#players.push(
        new Player({
          number: this.#number,
          sid: randomUUID(),
          title,
          entries: entries.map(entry => entry.replace(/\/+$/, '')),
          startAfterMs: nth * STAGGER_MS,
          fetcher: this.#fetcher,
          counts: this.#counts,
          clock,
          log,
        }),
      )
    }
    for (const player of this.#players.splice(wanted)) this.#leave(player)
  }

  stats(): ViewerStats {
    const nowMs = this.#options.clock.monotonicMs()
    const counts = this.#counts
    const stallsMs = this.#players.map(player => player.stallMs(nowMs))
    const stalled = stallsMs.filter(ms => ms > 0).length
    const started = this.#players.filter(player => player.started).length
    const edges: Record<string, EdgeStats> = {}
    for (const [id, { stalls, bytes }] of counts.edges) {
      const active = this.#players.filter(player => player.fedBy === id).length
      edges[id] = { active, stalls, bytes }
    }
    return {
      count: this.#players.length,
      playing: started - stalled,
      stalled,
      // A stall that goes on counts as well: a frozen service would show none otherwise.
      stalls: counts.stalls + stalled,
      stalledSeconds: (counts.stalledMs + stallsMs.reduce((sum, ms) => sum + ms, 0)) / 1000,
      bytes: [...counts.edges.values()].reduce((sum, edge) => sum + edge.bytes, 0),
      movedByTimeout: counts.movedByTimeout,
      movedBySteering: counts.movedBySteering,
      restarts: counts.restarts,
      failures: counts.failures,
      edges,
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const player of this.#players.splice(0)) this.#leave(player)
    await Promise.all(this.#leaving)
    await this.#fetcher.close()
  }

  #leave(player: Player): void {
    const left = player.close()
    this.#leaving.add(left)
    void left.finally(() => this.#leaving.delete(left))
  }
}
