// Owns the cursors over a chunk's bytes. It refuses nothing: reading past the end gives zeros, and checksums find damage.

export class ByteWriter {
  #bytes = new Uint8Array(16 * 1024)
  length = 0

  /** Starts anew, with room for `samples` of any kind: 40 bytes a sample are more than any form takes. */
  reset(samples: number): void {
    this.length = 0
    const room = 256 + samples * 40
    if (this.#bytes.length < room) this.#bytes = new Uint8Array(room * 2)
  }

  byte(value: number): void {
    this.#bytes[this.length++] = value
  }

  /** Whole numbers from 0 to 2^53. */
  varint(value: number): void {
    let rest = value
    while (rest >= 128) {
      this.#bytes[this.length++] = (rest % 128) | 128
      rest = Math.floor(rest / 128)
    }
    this.#bytes[this.length++] = rest
  }

  zigzag(value: number): void {
    this.varint(value >= 0 ? value * 2 : value * -2 - 1)
  }

  copyTo(target: Uint8Array): void {
    target.set(this.#bytes.subarray(0, this.length))
  }
}

/** Kept between chunks: making views costs more than reading a small chunk. */
export class ByteReader {
  #bytes: Uint8Array = new Uint8Array(0)
  #view: DataView = new DataView(new ArrayBuffer(0))
  at = 0

  /** `view` is on the same bytes. */
  reset(bytes: Uint8Array, view: DataView, at: number): void {
    this.#bytes = bytes
    this.#view = view
    this.at = at
  }

  byte(): number {
    return this.#bytes[this.at++] ?? 0
  }

  skip(bytes: number): void {
    this.at += bytes
  }

  varint(): number {
    let value = 0
    for (let factor = 1; factor <= 2 ** 49; factor *= 128) {
      const byte = this.#bytes[this.at++] ?? 0
      value += (byte & 127) * factor
      if (byte < 128) break
    }
    return value
  }

  zigzag(): number {
    const code = this.varint()
    return code % 2 === 0 ? code / 2 : -(code + 1) / 2
  }

  bytes(): Uint8Array {
    return this.#bytes
  }

  view(): DataView {
    return this.#view
  }
}
