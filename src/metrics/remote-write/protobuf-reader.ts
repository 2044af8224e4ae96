// Owns reading the protobuf wire format with a cursor. It refuses whatever runs past its message, naming field and offset.
// See https://protobuf.dev/programming-guides/encoding/

const MESSAGE_SHOWN = 'expected wire type'

/** A cursor over one message; sub-messages are read in place, between `enter` and `within`. */
export class ProtobufReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #fault: (message: string) => Error
  #at = 0
  /** End of the innermost message that was entered; nothing may be read past it. */
  #end: number

  constructor(bytes: Uint8Array, fault: (message: string) => Error) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#fault = fault
    this.#end = bytes.length
  }

  at(): number {
    return this.#at
  }

  done(): boolean {
    this.#end = this.#bytes.length
    return this.#at >= this.#bytes.length
  }

  /** True while the cursor stands before `end`, the end of the message that is being read. */
  within(end: number, where: string): boolean {
    if (this.#at > end) throw this.#wrong(where, 'ends inside a field')
    this.#end = end
    return this.#at < end
  }

  /** Reads a length and gives the end of the sub-message. */
  enter(wireType: number, where: string): number {
    this.#expect(wireType, 2, where)
    const length = this.varint(where)
    const end = this.#at + length
    if (end > this.#end)
      throw this.#wrong(where, `expected at most ${this.#end - this.#at} bytes, got ${length}`)
    this.#end = end
    return end
  }

  tag(where: string): { field: number; wireType: number } {
    const tag = this.varint(where)
    const field = Math.floor(tag / 8)
    if (field < 1 || field > 536_870_911) throw this.#wrong(where, `field number ${field}`)
    return { field, wireType: tag % 8 }
  }

  /** Up to 2^53; larger ones are refused, since no length or reference can be. */
  varint(where: string): number {
    let value = 0
    let factor = 1
    for (let count = 0; count < 8; count += 1) {
      const byte = this.#byte(where)
      value += (byte & 127) * factor
      if (byte < 128) return this.#safe(value, where)
      factor *= 128
    }
    throw this.#wrong(where, 'a varint of more than 8 bytes')
  }

  int64(wireType: number, where: string): number {
    this.#expect(wireType, 0, where)
    let low = 0
    let high = 0
    for (let count = 0; count < 10; count += 1) {
      const byte = this.#byte(where)
      // The first four bytes make 28 bits, so that the rest stays exact in the high part.
      if (count < 4) low += (byte & 127) * 2 ** (7 * count)
      else high += (byte & 127) * 2 ** (7 * (count - 4))
      if (byte >= 128) continue
      const signed = count === 9 ? high - 2 ** 36 : high
      // Ten bytes are two's complement of a number below zero; the tenth adds bit 63 only.
      if (count === 9 && byte !== 1) throw this.#wrong(where, 'a varint of more than 64 bits')
      return this.#safe(signed * 2 ** 28 + low, where)
    }
    throw this.#wrong(where, 'a varint of more than 10 bytes')
  }

  double(wireType: number, where: string): number {
    this.#expect(wireType, 1, where)
    if (this.#at + 8 > this.#end) throw this.#wrong(where, 'expected 8 bytes')
    const value = this.#view.getFloat64(this.#at, true)
    this.#at += 8
    return value
  }

  text(wireType: number, where: string, bytesMax: number): string {
    const start = this.#end
    const end = this.enter(wireType, where)
    if (end - this.#at > bytesMax) {
      throw this.#wrong(where, `expected at most ${bytesMax} bytes, got ${end - this.#at}`)
    }
    const bytes = this.#bytes.subarray(this.#at, end)
    this.#at = end
    this.#end = start
    try {
      return strictUtf8.decode(bytes)
    } catch {
      throw this.#wrong(where, 'not UTF-8')
    }
  }

  skip(wireType: number, where: string): void {
    const outer = this.#end
    if (wireType === 0) this.#skipVarint(where)
    else if (wireType === 1) this.#at += 8
    else if (wireType === 2) this.#at = this.enter(wireType, where)
    else if (wireType === 5) this.#at += 4
    else throw this.#wrong(where, `wire type ${wireType}`)
    this.#end = outer
    if (this.#at > outer) throw this.#wrong(where, 'ends inside a field')
  }

  #skipVarint(where: string): void {
    for (let count = 0; count < 10; count += 1) if (this.#byte(where) < 128) return
    throw this.#wrong(where, 'a varint of more than 10 bytes')
  }

  #byte(where: string): number {
    const byte = this.#at < this.#end ? this.#bytes[this.#at] : undefined
    if (byte === undefined) throw this.#wrong(where, 'ends inside a field')
    this.#at += 1
    return byte
  }

  #safe(value: number, where: string): number {
    if (Number.isSafeInteger(value)) return value
    throw this.#wrong(where, `expected a number below 2^53, got ${value}`)
  }

  #expect(wireType: number, expected: number, where: string): void {
    if (wireType !== expected) throw this.#wrong(where, `${MESSAGE_SHOWN} ${expected}, got ${wireType}`)
  }

  #wrong(where: string, what: string): Error {
    return this.#fault(`${where} @${this.#at}: ${what}`)
  }
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
