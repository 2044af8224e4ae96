// Owns the chunks that are in memory: bytes in large pages, linked from newer to older, dropped page by page.
// It refuses to drop a page that holds something that SQLite may not have.

import { decodeInto } from './chunk.ts'
import type { SampleBuffer } from './sample-column.ts'

const PAGE_BYTES = 256 * 1024 // one object for some thousand chunks: small ones would cost more than what they hold
const OFFSET_SPAN = 2 ** 30 // a reference is page * OFFSET_SPAN + offset; exact up to page 2^23
const HEAD_BYTES = 28 // previous reference, first and last time as float64; length as uint32

export const NO_CHUNK = -1

interface Page {
  readonly bytes: Buffer
  readonly view: DataView
  used: number
  newestMs: number
}

export interface ChunkHead {
  readonly previous: number
  readonly firstMs: number
  readonly lastMs: number
}

export class ChunkSlab {
  readonly #pages = new Map<number, Page>()
  #oldest = 0
  #current = -1

  /** Number of the page that the next chunk goes to, or one before it. */
  get page(): number {
    return this.#current
  }

  get bytes(): number {
    let bytes = 0
    for (const page of this.#pages.values()) bytes += page.bytes.length
    return bytes
  }

  put(chunk: Uint8Array, head: ChunkHead): number {
    const length = HEAD_BYTES + chunk.length
    let page = this.#pages.get(this.#current)
    if (page === undefined || page.used + length > page.bytes.length) page = this.#grow(length)
    const at = page.used
    page.view.setFloat64(at, head.previous)
    page.view.setFloat64(at + 8, head.firstMs)
    page.view.setFloat64(at + 16, head.lastMs)
    page.view.setUint32(at + 24, chunk.length)
    page.bytes.set(chunk, at + HEAD_BYTES)
    page.used += length
    if (head.lastMs > page.newestMs) page.newestMs = head.lastMs
    return this.#current * OFFSET_SPAN + at
  }

  /** Null for NO_CHUNK, and when the page is gone. */
  head(reference: number): ChunkHead | null {
    const page = this.#pages.get(Math.floor(reference / OFFSET_SPAN))
    if (page === undefined) return null
    const at = reference % OFFSET_SPAN
    return {
      previous: page.view.getFloat64(at),
      firstMs: page.view.getFloat64(at + 8),
      lastMs: page.view.getFloat64(at + 16),
    }
  }

  /** Appends the samples of a chunk; nothing when its page is gone. */
  read(reference: number, out: SampleBuffer): void {
    const page = this.#pages.get(Math.floor(reference / OFFSET_SPAN))
    if (page !== undefined) decodeInto(out, page.bytes, page.view, (reference % OFFSET_SPAN) + HEAD_BYTES)
  }

  /** Drops the oldest pages, as long as they are before `page` and all in them is before `cutMs`. */
  dropBefore(page: number, cutMs: number): void {
    while (this.#oldest < page && this.#oldest < this.#current) {
      const oldest = this.#pages.get(this.#oldest)
      if (oldest !== undefined && oldest.newestMs >= cutMs) return
      this.#pages.delete(this.#oldest)
      this.#oldest += 1
    }
  }

  #grow(length: number): Page {
    const bytes = Buffer.allocUnsafeSlow(Math.max(PAGE_BYTES, length))
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const page = { bytes, view, used: 0, newestMs: Number.NEGATIVE_INFINITY }
    this.#current += 1
    this.#pages.set(this.#current, page)
    return page
  }
}
