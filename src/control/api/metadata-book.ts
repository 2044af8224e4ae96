// Owns what senders have told about their metrics: type, help and unit, in memory until the next start.
// It refuses more metrics than it may hold: those that are known stay, and a sender repeats what it tells each minute.
import type { MetricMetadata } from '#metrics'

/** Ten times what a large fleet with all exporters has. */
const METRICS_MAX = 10_000
/** Senders of different versions may tell different things of one metric. */
const VERSIONS_MAX = 4
const TEXT_CHARACTERS_MAX = 1024

export type ToldMetadata = Omit<MetricMetadata, 'name'>

export class MetadataBook {
  readonly #byName = new Map<string, ToldMetadata[]>()
  readonly #metricsMax: number

  constructor(metricsMax: number = METRICS_MAX) {
    this.#metricsMax = metricsMax
  }

  /** Gives how many were refused. */
  add(all: readonly MetricMetadata[]): number {
    let refused = 0
    for (const { name, type, help, unit } of all) if (!this.#add(name, { type, help, unit })) refused += 1
    return refused
  }

  all(): Iterable<readonly [string, readonly ToldMetadata[]]> {
    return this.#byName
  }

  #add(name: string, told: ToldMetadata): boolean {
    const known = this.#byName.get(name)
    const one = { ...told, help: told.help.slice(0, TEXT_CHARACTERS_MAX) }
    if (known === undefined) {
      if (this.#byName.size >= this.#metricsMax || name.length > TEXT_CHARACTERS_MAX) return false
      this.#byName.set(name, [one])
      return true
    }
    const isSame = ({ type, help, unit }: ToldMetadata): boolean =>
      type === one.type && help === one.help && unit === one.unit
    const at = known.findIndex(isSame)
    if (at >= 0) known.splice(at, 1)
    // The last that was told is the one that is meant now.
    known.unshift(one)
    known.splice(VERSIONS_MAX)
    return true
  }
}
