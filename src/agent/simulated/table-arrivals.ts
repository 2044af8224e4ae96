// Owns when each steering table reached the simulated servers: by version, and how long after it was issued. Pure.

/** A table each ten seconds, and one for each change: hours of them. */
const VERSIONS_MAX = 2000

interface Arrival {
  servers: number
  lastMs: number
}

export interface TableSummary {
  /** Versions that reached every server that was connected. */
  readonly tables: number
  /** Versions that had not, when this was asked. */
  readonly incomplete: number
  readonly medianMs: number | null
  /** The slowest table to reach its last server. */
  readonly maxMs: number | null
}

export class TableArrivals {
  readonly #byVersion = new Map<number, Arrival>()

  /** `ageMs`: of the table when it came, in fleet time. */
  add(version: number, ageMs: number): void {
    const known = this.#byVersion.get(version)
    if (known !== undefined) {
      known.servers += 1
      known.lastMs = Math.max(known.lastMs, ageMs)
      return
    }
    if (this.#byVersion.size < VERSIONS_MAX) this.#byVersion.set(version, { servers: 1, lastMs: ageMs })
  }

  /** Called at the start of what is measured: greetings carry tables that were issued long before. */
  reset(): void {
    this.#byVersion.clear()
  }

  summary(servers: number): TableSummary {
    const all = [...this.#byVersion.values()]
    const complete = all.filter(arrival => arrival.servers >= servers).map(({ lastMs }) => lastMs)
    complete.sort((a, b) => a - b)
    return {
      tables: complete.length,
      incomplete: all.length - complete.length,
      medianMs: complete[Math.floor(complete.length / 2)] ?? null,
      maxMs: complete.at(-1) ?? null,
    }
  }
}
