// Owns reading bodies of reports: each bounded, and all that are on their way together. What is refused is never read to
// its end, and nothing that was packed is ever unpacked here.
import type { IncomingMessage } from 'node:http'
import { EVENTS_BYTES_MAX } from './events.ts'

/** 256 reports of the largest size at once; slow senders hold their part until their connection ends. */
const WAITING_BYTES_MAX = 64 * 1024 * 1024

/** `body-encoded`: packed; `bodies-full`: too many at once; `body-cut`: its sender went. */
export type BodyRefusal = 'body-too-large' | 'body-encoded' | 'bodies-full' | 'body-cut'
export type ReportBody =
  | { readonly kind: 'body'; readonly text: string }
  | { readonly kind: 'refused'; readonly reason: BodyRefusal }

export class ReportBodies {
  readonly #waitingMax: number
  #waitingBytes = 0

  constructor(waitingBytesMax: number = WAITING_BYTES_MAX) {
    this.#waitingMax = waitingBytesMax
  }

  /** Bytes of bodies that have not come to their end. */
  get waitingBytes(): number {
    return this.#waitingBytes
  }

  async read(req: IncomingMessage): Promise<ReportBody> {
    const { 'content-encoding': encoding = 'identity', 'content-length': length = '0' } = req.headers
    if (encoding.trim().toLowerCase() !== 'identity') return { kind: 'refused', reason: 'body-encoded' }
    if (Number(length) > EVENTS_BYTES_MAX) return { kind: 'refused', reason: 'body-too-large' }
    const chunks: Buffer[] = []
    let bytes = 0
    try {
      // Who is refused hears why: the connection outlives the reading.
      const parts = req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>
      for await (const chunk of parts) {
        if (bytes + chunk.length > EVENTS_BYTES_MAX) return { kind: 'refused', reason: 'body-too-large' }
        if (this.#waitingBytes + chunk.length > this.#waitingMax) {
          return { kind: 'refused', reason: 'bodies-full' }
        }
        bytes += chunk.length
        this.#waitingBytes += chunk.length
        chunks.push(chunk)
      }
      return { kind: 'body', text: Buffer.concat(chunks).toString('utf8') }
    } catch {
      return { kind: 'refused', reason: 'body-cut' }
    } finally {
      this.#waitingBytes -= bytes
    }
  }
}
