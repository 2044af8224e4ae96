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
  readonly requests: number
  /** From the wish to play to the first media, of those who got there; null: nobody yet. */
  readonly startMs: { readonly median: number; readonly p95: number; readonly max: number } | null
  /** Wished-for playing time of all viewers together, rebuffering included. */
  readonly askedSeconds: number
  /** CMCD event records that an edge took, and those that none did. */
  readonly records: number
  readonly recordsLost: number
  /** Reports that one edge did not take and the next was asked. */
  readonly reportsRetried: number
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
  requests = 0
  records = 0
  recordsLost = 0
  reportsRetried = 0
  /** Of viewers who have left. */
  askedMs = 0
  readonly #startsMs: number[] = []
  readonly edges: Map<string, { stalls: number; bytes: number }> = new Map()

  started(delayMs: number): void {
    if (this.#startsMs.length < STARTS_MAX) this.#startsMs.push(delayMs)
  }

  startMs(): ViewerStats['startMs'] {
    const sorted = this.#startsMs.toSorted((a, b) => a - b)
    const at = (share: number): number =>
      sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
    return sorted.length === 0 ? null : { median: at(0.5), p95: at(0.95), max: at(1) }
  }

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
/** Ten times as many as one process may have at once. */
const STARTS_MAX = 10_000
