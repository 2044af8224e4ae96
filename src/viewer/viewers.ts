// Owns a group of simulated viewers: how many there are and what they went through.
import { randomUUID } from 'node:crypto'
import type { Clock, Log } from '#base'
import { simulatedName } from '#wire'
import { Fetcher } from './fetcher.ts'
import { Player } from './player.ts'
import { PlaylistBook } from './playlist-book.ts'
import { type EdgeStats, GroupCounts, type ViewerStats } from './stats.ts'

/** One process stands for no more than this. */
const VIEWERS_MAX = 1000
/** Starts are spread, as those of people are. */
const STAGGER_MS = 50
/** hls.js 1.7 leaves an edge that failed alone for so long, whatever steering says. */
const PENALTY_S = 300
/** As our own player: more would hide what edges do. */
const BUFFER_S = 20

export interface ViewersOptions {
  readonly count: number
  /** Base URLs that answer /play: edges, or the control room. */
  readonly entries: readonly string[]
  readonly title: string
  /** Between two starts; left out: 50. */
  readonly staggerMs?: number
  /** How long an edge that failed is left alone; left out: 300, as hls.js does. */
  readonly penaltyS?: number
  /** Seconds of media that a viewer keeps; left out: 20. */
  readonly bufferS?: number
  /** What the line of one viewer carries, bits a second; left out or null: as much as comes. */
  readonly rateBps?: number | null
  /** Authorities that are believed beside the public ones, in PEM; left out or null: none. */
  readonly authorityPem?: string | null
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
  readonly #fetcher: Fetcher
  readonly #playlists = new PlaylistBook()
  readonly #counts = new GroupCounts()
  readonly #players: Player[] = []
  readonly #leaving = new Set<Promise<void>>()
  #closed = false
  #number = 0

  constructor(options: ViewersOptions) {
    this.#options = options
    const { authorityPem = null, rateBps = null } = options
    this.#fetcher = new Fetcher({ authorityPem, rateBps })
  }

  setCount(n: number): void {
    if (this.#closed) return
    const wanted = Math.max(0, Math.min(VIEWERS_MAX, Math.floor(n)))
    const { entries, title, clock, log, staggerMs = STAGGER_MS } = this.#options
    const { penaltyS = PENALTY_S, bufferS = BUFFER_S } = this.#options
    for (let nth = 0; this.#players.length < wanted; nth += 1) {
      this.#number += 1
      this.#players.push(
        new Player({
          number: this.#number,
          sid: simulatedName(randomUUID()),
          title,
          entries: entries.map(entry => entry.replace(/\/+$/, '')),
          startAfterMs: nth * staggerMs,
          penaltyMs: penaltyS * 1000,
          bufferS,
          playlists: this.#playlists,
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
      stalledSeconds: (counts.stalledMs + sumOf(stallsMs)) / 1000,
      bytes: sumOf([...counts.edges.values()].map(edge => edge.bytes)),
      movedByTimeout: counts.movedByTimeout,
      movedBySteering: counts.movedBySteering,
      restarts: counts.restarts,
      failures: counts.failures,
      requests: counts.requests,
      startMs: counts.startMs(),
      askedSeconds: (counts.askedMs + sumOf(this.#players.map(player => player.askedMs(nowMs)))) / 1000,
      records: counts.records,
      recordsLost: counts.recordsLost,
      reportsRetried: counts.reportsRetried,
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
    this.#counts.askedMs += player.askedMs(this.#options.clock.monotonicMs())
    const left = player.close()
    this.#leaving.add(left)
    void left.finally(() => this.#leaving.delete(left))
  }
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}
