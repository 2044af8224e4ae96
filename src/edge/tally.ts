// Owns the edge's own figures. Plain numbers on the hot path; they become metrics when somebody collects.
import { type Counter, Counters, type Labels, registerProcessMetrics } from '#base'
import type { Totals } from './accounting/totals.ts'
import type { DiskTrouble } from './cache/disk-tier.ts'
import type { CacheResult } from './cache/object-cache.ts'

// From a hit in memory to the deadline of the origin, in seconds.
const FIRST_BYTE_BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** What lies elsewhere and is read at each collection. */
export interface TallySources {
  readonly totals: Totals
  /** When all totals were zero, in seconds since 1970. */
  readonly sinceS: () => number
  readonly sessions: () => number
  readonly upstreamBytes: () => number
  readonly upstreamFailures: () => number
  readonly memoryBytes: () => number
  readonly diskBytes: () => number
  /** Why the cache's last write failed; null: it did not. */
  readonly diskTrouble: () => DiskTrouble | null
  readonly connections: () => number
  readonly tableAgeS: () => number | null
  /** Totals that are kept where the thing happens, by reason. */
  readonly dropped: () => Readonly<Record<DropReason, number>>
}

type DropReason =
  | 'connection-refused'
  | 'slow-reader'
  | 'session-evicted'
  | 'session-doubted'
  | 'disk-write-skipped'
  | 'disk-write-failed'
  | 'disk-file-broken'
  | 'cmcd-malformed'
  | 'access-log-line'

export class Tally {
  readonly counters: Counters = new Counters()
  cmcdMalformed = 0
  /** Bodies sent to the fleet's own probes. */
  probeBytes = 0
  readonly #cache = new Map<CacheResult, number>()
  readonly #observeFirstByte: (seconds: number) => void

  constructor() {
    const histogram = this.counters.histogram(
      'vitrine_edge_first_byte_seconds',
      'From a request for media to the first byte of its answer. When it rises, look at the hit ratio, then at the origin.',
      FIRST_BYTE_BOUNDS,
    )
    this.#observeFirstByte = seconds => histogram.observe(seconds)
    registerProcessMetrics(this.counters, 'edge')
  }

  cache(result: CacheResult): void {
    this.#cache.set(result, (this.#cache.get(result) ?? 0) + 1)
  }

  firstByte(ms: number): void {
    this.#observeFirstByte(ms / 1000)
  }

  /** Registers what is read at each collection. Once. */
  connect(sources: TallySources): void {
    this.#countersOf(sources)
    this.#gaugesOf(sources)
  }

  #countersOf(sources: TallySources): void {
    const { counters } = this
    const requests = counters.counter(
      'vitrine_edge_requests_total',
      'Answers by kind, status and class of title; kind `internal` is our own agents and probes. Many 5xx: look at vitrine_edge_upstream_failures_total.',
    )
    const sent = counters.counter(
      'vitrine_edge_sent_bytes_total',
      'Body bytes sent to viewers by class of title, counted when an answer ends. Flat under traffic: the edge is frozen.',
    )
    const received = counters.counter(
      'vitrine_edge_upstream_bytes_total',
      'Body bytes fetched from the origin. Near the bytes sent: the cache is too small.',
    )
    const cache = counters.counter(
      'vitrine_edge_cache_requests_total',
      'Requests for media by how they were answered. `stale` means that the origin is away.',
    )
    const failures = counters.counter(
      'vitrine_edge_upstream_failures_total',
      'Fetches from the origin that failed. Check that the origin runs and knows this edge.',
    )
    const dropped = counters.counter(
      'vitrine_edge_dropped_total',
      'What was refused or given up because of a limit or a fault, by reason; each should stay flat.',
    )
    counters.beforeCollect(() => {
      this.#flush(this.#cache, (result, value) => cache.add(value, { result }))
    })
    const probed = counters.counter(
      'vitrine_edge_probe_bytes_total',
      'Body bytes sent to probes of the fleet; neither viewers nor the ledger count them. Bounded by the probe budget.',
    )
    const follow = (add: (delta: number) => void, read: () => number): void => {
      let told = 0
      counters.beforeCollect(() => {
        const now = read()
        add(now - told)
        told = now
      })
    }
    this.#followTotals(sources.totals, requests, sent)
    follow(received.add, sources.upstreamBytes)
    follow(probed.add, () => this.probeBytes)
    follow(failures.add, sources.upstreamFailures)
    for (const reason of Object.keys(sources.dropped()) as DropReason[]) {
      follow(
        delta => dropped.add(delta, { reason }),
        () => sources.dropped()[reason],
      )
    }
  }

  #followTotals(totals: Totals, requests: Counter, sent: Counter): void {
    const told = new Map<string, number>()
    const tell = (counter: Counter, labels: Labels, value: number): void => {
      const key = Object.values(labels).join(' ')
      counter.add(value - (told.get(key) ?? 0), labels)
      told.set(key, value)
    }
    this.counters.beforeCollect(() => {
      for (const [labels, value] of totals.requests()) tell(requests, labels, value)
      for (const [titleClass, value] of totals.bytes()) tell(sent, { class: titleClass }, value)
    })
  }

  #gaugesOf(sources: TallySources): void {
    const { counters } = this
    const bytes = counters.gauge(
      'vitrine_edge_cache_bytes',
      'Bytes in each tier of the cache; it grows to its limit and stays there.',
    )
    const trouble = counters.gauge(
      'vitrine_edge_cache_disk_failing',
      'Whether the disk of the cache takes nothing, and why: full (no room or quota) or error. What is not in memory comes from the origin again.',
    )
    const sessions = counters.gauge('vitrine_edge_sessions', 'Sessions that this edge fed in the last 30 s.')
    const connections = counters.gauge(
      'vitrine_edge_connections',
      'Open connections of viewers. Near viewersMax: add an edge.',
    )
    const age = counters.gauge(
      'vitrine_edge_steering_table_age_seconds',
      'Age of the steering table. Above 30 s: the control room is away, and own probes have a say.',
    )
    const since = counters.gauge(
      'vitrine_edge_counting_since_seconds',
      'When requests and sent bytes were zero, in seconds since 1970: the first start since the host booted.',
    )
    counters.beforeCollect(() => {
      since.set(sources.sinceS())
      bytes.set(sources.memoryBytes(), { tier: 'memory' })
      bytes.set(sources.diskBytes(), { tier: 'disk' })
      for (const why of ['full', 'error'] as const)
        trouble.set(sources.diskTrouble() === why ? 1 : 0, { why })
      sessions.set(sources.sessions())
      connections.set(sources.connections())
      const ageS = sources.tableAgeS()
      if (ageS === null) age.remove()
      else age.set(ageS)
    })
  }

  #flush<Key>(counts: Map<Key, number>, add: (key: Key, value: number) => void): void {
    for (const [key, value] of counts) if (value > 0) add(key, value)
    for (const key of counts.keys()) counts.set(key, 0)
  }
}
