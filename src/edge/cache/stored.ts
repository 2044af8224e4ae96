// Owns the form in which an object is kept: one Buffer that starts with the whole HTTP head of a hit.
// It refuses bodies of unknown size: an object is made when its last byte is there.

/** Room that is left in front of every body, for the HTTP head in memory and for the file head on disk. */
export const HEAD_ROOM_BYTES = 1024 // heads are about 700 bytes; ETag and Content-Type are capped to fit

/** Digits of the Age field: its value is written over them before each use (RFC 9111 section 5.1). */
const AGE_DIGITS = 10
/** Room of CMSD-Dynamic in a head: a name of 63 characters and all parameters at their longest. */
export const CMSD_CHARACTERS = 120
/** `Age: 0000000000` and the ends of that line, of the one before it, and of the head. */
const AFTER_CMSD_BYTES = 2 + 'Age: '.length + AGE_DIGITS + 4
const AGE_SECONDS_MAX = 2 ** 31 // RFC 9111 section 1.2.2

/** What is known of an object besides its bytes. */
export interface ObjectFacts {
  /** Normalised path, without the query. */
  readonly key: string
  readonly contentType: string
  /** Strong, with its quotation marks. */
  readonly etag: string
  /** How long it is fresh; Infinity below a revision, where nothing ever changes. */
  readonly freshMs: number
  /** The origin's Date, as it came; null: none. */
  readonly date: string | null
}

/** A whole object. `storedMs` is on the monotonic clock of `Clock.bootMs`. */
export interface StoredObject extends ObjectFacts {
  readonly storedMs: number
  readonly bodyBytes: number
  /** Head and body, as a hit is answered over HTTP/1.1. Shared by all viewers: only `stampAge` and `stampCmsd` write to it. */
  readonly whole: Buffer
  readonly headBytes: number
}

export type Freshness =
  | { readonly kind: 'fresh' }
  | { readonly kind: 'stale'; readonly ageMs: number }
  | { readonly kind: 'expired' }

/** Whether an object may be served at `nowMs`; stale ones only while the origin is away, for `staleMs`. */
export function freshness(object: StoredObject, nowMs: number, staleMs: number): Freshness {
  const ageMs = Math.max(0, nowMs - object.storedMs)
  if (ageMs <= object.freshMs) return { kind: 'fresh' }
  return ageMs <= object.freshMs + staleMs ? { kind: 'stale', ageMs } : { kind: 'expired' }
}

/** Memory that has room for a head before `bodyBytes` of body. */
export function roomFor(bodyBytes: number): Buffer {
  return Buffer.allocUnsafeSlow(HEAD_ROOM_BYTES + bodyBytes)
}

/**
 * Makes an object of `room` (see `roomFor`), whose body is in place. Takes over the buffer.
 * `head` is the status line and fields without Age and without the empty line, CMSD-Dynamic with its room last.
 */
export function seal(facts: ObjectFacts, room: Buffer, head: string, storedMs: number): StoredObject {
  const text = `${head}Age: ${'0'.repeat(AGE_DIGITS)}\r\n\r\n`
  const headBytes = Buffer.byteLength(text, 'latin1')
  const bodyBytes = room.length - HEAD_ROOM_BYTES
  if (headBytes > HEAD_ROOM_BYTES) {
    // Cannot happen while the caps on Content-Type and ETag hold; a copy is better than a broken answer.
    const whole = Buffer.concat([Buffer.from(text, 'latin1'), room.subarray(HEAD_ROOM_BYTES)])
    return { ...facts, storedMs, bodyBytes, whole, headBytes }
  }
  const whole = room.subarray(HEAD_ROOM_BYTES - headBytes)
  whole.write(text, 0, 'latin1')
  return { ...facts, storedMs, bodyBytes, whole, headBytes }
}

/** The body alone; shares memory with the object. */
export function bodyOf(object: StoredObject): Buffer {
  return object.whole.subarray(object.headBytes)
}

/** Age in whole seconds, as the field wants it. */
export function ageSeconds(object: StoredObject, nowMs: number): number {
  return Math.min(AGE_SECONDS_MAX, Math.max(0, Math.floor((nowMs - object.storedMs) / 1000)))
}

/** Whole seconds of freshness that are left; negative when stale. Infinite lifetimes give Infinity. */
export function freshSecondsLeft(object: StoredObject, nowMs: number): number {
  return Math.floor((object.storedMs + object.freshMs - nowMs) / 1000)
}

/** Writes the present age into the prebuilt head. Leading zeros are allowed: delta-seconds is 1*DIGIT. */
export function stampAge(object: StoredObject, nowMs: number): void {
  let rest = ageSeconds(object, nowMs)
  const end = object.headBytes - 4 // before the last CR LF and the empty line
  for (let digit = 1; digit <= AGE_DIGITS; digit += 1) {
    object.whole[end - digit] = 48 + (rest % 10)
    rest = Math.floor(rest / 10)
  }
}

/** A value of CMSD-Dynamic as it lies in a head; spaces after a value mean nothing (RFC 9110 section 5.5). */
export function cmsdBytes(value: string): Buffer {
  return Buffer.from(value.slice(0, CMSD_CHARACTERS).padEnd(CMSD_CHARACTERS), 'latin1')
}

/** Writes what is said of one answer (CTA-5006), as `cmsdBytes` made it, into the prebuilt head. */
export function stampCmsd(object: StoredObject, value: Buffer): void {
  object.whole.set(value, object.headBytes - AFTER_CMSD_BYTES - CMSD_CHARACTERS)
}
