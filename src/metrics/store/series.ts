// Owns one series: its labels, what of it is in memory, and the rule by which a sample enters.
// It refuses duplicates, conflicts and samples older than the window, each with its reason.
import type { Labels } from '#base'
import { isStale } from '../stale.ts'
import { SampleColumn, type Samples } from './sample-column.ts'
import type { RefusalReason } from './store.ts'

/** Older than the newest sample of the series by more than this is refused (brief of the store: 10 minutes). */
export const OUT_OF_ORDER_WINDOW_MS: number = 10 * 60_000

/** What must be restored when a batch could not be written to the log. */
export interface Placed {
  readonly series: Series
  readonly timeMs: number
  readonly newestBeforeMs: number
  readonly oldestBeforeMs: number
}

export class Series {
  readonly id: number
  readonly labels: Labels
  readonly key: string
  /** What is in memory, ascending. Complete from `memoryFromMs` on. */
  readonly column: SampleColumn = new SampleColumn()
  /** What is in the log and not in SQLite, in the order of arrival. Also in `column`. */
  pending: SampleColumn = new SampleColumn()
  newestMs: number = Number.NEGATIVE_INFINITY
  oldestMs: number = Number.POSITIVE_INFINITY
  sealedNewestMs: number = Number.NEGATIVE_INFINITY
  /** From here on `column` holds every sample; before, SQLite may hold more. */
  memoryFromMs: number = Number.NEGATIVE_INFINITY
  /** True once its definition is in the log or in SQLite. */
  defined = false

  constructor(id: number, labels: Labels, key: string) {
    this.id = id
    this.labels = labels
    this.key = key
  }

  /** Enters one sample, or says why not. `warm` loads the part of the window that only SQLite has. */
  place(timeMs: number, value: number, warm: (series: Series) => void): RefusalReason | null {
    if (timeMs > this.newestMs) {
      this.column.append(timeMs, value)
    } else {
      if (timeMs < this.newestMs - OUT_OF_ORDER_WINDOW_MS) return 'out-of-order'
      if (timeMs < this.memoryFromMs) warm(this)
      const index = this.column.search(timeMs)
      if (index < this.column.length && this.column.time(index) === timeMs) {
        return sameBits(this.column.value(index), value) ? 'duplicate' : 'conflict'
      }
      this.column.insert(index, timeMs, value)
    }
    this.pending.append(timeMs, value)
    if (timeMs > this.newestMs) this.newestMs = timeMs
    if (timeMs < this.oldestMs) this.oldestMs = timeMs
    return null
  }

  /** Enters a sample from the log: it was accepted once, so no rule but that against doubles applies. */
  recover(timeMs: number, value: number): void {
    const index = this.column.search(timeMs)
    if (index < this.column.length && this.column.time(index) === timeMs) return
    this.column.insert(index, timeMs, value)
    this.pending.append(timeMs, value)
    this.newestMs = Math.max(this.newestMs, timeMs)
    this.oldestMs = Math.min(this.oldestMs, timeMs)
  }

  /** Enters what SQLite knows of the series, without its samples. */
  restore(oldestMs: number, newestMs: number): void {
    this.defined = true
    this.oldestMs = oldestMs
    this.newestMs = newestMs
    this.sealedNewestMs = newestMs
    this.memoryFromMs = newestMs + 1
  }

  /** Enters all that SQLite has from `fromMs` on. */
  warm(sealed: Samples, fromMs: number): void {
    for (const [at, timeMs] of sealed.times.entries()) {
      const index = this.column.search(timeMs)
      if (index < this.column.length && this.column.time(index) === timeMs) continue
      this.column.insert(index, timeMs, sealed.values[at] ?? 0)
    }
    this.memoryFromMs = Math.min(this.memoryFromMs, fromMs)
  }

  /** Takes back the last `place` that succeeded. */
  takeBack(placed: Placed): void {
    this.column.remove(this.column.search(placed.timeMs))
    this.pending.remove(this.pending.length - 1)
    this.newestMs = placed.newestBeforeMs
    this.oldestMs = placed.oldestBeforeMs
  }

  /** Drops samples before `cutMs` from memory; the caller knows that SQLite has them. */
  evictBefore(cutMs: number): void {
    let safeMs = cutMs
    const { times } = this.pending.all()
    for (const time of times) if (time < safeMs) safeMs = time
    this.column.dropBefore(safeMs)
    this.memoryFromMs = Math.max(this.memoryFromMs, safeMs)
  }
}

function sameBits(a: number, b: number): boolean {
  return Object.is(a, b) && isStale(a) === isStale(b)
}
