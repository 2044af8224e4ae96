// Owns reading what PackWriter wrote.
import { TAG } from './pack-tags.ts'

const COLUMNS_MAX = 16
const VARINT_SMALL_BITS = 28
const SMALL = 0x7fff_ffff

export class PackReader {
  #bytes: Buffer = Buffer.alloc(0)
  #at = 0
  #tenths = 0
  readonly #before = new Float64Array(COLUMNS_MAX)

  begin(bytes: Buffer): void {
    this.#bytes = bytes
    this.#at = 0
  }

  number(): number {
    return this.#value(0)
  }

  text(): string | null {
    const length = this.number() - 1
    if (length < 0) return null
    const from = this.#at
    this.#at += length
    return this.#bytes.toString('utf8', from, this.#at)
  }

  rows(width: number): number[] {
    const length = this.number()
    const list: number[] = []
    const before = this.#before
    before.fill(0)
    let column = 0
    for (let at = 0; at < length; at += 1) {
      list.push(this.#value(before[column] ?? 0))
      before[column] = this.#tenths
      column += 1
      if (column === width) column = 0
    }
    return list
  }

  #value(before: number): number {
    const read = this.#varint()
    this.#tenths = before
    if (read <= SMALL) return this.#small(read | 0, before)
    const tag = read % 4
    const folded = (read - tag) / 4
    const steps = folded % 2 === 1 ? -(folded + 1) / 2 : folded / 2
    this.#tenths = before + (tag === TAG.whole ? steps * 10 : steps)
    return this.#tenths / 10
  }

  /** As above, in whole numbers of 31 bits: the remainder of doubles is many times as slow. */
  #small(read: number, before: number): number {
    const tag = read & 3
    if (tag === TAG.nothing) return Number.NaN
    if (tag === TAG.raw) {
      const value = this.#bytes.readDoubleLE(this.#at)
      this.#at += 8
      return value
    }
    const folded = read >>> 2
    const steps = (folded & 1) === 1 ? -((folded + 1) >>> 1) : folded >>> 1
    this.#tenths = before + (tag === TAG.whole ? steps * 10 : steps)
    return this.#tenths / 10
  }

  #varint(): number {
    const bytes = this.#bytes
    let byte = bytes[this.#at++] ?? 0
    if (byte < 128) return byte
    let value = byte & 127
    for (let bits = 7; bits < VARINT_SMALL_BITS; bits += 7) {
      byte = bytes[this.#at++] ?? 0
      value |= (byte & 127) << bits
      if (byte < 128) return value
    }
    for (let times = 2 ** VARINT_SMALL_BITS; ; times *= 128) {
      byte = bytes[this.#at++] ?? 0
      value += (byte & 127) * times
      if (byte < 128) return value
    }
  }
}
