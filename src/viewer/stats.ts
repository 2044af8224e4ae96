// Owns what simulated viewers report: counts since the start, and who feeds them now.

export interface EdgeStats {
  /** Viewers that it feeds now. */
  readonly active: number
  /** Stalls of viewers while it fed them. */
  readonly stalls: number
  readonly bytes: number
}

export interface ViewerStats {
  /** Viewers that were asked for. */
  readonly count: number
  /** Viewers that have media in their buffer and play on. */
  readonly playing: number
  /** Viewers whose buffer ran empty and who wait. */
  readonly stalled: number
  readonly stalls: number
  readonly stalledSeconds: number
  readonly bytes: number
  /** Changes of edge: by the viewer's own time-out, and by the steering table. */
  readonly movedByTimeout: number
  readonly movedBySteering: number
  /** Returns to /play because every edge of the playlist failed. */
  readonly restarts: number
  /** Requests that failed. */
  readonly failures: number
  /** By edge id (pathway). */
  readonly edges: Readonly<Record<string, EdgeStats>>
}

/** Totals that all viewers of a group add to. */
export class GroupCounts {
  stalls = 0
  stalledMs = 0
  movedByTimeout = 0
  movedBySteering = 0
  restarts = 0
  failures = 0
  readonly edges: Map<string, { stalls: number; bytes: number }> = new Map()

  edge(id: string): { stalls: number; bytes: number } {
    let counts = this.edges.get(id)
    if (counts === undefined) {
      counts = { stalls: 0, bytes: 0 }
      // Edges are few and named by playlists of our own; a limit keeps a hostile entry from filling memory.
      if (this.edges.size < EDGES_MAX) this.edges.set(id, counts)
    }
    return counts
  }
}

const EDGES_MAX = 1000
