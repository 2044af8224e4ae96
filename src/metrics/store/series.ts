// Owns one series: its labels, and what of it is in memory: an open column, chunks, and late arrivals.
// It refuses nothing; the store decides what enters.
import type { Labels } from '#base'
import { METRIC_NAME, withoutLabels } from '../labels.ts'
import { encodeChunk, encodeParted } from './chunk.ts'
import { type ChunkSlab, NO_CHUNK } from './chunk-slab.ts'
import type { Column } from './column.ts'
import { sortSamples } from './merge-samples.ts'
import { NO_SLOT, OPEN_SAMPLES, type OpenColumns } from './open-columns.ts'
import { NO_SAMPLES, SampleBuffer, type Samples, within } from './sample-column.ts'
import type { KeyedChunk } from './seal-writer.ts'

/** Older than the newest sample of the series by more than this is refused (brief of the store: 10 minutes). */
export const OUT_OF_ORDER_WINDOW_MS: number = 10 * 60_000

/** Samples in one chunk in memory, at most: more pack hardly better. */
const PIECE_SAMPLES = 480

const NAME: ReadonlySet<string> = new Set([METRIC_NAME])

/** Where samples of all series live. */
export interface Memory {
  readonly slab: ChunkSlab
  readonly open: OpenColumns
}

/** All samples of one series that SQLite does not have, as one chunk. */
export interface PendingChunk extends KeyedChunk {
  readonly samples: Samples
  readonly reference: number
}

/** For decoding; shared, because nothing stays in it between two calls. */
const gathered: SampleBuffer = new SampleBuffer()
/** For `newest`, likewise. */
const only: Samples = { times: new Float64Array(1), values: new Float64Array(1) }
/** A full column, on its way into a chunk. */
const column: Samples = {
  times: new Float64Array(OPEN_SAMPLES),
  values: new Float64Array(OPEN_SAMPLES),
}

export class Series {
  readonly id: number
  readonly labels: Labels
  readonly key: string
  /** Against whom it counts: who wrote its first sample, after a start its `instance`; null for nobody. */
  sender: string | null = null
  newestMs: number = Number.NEGATIVE_INFINITY
  oldestMs: number = Number.POSITIVE_INFINITY
  sealedNewestMs: number = Number.NEGATIVE_INFINITY
  /** From here on memory holds every sample; before, SQLite may hold more. */
  memoryFromMs: number = Number.NEGATIVE_INFINITY
  /** True once its definition is in the log or in SQLite. */
  defined = false
  /** Its labels in JSON, for the log; null when they have not been written so yet, or are not needed any more. */
  definition: string | null = null
  /** Grows when samples came or went elsewhere than at the end: what was kept of it does not hold any more. */
  epoch = 0
  /** What was decoded for queries; the cache of columns sets it. */
  column: Column | null = null
  #unnamed: Labels | null = null
  #memory: Memory
  #slot = NO_SLOT
  #count = 0
  /** The newest chunk in memory; each names the one before. */
  #lastChunk = NO_CHUNK
  /** Chunks from this reference on are in the log alone. */
  #pendingFrom = 0
  #late: { times: number[]; values: number[] } | null = null

  constructor(id: number, labels: Labels, key: string, memory: Memory) {
    this.id = id
    this.labels = labels
    this.key = key
    this.#memory = memory
  }

  /** Kept here: a table from labels to these, of a hundred thousand series, costs the collector more than they do. */
  get unnamed(): Labels {
    this.#unnamed ??= withoutLabels(this.labels, NAME)
    return this.#unnamed
  }

  get hasLate(): boolean {
    return this.#late !== null
  }

  get hasPending(): boolean {
    return this.#count > 0 || this.#late !== null || this.#lastChunk >= this.#pendingFrom
  }

