// Owns measuring what the whole fleet sends: the largest sum at one moment, of the last minutes and of each whole hour.
// Hours are asked of the store once each, one at a time, and kept; a page asks for nothing that was asked already.
import { type Clock, type Closable, every, type Log } from '#base'
import type { MetricsStore } from '#metrics'
import { DEMAND_HOURS_KEPT, type DemandBook, type DemandHour, HOUR_MS } from '../state/demand.ts'
import type { Demand } from './carry.ts'

/** Sums are of rates over half a minute, each half minute: a segment's burst is no demand. */
const MOMENT_MS = 30_000
/** An agent that was away for some minutes tells late; its samples belong to the hour. */
const SETTLED_MS = 15 * 60_000
/** A pause between two hours of the past, so that pages and writes come first. */
const TURN_MS = 1000
const TURN_BUDGET_MS = 100
/** An hour that could not be measured is tried again after this. */
const FAILED_MS = 10 * 60_000
const RECENT_MS = 5 * 60_000
const RECENT_STEP_MS = 10_000
const CACHE_MS = 10_000

const SENT = 'rate(vitrine_edge_sent_bytes_total[30s])'
const SUM = `sum(${SENT}) * 8`

export interface DemandKeeperOptions {
  readonly store: MetricsStore
  readonly book: DemandBook
  readonly clock: Clock
  readonly log: Log
  nowMs(this: void): number
}

export interface CurrentDemand {
  /** Of the last five minutes. */
  readonly now: Demand | null
  readonly sentBps: ReadonlyMap<string, number>
}

export class DemandKeeper implements Closable {
  readonly #options: DemandKeeperOptions
  readonly #hours = new Map<number, DemandHour>()
  #current: { readonly atMs: number; readonly answer: Promise<CurrentDemand> } | null = null
  #turns: Closable | null = null
  /** Until then there is nothing to fold. */
  #idleUntilMs = 0

  private constructor(options: DemandKeeperOptions) {
    this.#options = options
  }

  static async open(options: DemandKeeperOptions): Promise<DemandKeeper> {
    const keeper = new DemandKeeper(options)
    for (const hour of await options.book.all()) keeper.#hours.set(hour.at, hour)
    keeper.#turns = every(
      TURN_MS,
      () => keeper.#turn(),
      error => options.log.error('demand-not-kept', { error }),
    )
    return keeper
  }

  /** Oldest first. */
  hours(): DemandHour[] {
    return [...this.#hours.values()].toSorted((a, b) => a.at - b.at)
  }

  /** One answer for all who look within some seconds. */
  current(): Promise<CurrentDemand> {
    const atMs = Math.floor(this.#options.nowMs() / RECENT_STEP_MS) * RECENT_STEP_MS
    if (this.#current === null || Math.abs(atMs - this.#current.atMs) >= CACHE_MS) {
      this.#current = { atMs, answer: this.#measure(atMs) }
    }
    return this.#current.answer
  }

  async #turn(): Promise<void> {
    const { clock, nowMs } = this.#options
    if (nowMs() < this.#idleUntilMs) return
    const startMs = clock.monotonicMs()
    // Set first: an hour that cannot be measured must not be asked for each second.
    this.#idleUntilMs = nowMs() + FAILED_MS
    while (await this.#fold()) {
      if (clock.monotonicMs() - startMs < TURN_BUDGET_MS) continue
      this.#idleUntilMs = 0
      return
    }
  }

  /** The newest settled hour that is not kept yet; true when there was one. */
  async #fold(): Promise<boolean> {
    const { store, book, nowMs } = this.#options
    const last = Math.floor((nowMs() - SETTLED_MS) / HOUR_MS) * HOUR_MS - HOUR_MS
    const oldest = store.stats().oldestMs
    if (oldest === null) return false
    const first = Math.max(last - (DEMAND_HOURS_KEPT - 2) * HOUR_MS, Math.floor(oldest / HOUR_MS) * HOUR_MS)
    for (let at = last; at >= first; at -= HOUR_MS) {
      if (this.#hours.has(at)) continue
      const hour = await this.#hour(at)
      await book.add(hour)
      this.#hours.set(at, hour)
      for (const kept of this.#hours.keys())
        if (kept < last - DEMAND_HOURS_KEPT * HOUR_MS) this.#hours.delete(kept)
      return true
    }
    return false
  }

  async #hour(at: number): Promise<DemandHour> {
    const peaks = await this.#peak(at + MOMENT_MS, at + HOUR_MS, MOMENT_MS)
    return peaks === null
      ? { at, peakBps: 0, peakAt: at, moments: 0 }
      : { at, peakBps: peaks.peakBps, peakAt: peaks.at, moments: peaks.moments }
  }

  async #peak(
    fromMs: number,
    toMs: number,
    stepMs: number,
  ): Promise<(Demand & { readonly moments: number }) | null> {
    const { value } = await this.#options.store.ask({ text: SUM, fromMs, toMs, stepMs })
    const line = value.kind === 'matrix' ? value.items[0] : undefined
    if (line === undefined) return null
    let best: Demand | null = null
    for (const [place, peakBps] of line.values.entries()) {
      const at = line.times[place] ?? fromMs
      if (Number.isFinite(peakBps) && (best === null || peakBps > best.peakBps)) best = { peakBps, at }
    }
    return best === null ? null : { ...best, moments: line.values.length }
  }

  /** A store that cannot answer costs the figures, never the page. */
  async #measure(atMs: number): Promise<CurrentDemand> {
    const { store, log } = this.#options
    try {
      const now = await this.#peak(atMs - RECENT_MS, atMs, RECENT_STEP_MS)
      const text = `sum by (instance) (${SENT}) * 8`
      const { value } = await store.ask({ text, fromMs: atMs, toMs: atMs, stepMs: null })
      const items = value.kind === 'vector' ? value.items : []
      return { now, sentBps: new Map(items.map(item => [item.labels['instance'] ?? '', item.value])) }
    } catch (error) {
      log.warn('demand-missing', { error })
      return { now: null, sentBps: new Map() }
    }
  }

  async close(): Promise<void> {
    await this.#turns?.close()
  }
}
