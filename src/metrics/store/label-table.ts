// Owns the pairs of label name and value that series in SQLite share: each stands there once, series name them by number.
// It refuses to keep what a transaction that was rolled back had given numbers to.
import type Database from 'better-sqlite3'
import type { Labels } from '#base'
import { ByteReader, ByteWriter } from './chunk-bytes.ts'

interface Pair {
  readonly id: number
  readonly name: string
  readonly value: string
}

/** A pair is a varint of at most five bytes. */
const PAIR_BYTES = 5

export const LABEL_SCHEMA =
  'CREATE TABLE label (id INTEGER PRIMARY KEY, name TEXT NOT NULL, value TEXT NOT NULL);'

export class LabelTable {
  readonly #db: Database.Database
  readonly #insert: Database.Statement<[number, string, string]>
  readonly #writer = new ByteWriter()
  readonly #reader = new ByteReader()
  #ids = new Map<string, Map<string, number>>()
  #pairs: (Pair | undefined)[] = []
  #isUsed = new Uint8Array(0)

  constructor(db: Database.Database) {
    this.#db = db
    this.#insert = db.prepare('INSERT INTO label VALUES (?, ?, ?)')
    this.reload()
  }

  /** After a transaction was rolled back. */
  reload(): void {
    this.#ids = new Map()
    this.#pairs = []
    const rows = this.#db.prepare<[], Pair>('SELECT id, name, value FROM label ORDER BY id').all()
    for (const pair of rows) this.#enter(pair)
    this.#isUsed = new Uint8Array(this.#pairs.length)
  }

  /** The numbers of the pairs, in the order of the labels. Inside a transaction of the caller's. */
  encode(labels: Labels): Buffer {
    const names = Object.keys(labels)
    this.#writer.reset(Math.ceil((names.length * PAIR_BYTES) / 40))
    for (const name of names) this.#writer.varint(this.#idOf(name, labels[name] ?? ''))
    const bytes = Buffer.allocUnsafe(this.#writer.length)
    this.#writer.copyTo(bytes)
    return bytes
  }

  /** Null when it names a pair that is not there: the row is damaged. */
  decode(bytes: Buffer): Labels | null {
    const labels: Record<string, string> = {}
    this.#reader.reset(bytes, EMPTY_VIEW, 0)
    while (this.#reader.at < bytes.length) {
      const pair = this.#pairs[this.#reader.varint()]
      if (pair === undefined) return null
      this.#isUsed[pair.id] = 1
      if (pair.name === '__proto__') {
        Object.defineProperty(labels, pair.name, {
          value: pair.value,
          enumerable: true,
          writable: true,
          configurable: true,
        })
      } else labels[pair.name] = pair.value
    }
    return labels
  }

  /** Removes the pairs that nothing which was decoded until now has named; for once all series have been read. */
  dropUnused(): void {
    const unused = this.#pairs.filter(pair => pair !== undefined && this.#isUsed[pair.id] !== 1)
    if (unused.length === 0) return
    const remove = this.#db.prepare<[number]>('DELETE FROM label WHERE id = ?')
    this.#db.transaction(() => {
      for (const pair of unused) if (pair !== undefined) remove.run(pair.id)
    })()
    this.reload()
  }

  #idOf(name: string, value: string): number {
    const known = this.#ids.get(name)?.get(value)
    if (known !== undefined) return known
    const id = this.#pairs.length
    this.#insert.run(id, name, value)
    this.#enter({ id, name, value })
    return id
  }

  #enter(pair: Pair): void {
    let values = this.#ids.get(pair.name)
    if (values === undefined) this.#ids.set(pair.name, (values = new Map()))
    values.set(pair.value, pair.id)
    this.#pairs[pair.id] = pair
  }
}

const EMPTY_VIEW = new DataView(new ArrayBuffer(0))