  /** The caller has made sure that `timeMs` is after all that was appended before. */
  append(timeMs: number, value: number): void {
    const { open } = this.#memory
    if (this.#slot === NO_SLOT) {
      this.#slot = open.take()
      // Later ones are after a sample that has been here.
      if (timeMs < this.oldestMs) this.oldestMs = timeMs
    } else if (this.#count === OPEN_SAMPLES) this.#closeColumn()
    open.put(this.#slot, this.#count, timeMs, value)
    this.#count += 1
  }

  /** Touches the place of the next sample. */
  peek(): number {
    return this.#memory.open.peek(this.#slot, this.#count)
  }

  /** A sample that is older than the newest one. */
  appendLate(timeMs: number, value: number): void {
    this.epoch += 1
    this.#late ??= { times: [], values: [] }
    this.#late.times.push(timeMs)
    this.#late.values.push(value)
    if (timeMs < this.oldestMs) this.oldestMs = timeMs
    this.column?.cut(timeMs)
  }

  /** The value at exactly this time, as far as memory knows. */
  valueAt(timeMs: number): number | undefined {
    const { times, values } = this.between(timeMs, timeMs)
    return times.length === 0 ? undefined : values[0]
  }

  /** Copies of what is in memory with `fromMs <= time <= toMs`, ascending. */
  between(fromMs: number, toMs: number): Samples {
    const { slab } = this.#memory
    const wanted: number[] = []
    let reference = this.#lastChunk
    for (let head = slab.head(reference); head !== null; head = slab.head(reference)) {
      if (head.lastMs >= fromMs && head.firstMs <= toMs) wanted.push(reference)
      // Chunks may overlap where samples came late, so that one that ends early does not end the walk.
      if (head.lastMs < fromMs - OUT_OF_ORDER_WINDOW_MS * 2) break
      reference = head.previous
    }
    return within(this.#gather(wanted.reverse()), fromMs, toMs)
  }

  /** The same without a copy: valid until any series is read again. */
  glance(fromMs: number, toMs: number): Samples {
    if (this.#late !== null) return this.between(fromMs, toMs)
    const { slab } = this.#memory
    const wanted: number[] = []
    let reference = this.#lastChunk
    const openFromMs = this.#count > 0 ? this.#memory.open.peek(this.#slot, 0) : Number.POSITIVE_INFINITY
    if (openFromMs > fromMs) {
      for (let head = slab.head(reference); head !== null; head = slab.head(reference)) {
        if (head.lastMs >= fromMs && head.firstMs <= toMs) wanted.push(reference)
        if (head.lastMs < fromMs - OUT_OF_ORDER_WINDOW_MS * 2) break
        reference = head.previous
      }
    }
    this.#fill(wanted.reverse())
    return gathered.window(fromMs, toMs) ?? this.between(fromMs, toMs)
  }

  /** The newest sample with `fromMs <= time <= toMs`, likewise; null when it is not sure to lie in the open column. */
  newest(fromMs: number, toMs: number): Samples | null {
    if (this.#late !== null) return null
    const { open } = this.#memory
    for (let at = this.#count - 1; at >= 0; at -= 1) {
      const timeMs = open.peek(this.#slot, at)
      if (timeMs > toMs) continue
      if (timeMs < fromMs) return NO_SAMPLES
      open.readOne(this.#slot, at, only)
      return only
    }
    return null
  }

  /** Samples with `afterMs < time <= toMs`, without a copy; quick where they are the newest few. */
  after(afterMs: number, toMs: number): Samples {
    const { open, slab } = this.#memory
    if (this.#late !== null) return this.between(afterMs + 1, toMs)
    let from = this.#count
    while (from > 0 && open.peek(this.#slot, from - 1) > afterMs) from -= 1
    let end = from
    while (end < this.#count && open.peek(this.#slot, end) <= toMs) end += 1
    const isInColumn = from > 0 || (slab.head(this.#lastChunk)?.lastMs ?? 0) <= afterMs
    if (!isInColumn) return this.glance(afterMs + 1, toMs)
    if (end === from) return NO_SAMPLES
    if (end === from + 1) {
      open.readOne(this.#slot, from, only)
      return only
    }
    return this.glance(afterMs + 1, toMs)
  }

  /** The same of what SQLite does not have. */
  pendingBetween(fromMs: number, toMs: number): Samples {
    if (!this.hasPending) return NO_SAMPLES
    return within(this.#gather(this.#pendingChunks().references), fromMs, toMs)
  }

  /** Oldest first, with the newest chunk before them. */
  #pendingChunks(): { references: number[]; before: number } {
    const references: number[] = []
    let reference = this.#lastChunk
    while (reference >= this.#pendingFrom && reference !== NO_CHUNK) {
      references.push(reference)
      reference = this.#memory.slab.head(reference)?.previous ?? NO_CHUNK
    }
    return { references: references.reverse(), before: reference }
  }

  /** A copy of these chunks, the open column and late arrivals; of two samples at one instant the first stays. */
  #gather(references: readonly number[]): Samples {
    this.#fill(references)
    if (this.#late !== null) gathered.add(lateSamples(this.#late))
    const samples = gathered.copy()
    return isAscending(samples.times) ? samples : sortSamples(samples)
  }

  #fill(references: readonly number[]): void {
    gathered.clear()
    for (const reference of references) this.#memory.slab.read(reference, gathered)
    if (this.#count === 0) return
    const from = gathered.reserve(this.#count)
    this.#memory.open.read(this.#slot, this.#count, gathered.times, gathered.values, from)
  }

  /** Enters what SQLite knows of the series, without its samples. */
  restore(oldestMs: number, newestMs: number): void {
    this.defined = true
    this.oldestMs = oldestMs
    this.newestMs = newestMs
    this.sealedNewestMs = newestMs
    this.memoryFromMs = newestMs + 1
  }

  /** Joins all that SQLite does not have into one chunk. It stays pending until `sealed` is called. */
  takePending(): PendingChunk | null {
    if (!this.hasPending) {
      this.#release()
      return null
    }
    const { references, before } = this.#pendingChunks()
    const samples = this.#gather(references)
    const parted = encodeParted(samples)
    this.#count = 0
    this.#late = null
    this.#lastChunk =
      samples.times.length > PIECE_SAMPLES
        ? this.#putPieces(samples, before)
        : this.#put(parted.chunk, samples, before)
    const stamps = parted.chunk.toString('latin1', 1, parted.stampsTo)
    return { ...parted, stamps, samples, reference: this.#lastChunk }
  }

  /** SQLite has what `takePending` gave. */
  sealed(pending: PendingChunk): void {
    this.#pendingFrom = pending.reference + 1
    this.sealedNewestMs = Math.max(this.sealedNewestMs, pending.samples.times.at(-1) ?? 0)
  }

  /** SQLite has more of it than before, from `oldestMs` to `newestMs`. */
  restored(oldestMs: number, newestMs: number): void {
    this.epoch += 1
    this.defined = true
    this.oldestMs = Math.min(this.oldestMs, oldestMs)
    this.newestMs = Math.max(this.newestMs, newestMs)
    this.sealedNewestMs = Math.max(this.sealedNewestMs, newestMs)
    // Up to there SQLite has to be asked as well.
    this.memoryFromMs = Math.max(this.memoryFromMs, newestMs + 1)
    this.column = null
  }

  /** SQLite has all of it, within `span`: memory is forgotten. */
  leaveToDisk(span: { readonly oldestMs: number; readonly newestMs: number }): void {
    this.forget()
    this.restore(span.oldestMs, span.newestMs)
  }

  /** Gives its slot back; what is in memory is forgotten. */
  forget(): void {
    this.epoch += 1
    this.#count = 0
    this.#late = null
    this.#lastChunk = NO_CHUNK
    this.column = null
    this.#release()
  }

  /** Chunks before `cutMs` may be gone from memory: SQLite has them. */
  evicted(cutMs: number): void {
    if (cutMs > this.memoryFromMs) this.memoryFromMs = cutMs
  }

  #release(): void {
    if (this.#slot !== NO_SLOT) this.#memory.open.give(this.#slot)
    this.#slot = NO_SLOT
  }

  #closeColumn(): void {
    this.#memory.open.read(this.#slot, OPEN_SAMPLES, column.times, column.values, 0)
    this.#lastChunk = this.#put(encodeChunk(column), column, this.#lastChunk)
    this.#count = 0
  }

  /** A look at the newest samples should not have to read hours of them. */
  #putPieces({ times, values }: Samples, before: number): number {
    let previous = before
    for (let from = 0; from < times.length; from += PIECE_SAMPLES) {
      const to = from + PIECE_SAMPLES
      const piece = { times: times.slice(from, to), values: values.slice(from, to) }
      previous = this.#put(encodeChunk(piece), piece, previous)
    }
    return previous
  }

  #put(chunk: Buffer, { times }: Samples, previous: number): number {
    const firstMs = times[0] ?? 0
    return this.#memory.slab.put(chunk, { previous, firstMs, lastMs: times.at(-1) ?? 0 })
  }
}

function lateSamples({ times, values }: { times: number[]; values: number[] }): Samples {
  return sortSamples({ times: Float64Array.from(times), values: Float64Array.from(values) })
}

function isAscending(times: Float64Array): boolean {
  for (let at = 1; at < times.length; at += 1) if ((times[at] ?? 0) <= (times[at - 1] ?? 0)) return false
  return true
}
