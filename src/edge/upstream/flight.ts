// Owns one object on its way from the origin (or from disk) to all who wait for it. Bytes are held once, whoever
// reads them; it never lets a reader take a broken-off body for a whole one.
import type { Fault } from '#base'
import { HEAD_ROOM_BYTES, roomFor } from '../cache/stored.ts'

/** What the first bytes of the answer said. */
export interface FlightHead {
  readonly contentType: string | null
  readonly etag: string | null
  readonly date: string | null
  readonly maxAgeMs: number | null
  readonly mayStore: boolean
  /** Null: the origin did not say. */
  readonly bodyBytes: number | null
}

export type FlightStart =
  | { readonly kind: 'found'; readonly head: FlightHead }
  | { readonly kind: 'absent' }
  /** 304: what we hold is still right. */
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'failed'; readonly fault: Fault }

export type FlightEnd =
  /** `room` has HEAD_ROOM_BYTES before the body. */
  | { readonly kind: 'whole'; readonly room: Buffer }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'failed'; readonly fault: Fault }

const GROW_FROM_BYTES = 256 * 1024 // for answers without Content-Length; doubles from there

/** When all viewers have left: a body that is small or half here already is worth finishing. */
const FINISH_REST_BYTES_MAX = 1024 * 1024

export class Flight {
  readonly key: string
  readonly started: Promise<FlightStart>
  readonly ended: Promise<FlightEnd>
  #resolveStarted!: (start: FlightStart) => void
  #resolveEnded!: (end: FlightEnd) => void
  #head: FlightHead | null = null
  #room: Buffer = Buffer.alloc(0)
  #receivedBytes = 0
  #over = false
  #readers = 0
  #wake: { readonly promise: Promise<void>; readonly resolve: () => void } | null = null

  /** Set by the one who brings the bytes: called when nobody reads any more and the rest is not worth it. */
  onAbandoned: () => void = () => {}

  constructor(key: string) {
    this.key = key
    this.started = new Promise(resolve => {
      this.#resolveStarted = resolve
    })
    this.ended = new Promise(resolve => {
      this.#resolveEnded = resolve
    })
  }

  get receivedBytes(): number {
    return this.#receivedBytes
  }

  /** True when nothing more will arrive, for whatever reason. */
  get over(): boolean {
    return this.#over
  }

  /** Counts a reader in; the function that comes back counts it out, once. */
  join(): () => void {
    this.#readers += 1
    let left = false
    return () => {
      if (left) return
      left = true
      this.#readers -= 1
      this.#considerAbandoning()
    }
  }

  /** What has arrived from `fromByte` on; shares memory, valid for ever. */
  arrived(fromByte: number): Buffer {
    return this.#room.subarray(HEAD_ROOM_BYTES + fromByte, HEAD_ROOM_BYTES + this.#receivedBytes)
  }

  /** Resolves when something arrives or the flight is over. One promise for all readers. */
  more(): Promise<void> {
    if (this.#over) return Promise.resolve()
    if (this.#wake === null) {
      let resolve = (): void => {}
      const promise = new Promise<void>(done => {
        resolve = done
      })
      this.#wake = { promise, resolve }
    }
    return this.#wake.promise
  }

  // What follows is for the one who brings the bytes.

  begin(head: FlightHead): void {
    this.#head = head
    this.#room = roomFor(head.bodyBytes ?? GROW_FROM_BYTES)
    this.#resolveStarted({ kind: 'found', head })
    this.#considerAbandoning()
  }

  /** Takes bytes. False: more than was announced, the flight has to fail. */
  take(chunk: Uint8Array): boolean {
    const needed = HEAD_ROOM_BYTES + this.#receivedBytes + chunk.length
    if (needed > this.#room.length) {
      if (this.#head?.bodyBytes !== null) return false
      const grown = roomFor(Math.max(needed, this.#room.length * 2) - HEAD_ROOM_BYTES)
      this.#room.copy(grown, 0, 0, HEAD_ROOM_BYTES + this.#receivedBytes)
      this.#room = grown
    }
    this.#room.set(chunk, HEAD_ROOM_BYTES + this.#receivedBytes)
    this.#receivedBytes += chunk.length
    this.#wakeAll()
    return true
  }

  /** All bytes are here; the caller has checked their number. */
  land(): void {
    const end = HEAD_ROOM_BYTES + this.#receivedBytes
    this.#finish({ kind: 'whole', room: this.#room.subarray(0, end) })
  }

  /** Everything at once; `room` has HEAD_ROOM_BYTES before the body. */
  arrive(head: FlightHead, room: Buffer): void {
    this.#head = head
    this.#room = room
    this.#receivedBytes = room.length - HEAD_ROOM_BYTES
    this.#resolveStarted({ kind: 'found', head })
    this.land()
  }

  /** There is no body: absent, unchanged or failed before the first byte. */
  stop(start: Exclude<FlightStart, { kind: 'found' }>): void {
    this.#resolveStarted(start)
    this.#finish(start.kind === 'failed' ? start : { kind: 'nothing' })
  }

  /** After the head: the readers' connections have to be cut. */
  fail(fault: Fault): void {
    this.#resolveStarted({ kind: 'failed', fault })
    this.#finish({ kind: 'failed', fault })
  }

  #finish(end: FlightEnd): void {
    if (this.#over) return
    this.#over = true
    this.#resolveEnded(end)
    this.#wakeAll()
  }

  #wakeAll(): void {
    const wake = this.#wake
    this.#wake = null
    wake?.resolve()
  }

  #considerAbandoning(): void {
    // Before the head nothing is known: the first-byte deadline bounds the wait, and `begin` asks again.
    if (this.#readers > 0 || this.#over || this.#head === null) return
    const { bodyBytes } = this.#head
    if (bodyBytes === null) return this.onAbandoned()
    const restBytes = bodyBytes - this.#receivedBytes
    if (restBytes <= FINISH_REST_BYTES_MAX || restBytes * 2 <= bodyBytes) return
    this.onAbandoned()
  }
}
