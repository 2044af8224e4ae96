// Owns writing the rows of one new seal: chunks, and the stamps that several of them share. Layout: docs/reference/metrics-store.md
// It refuses to begin or end a transaction: the caller has one open.
import type Database from 'better-sqlite3'
import { encodeStamps, type PartedChunk, withSharedStamps } from './chunk.ts'
import type { SealRow } from './merge-seals.ts'
import type { Samples } from './sample-column.ts'
import type { SealPiece, Slices } from './seal.ts'
import { SERIES_SPAN } from './sealed-schema.ts'

/** Not yet written; what is in this place is asked for again. */
const UNWRITTEN = -1

export interface KeyedChunk extends PartedChunk {
  /** Equal for chunks that have the same stamps; null when nothing is known of others. */
  readonly stamps: string | null
}

export class SealWriter {
  readonly #id: number
  readonly #place: number
  readonly #insertChunk: Database.Statement<[number, Buffer]>
  readonly #insertStamps: Database.Statement<[number, Buffer]>
  readonly #insertSeal: Database.Statement<number[]>
  /** Stamps that more than one chunk has, and where they stand in this seal. */
  readonly #shared = new Map<string, number>()
  #stampsCount = 0
  #fromMs = Number.POSITIVE_INFINITY
  #toMs = Number.NEGATIVE_INFINITY
  #samples = 0
  #bytes = 0
  #chunks = 0
  #longest = 0

  /** `place` is null for a seal that comes after all others. */
  constructor(db: Database.Database, id: number, place: number | null) {
    this.#id = id
    this.#place = place ?? id
    this.#insertChunk = db.prepare('INSERT INTO chunk VALUES (?, ?)')
    this.#insertStamps = db.prepare('INSERT INTO stamps VALUES (?, ?)')
    this.#insertSeal = db.prepare('INSERT INTO seal VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
  }

  /** Before anything is put: stamps that a single chunk has stay in it. */
  async countStamps(pieces: readonly SealPiece[], slices: Slices): Promise<void> {
    const once = new Set<string>()
    for (const { pending } of pieces) {
      const { stamps } = pending
      if (stamps !== null && once.has(stamps)) this.share(stamps)
      else if (stamps !== null) once.add(stamps)
      if (slices.isOver) await slices.pause()
    }
  }

  share(stamps: string): void {
    if (!this.#shared.has(stamps)) this.#shared.set(stamps, UNWRITTEN)
  }

  put(series: number, { times }: Samples, parted: KeyedChunk): void {
    const reference = this.#reference(parted)
    const chunk = reference === undefined ? parted.chunk : withSharedStamps(parted, reference)
    this.#insertChunk.run(this.#id * SERIES_SPAN + series, chunk)
    this.#fromMs = Math.min(this.#fromMs, times[0] ?? 0)
    this.#toMs = Math.max(this.#toMs, times.at(-1) ?? 0)
    this.#samples += times.length
    this.#bytes += chunk.length
    this.#chunks += 1
    this.#longest = Math.max(this.#longest, times.length)
  }

  /** Where in this seal the stamps of a chunk stand, written now if they were not; undefined when it has its own. */
  #reference(parted: KeyedChunk): number | undefined {
    if (parted.stamps === null) return undefined
    const known = this.#shared.get(parted.stamps)
    if (known !== UNWRITTEN) return known
    const reference = this.#stampsCount
    this.#stampsCount += 1
    this.#shared.set(parted.stamps, reference)
    const stamps = encodeStamps(parted)
    this.#bytes += stamps.length
    this.#insertStamps.run(this.#id * SERIES_SPAN + reference, stamps)
    return reference
  }

  end(): SealRow {
    const row: SealRow = {
      id: this.#id,
      place: this.#place,
      fromMs: this.#fromMs,
      toMs: this.#toMs,
      samples: this.#samples,
      bytes: this.#bytes,
      chunks: this.#chunks,
      longest: this.#longest,
    }
    const { id, place, fromMs, toMs, samples, bytes, chunks, longest } = row
    this.#insertSeal.run(id, fromMs, toMs, samples, bytes, place, chunks, longest)
    return row
  }
}
