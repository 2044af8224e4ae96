// Owns reading a snapshot series by series, and checking first that all of it can be read.
// It refuses a folder that is no snapshot of this format, and one of which a single byte is damaged.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { Fault, type Labels, messageOf } from '#base'
import { metricsFaults } from '../faults.ts'
import { decodeChunk, decodeStamps } from './chunk.ts'
import { LabelTable } from './label-table.ts'
import { mergeSamples } from './merge-samples.ts'
import type { Samples } from './sample-column.ts'
import type { Slices } from './seal.ts'
import { FORMAT, readMeta, SERIES_SPAN } from './sealed-schema.ts'
import { manifestProblem } from './snapshot-manifest.ts'

export interface SnapshotSeries {
  readonly id: number
  readonly labels: Labels
  readonly samples: Samples
}

export class SnapshotReader {
  readonly file: string
  readonly #folder: string
  readonly db: Database.Database
  readonly #labels: LabelTable
  readonly #seals: readonly number[]
  readonly #rows: readonly { readonly id: number; readonly labels: Buffer }[]
  readonly #chunk: Database.Statement<[number], Buffer>
  readonly #stamps: Database.Statement<[number], Buffer>

  /** Throws metrics-snapshot-unknown where there is none, metrics-snapshot-damaged where it is no whole store. */
  constructor(folder: string) {
    this.#folder = folder
    this.file = join(folder, 'chunks.db')
    if (!existsSync(this.file)) {
      throw metricsFaults.fault('metrics-snapshot-unknown', `${folder}: there is no snapshot`)
    }
    this.db = this.#reading(() => new Database(this.file, { readonly: true }))
    try {
      const format = this.#reading(() => readMeta(this.db, 'format'))
      if (format !== FORMAT) throw this.#damaged(`expected format ${FORMAT}, got ${format}`)
      this.#labels = this.#reading(() => new LabelTable(this.db))
      this.#seals = this.#reading(() =>
        this.db.prepare<[], number>('SELECT id FROM seal ORDER BY place').pluck().all(),
      )
      this.#rows = this.#reading(() =>
        this.db
          .prepare<[], { id: number; labels: Buffer }>('SELECT id, labels FROM series ORDER BY id')
          .all(),
      )
      this.#chunk = this.#reading(() =>
        this.db.prepare<[number], Buffer>('SELECT data FROM chunk WHERE id = ?').pluck(),
      )
      this.#stamps = this.#reading(() =>
        this.db.prepare<[number], Buffer>('SELECT data FROM stamps WHERE id = ?').pluck(),
      )
    } catch (error) {
      this.db.close()
      throw error
    }
  }

  get size(): number {
    return this.#rows.length
  }

  /** Each series with all of its samples. */
  *all(): Iterable<SnapshotSeries> {
    for (const { id, labels: bytes } of this.#rows) {
      const labels = this.#reading(() => this.#labels.decode(bytes))
      if (labels === null) throw this.#damaged(`series ${id} has labels that are not there`)
      yield { id, labels, samples: mergeSamples(this.#samplesOf(id)) }
    }
  }

  /** Reads everything once, in slices; each series that was read is told. */
  async check(slices: Slices, told: () => void): Promise<void> {
    const problem = await manifestProblem(this.#folder)
    if (problem !== null) throw this.#damaged(problem)
    const chunks = this.#reading(() =>
      this.db.prepare<[], number>('SELECT coalesce(sum(chunks), 0) FROM seal').pluck().get(),
    )
    let found = 0
    for (const { id } of this.#rows) {
      found += this.#samplesOf(id).length
      told()
      if (slices.isOver) await slices.pause()
    }
    // Those of a series that is gone are counted too, and are none of ours.
    if (found > (chunks ?? 0)) throw this.#damaged(`expected ${chunks} chunks, got ${found}`)
  }

  close(): void {
    this.db.close()
  }

  #samplesOf(series: number): Samples[] {
    return this.#seals.flatMap(seal => {
      const data = this.#reading(() => this.#chunk.get(seal * SERIES_SPAN + series))
      if (data === undefined) return []
      const samples = decodeChunk(data, reference => this.#stampsAt(seal * SERIES_SPAN + reference))
      if (samples === null) throw this.#damaged(`the chunk of series ${series} in seal ${seal} is damaged`)
      return [samples]
    })
  }

  #stampsAt(id: number): Float64Array | null {
    const data = this.#reading(() => this.#stamps.get(id))
    return data === undefined ? null : decodeStamps(data)
  }

  /** What SQLite finds wrong is damage too. */
  #reading<Result>(read: () => Result): Result {
    try {
      return read()
    } catch (error) {
      if (error instanceof Fault) throw error
      throw this.#damaged(messageOf(error))
    }
  }

  #damaged(problem: string): Fault {
    return metricsFaults.fault('metrics-snapshot-damaged', `${this.file}: ${problem}; nothing was changed`)
  }
}
