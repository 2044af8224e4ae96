// Owns writing numbers and texts as few bytes, without losing anything: numbers as the difference to the one before in
// their column where they are whole or have one decimal, as they are where they have more.
import { TAG, TENTHS_MAX } from './pack-tags.ts'

const FIRST_BYTES = 16 * 1024
const COLUMNS_MAX = 16
const BYTES_OF_NUMBER_MAX = 9
const UTF8_BYTES_MAX = 3
const SMALL = 0x7fff_ffff

export class PackWriter {
  #bytes: Buffer = Buffer.allocUnsafe(FIRST_BYTES)
  #at = 0
  readonly #before = new Float64Array(COLUMNS_MAX)

  /** From the beginning again; what `done` gave before is overwritten. */
  begin(): void {
    this.#at = 0
  }

  /** A view of what was written, until the next `begin`. */
  done(): Buffer {
    return this.#bytes.subarray(0, this.#at)
  }

  number(value: number): void {
    this.#room(BYTES_OF_NUMBER_MAX)
    this.#value(value, 0)
  }

  text(text: string | null): void {
    if (text === null) {
      this.number(0)
      return
    }
    this.#room(BYTES_OF_NUMBER_MAX + text.length * UTF8_BYTES_MAX)
    const bytes = Buffer.byteLength(text)
    this.#varint(8 * (bytes + 1))
    this.#at += this.#bytes.write(text, this.#at)
  }

  /** Rows of `width` numbers each. */
  rows(list: readonly number[], width: number): void {
    this.#room((list.length + 1) * BYTES_OF_NUMBER_MAX)
    this.#value(list.length, 0)
    const before = this.#before
    before.fill(0)
    let column = 0
    for (const value of list) {
      before[column] = this.#value(value, before[column] ?? 0)
      column += 1
      if (column === width) column = 0
    }
  }

  /** Gives what the next one of its column is the difference to. */
  #value(value: number, before: number): number {
    const tenths = Math.round(value * 10)
    if (tenths / 10 === value && Math.abs(tenths) < TENTHS_MAX) {
      const more = tenths - before
      // The remainder of doubles is many times as slow.
      const tenth = more / 10
      const isWhole = Math.floor(tenth) === tenth
      const steps = isWhole ? tenth : more
      const folded = steps < 0 ? -2 * steps - 1 : 2 * steps
      this.#varint(folded * 4 + (isWhole ? TAG.whole : TAG.tenths))
      return tenths
    }
    if (Number.isNaN(value)) {
      this.#varint(TAG.nothing)
      return before
    }
    this.#varint(TAG.raw)
    this.#at = this.#bytes.writeDoubleLE(value, this.#at)
    return before
  }

  #varint(value: number): void {
    const bytes = this.#bytes
    let rest = value
    while (rest > SMALL) {
      bytes[this.#at++] = (rest % 128) | 128
      rest = Math.floor(rest / 128)
    }
    let small = rest | 0
    while (small > 127) {
      bytes[this.#at++] = (small & 127) | 128
      small >>>= 7
    }
    bytes[this.#at++] = small
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(2 * (this.#bytes.length + bytes))
    this.#bytes.copy(larger, 0, 0, this.#at)
    this.#bytes = larger
  }
}
