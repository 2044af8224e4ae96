// Owns bounded reading of one box's bytes. It refuses every read beyond the box, naming box path and file offset.
import type { Fault } from '#base'
import { mediaFaults } from '../faults.ts'

type Mp4Fault = 'media-mp4-truncated' | 'media-mp4-invalid' | 'media-mp4-limit' | 'media-mp4-unsupported'

/** A window on bytes; `at` and `end` are positions in `view`, `base` is the file offset of its first byte. */
export class Cursor {
  readonly view: DataView
  readonly end: number
  readonly base: number
  /** `mp4/moov/trak`, for messages. */
  readonly path: string
  at: number

  constructor(view: DataView, path: string, base = 0, at = 0, end: number = view.byteLength) {
    this.view = view
    this.path = path
    this.base = base
    this.at = at
    this.end = end
  }

  /** Bytes left in this box. */
  get left(): number {
    return this.end - this.at
  }

  u8(): number {
    return this.view.getUint8(this.#take(1))
  }

  u16(): number {
    return this.view.getUint16(this.#take(2))
  }

  u32(): number {
    return this.view.getUint32(this.#take(4))
  }

  i32(): number {
    return this.view.getInt32(this.#take(4))
  }

  /** A 64-bit unsigned value that a double can hold exactly; a larger one is a fault. */
  u64(): number {
    const at = this.#take(8)
    const value = this.view.getUint32(at) * 2 ** 32 + this.view.getUint32(at + 4)
    if (!Number.isSafeInteger(value)) {
      throw this.fault('media-mp4-invalid', `${value} announced, expected less than 2^53`, at)
    }
    return value
  }

  /** A signed 64-bit value that a double can hold exactly. */
  i64(): number {
    const at = this.#take(8)
    const value = this.view.getInt32(at) * 2 ** 32 + this.view.getUint32(at + 4)
    if (!Number.isSafeInteger(value)) {
      throw this.fault('media-mp4-invalid', `${value} announced, expected less than 2^53`, at)
    }
    return value
  }

  /** Four characters; bytes outside of ASCII come as their Latin-1 characters. */
  fourcc(): string {
    return fourccAt(this.view, this.#take(4))
  }

  /** A copy of the next bytes. */
  bytes(count: number): Uint8Array {
    const at = this.#take(count)
    return new Uint8Array(this.view.buffer, this.view.byteOffset + at, count).slice()
  }

  skip(count: number): void {
    this.#take(count)
  }

  /** version and flags of a full box (ISO 14496-12 section 4.2). */
  fullBox(): { version: number; flags: number } {
    const word = this.u32()
    return { version: word >>> 24, flags: word & 0xffffff }
  }

  /** Checks that `count` entries of `entryBytes` are really there, before anything is allocated for them. */
  expectEntries(count: number, entryBytes: number, noun: string): void {
    const room = Math.floor(this.left / entryBytes)
    if (count > room) {
      throw this.fault('media-mp4-truncated', `${count} ${noun} announced, box holds ${room}`, this.at - 4)
    }
  }

  /** A fault at the current position, or at `at`: `mp4/moov/trak/mdia/minf/stbl/stsz @1841: ...`. */
  fault(code: Mp4Fault, problem: string, at: number = this.at): Fault {
    const offset = this.base + at
    return mediaFaults.fault(code, `${this.path} @${offset}: ${problem}`, {
      facts: { box: this.path, offset },
    })
  }

  #take(count: number): number {
    const at = this.at
    if (count < 0 || count > this.end - at) {
      throw this.fault('media-mp4-truncated', `${count} bytes expected, box ends after ${this.end - at}`)
    }
    this.at = at + count
    return at
  }
}

export function fourccAt(view: DataView, at: number): string {
  return String.fromCharCode(
    view.getUint8(at),
    view.getUint8(at + 1),
    view.getUint8(at + 2),
    view.getUint8(at + 3),
  )
}

/** `avc1` as it is; what cannot be printed as hex. */
export function printable(type: string): string {
  if (/^[\x21-\x7e\xa9][\x20-\x7e]{3}$/.test(type)) return type
  return `0x${Array.from(type, char => char.charCodeAt(0).toString(16).padStart(2, '0')).join('')}`
}
