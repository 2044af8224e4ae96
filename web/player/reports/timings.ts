// Owns when answers came by the browser's own account (Resource Timing, which edges allow): the page's clock of an
// answer also counts the time in which the page was busy, and that is neither the edge's nor the way's.

const KEPT_MAX = 32
/** The page's clock and the browser's round differently. */
const APART_MS = 5

export interface Timing {
  /** Of performance.now. */
  readonly startMs: number
  readonly firstMs: number
  readonly endMs: number
}

export class Timings {
  readonly #byUrl = new Map<string, Timing>()
  #observer: PerformanceObserver | null = null

  observe(): void {
    if (typeof PerformanceObserver === 'undefined') return
    this.#observer = new PerformanceObserver(list => this.#note(list.getEntries()))
    this.#observer.observe({ type: 'resource' })
  }

  /**
   * Of the request for `url` (no query) that the page wanted at `wantedMs` and had heard all of at `heardMs`: a busy page
   * asks later than it believes. Null: the browser does not say.
   */
  of(url: string, wantedMs: number, heardMs: number): Timing | null {
    if (this.#observer !== null) this.#note(this.#observer.takeRecords())
    const found = this.#byUrl.get(url)
    if (found === undefined) return null
    const isWithin = found.startMs >= wantedMs - APART_MS && found.endMs <= heardMs + APART_MS
    return isWithin ? found : null
  }

  close(): void {
    this.#observer?.disconnect()
  }

  #note(entries: readonly PerformanceEntry[]): void {
    for (const entry of entries) {
      const { name, startTime, responseStart, responseEnd } = entry as PerformanceResourceTiming
      if (!(responseStart > 0 && responseEnd >= responseStart)) continue // not allowed to know
      const url = name.split('?')[0] ?? ''
      this.#byUrl.delete(url)
      this.#byUrl.set(url, { startMs: startTime, firstMs: responseStart, endMs: responseEnd })
      const [oldest] = this.#byUrl.keys()
      if (this.#byUrl.size > KEPT_MAX && oldest !== undefined) this.#byUrl.delete(oldest)
    }
  }
}

/** Since 1970, by a clock that goes on whatever is done to the machine's; `atMs` of performance.now. */
export function sinceEpochMs(atMs: number): number {
  return Math.round(performance.timeOrigin + atMs)
}
