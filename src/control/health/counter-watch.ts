// Owns noticing that a server's own figures stand still while it is at work: a scrape that repeats itself, or bytes that
// went to sessions and are in no counter. Pure but for its memory. It refuses to judge from missing samples.

/** What is looked up every five seconds. */
export interface CounterSample {
  readonly atMs: number
  /** Bytes of media that the edge said it gave to sessions, since this start; null: no edge. */
  readonly sessionBytes: number | null
  /** Sum of vitrine_edge_sent_bytes_total; null: no fresh sample. */
  readonly sentBytes: number | null
  /** process_cpu_seconds_total; null: no fresh sample. */
  readonly cpuSeconds: number | null
}

/** So many steps without a change are a fault; a live process uses some CPU in each. */
const STEPS = 5
/** Less may be one long answer that is not over yet. */
const SESSION_BYTES_MIN = 1_000_000

export class CounterWatch {
  readonly #samples = new Map<string, CounterSample[]>()

  add(server: string, sample: CounterSample): void {
    const kept = this.#samples.get(server) ?? []
    this.#samples.set(server, [...kept.slice(-STEPS), sample])
  }

  /** Servers that are gone are forgotten. */
  keep(servers: ReadonlySet<string>): void {
    for (const id of this.#samples.keys()) if (!servers.has(id)) this.#samples.delete(id)
  }

  /** In words; null: nothing is wrong, or nobody knows. */
  fault(server: string): string | null {
    return standsStill(this.#samples.get(server) ?? [])
  }
}

export function standsStill(samples: readonly CounterSample[]): string | null {
  const first = samples[0]
  const last = samples.at(-1)
  if (first === undefined || last === undefined || samples.length <= STEPS) return null
  const seconds = Math.round((last.atMs - first.atMs) / 1000)
  if (isSame(samples.map(({ cpuSeconds }) => cpuSeconds))) {
    return `its metrics repeat themselves: process_cpu_seconds_total has been ${last.cpuSeconds} for ${seconds} s`
  }
  // What was given in the last step may not be counted yet: answers are counted when they end.
  const before = samples.at(-2)?.sessionBytes ?? null
  if (before === null || first.sessionBytes === null) return null
  const given = before - first.sessionBytes
  if (given < SESSION_BYTES_MIN || !isSame(samples.map(({ sentBytes }) => sentBytes))) return null
  const megabytes = (given / 1e6).toFixed(1)
  return `its counters stand still: ${megabytes} MB went to sessions in ${seconds} s, vitrine_edge_sent_bytes_total did not move`
}

function isSame(values: readonly (number | null)[]): boolean {
  return values.every(value => value !== null && value === values[0])
}
