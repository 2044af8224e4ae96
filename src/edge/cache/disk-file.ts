// Owns the bytes of a cache file: a head of HEAD_ROOM_BYTES with checksums, then the body.
// It refuses, as a value, whatever is not exactly what was written.
import { crc32 } from 'node:zlib'
import { HEAD_ROOM_BYTES, type ObjectFacts } from './stored.ts'

// Layout, all integers little-endian:
//   0  4 bytes  magic "VTC1"
//   4  uint32   CRC-32 of bytes 8 to 1023
//   8  uint32   CRC-32 of the body
//  12  uint32   bytes of the body
//  16  uint16   bytes of the JSON that follows
//  18           JSON of `FileFacts`, then zeros up to 1024
const MAGIC = 0x31435456
const JSON_AT = 18

/** What a file remembers besides its body. */
export interface FileFacts extends ObjectFacts {
  readonly storedMs: number
  /** The kernel's boot id: `storedMs` means something only while it is the same. */
  readonly hostId: string
}

export type ReadFile =
  | { readonly kind: 'object'; readonly facts: FileFacts }
  | { readonly kind: 'broken'; readonly problem: string }

/** The head for a body; null when the facts do not fit. */
export function encodeHead(facts: FileFacts, body: Buffer): Buffer | null {
  const head = Buffer.alloc(HEAD_ROOM_BYTES)
  // JSON has no Infinity.
  const json = Buffer.from(JSON.stringify({ ...facts, freshMs: finite(facts.freshMs) }))
  if (json.length > HEAD_ROOM_BYTES - JSON_AT) return null
  head.writeUInt32LE(MAGIC, 0)
  head.writeUInt32LE(crc32(body), 8)
  head.writeUInt32LE(body.length, 12)
  head.writeUInt16LE(json.length, 16)
  json.copy(head, JSON_AT)
  head.writeUInt32LE(crc32(head.subarray(8)), 4)
  return head
}

/** Checks a whole file. Its body is `file.subarray(HEAD_ROOM_BYTES)`. */
export function decodeFile(file: Buffer, key: string): ReadFile {
  if (file.length < HEAD_ROOM_BYTES)
    return broken(`${file.length} bytes, expected ${HEAD_ROOM_BYTES} or more`)
  const head = file.subarray(0, HEAD_ROOM_BYTES)
  if (head.readUInt32LE(0) !== MAGIC) return broken('does not start with VTC1')
  if (head.readUInt32LE(4) !== crc32(head.subarray(8))) return broken('checksum of the head is wrong')
  const body = file.subarray(HEAD_ROOM_BYTES)
  if (head.readUInt32LE(12) !== body.length) {
    return broken(`body of ${body.length} bytes, expected ${head.readUInt32LE(12)}`)
  }
  if (head.readUInt32LE(8) !== crc32(body)) return broken('checksum of the body is wrong')
  const facts = decodeFacts(head.subarray(JSON_AT, JSON_AT + head.readUInt16LE(16)))
  if (facts === null) return broken('the facts in the head are not what was written')
  if (facts.key !== key) return broken(`holds ${facts.key}, expected ${key}`)
  return { kind: 'object', facts }
}

function decodeFacts(json: Buffer): FileFacts | null {
  let value: unknown
  try {
    value = JSON.parse(json.toString('utf8'))
  } catch {
    return null
  }
  if (typeof value !== 'object' || value === null) return null
  const { key, contentType, etag, freshMs, date, storedMs, hostId } = value as Record<string, unknown>
  const texts = [key, contentType, etag, hostId]
  if (!texts.every(text => typeof text === 'string')) return null
  if (typeof storedMs !== 'number' || !(freshMs === null || typeof freshMs === 'number')) return null
  return {
    key: key as string,
    contentType: contentType as string,
    etag: etag as string,
    hostId: hostId as string,
    freshMs: freshMs ?? Number.POSITIVE_INFINITY,
    date: typeof date === 'string' ? date : null,
    storedMs,
  }
}

function finite(ms: number): number | null {
  return Number.isFinite(ms) ? ms : null
}

function broken(problem: string): ReadFile {
  return { kind: 'broken', problem }
}
