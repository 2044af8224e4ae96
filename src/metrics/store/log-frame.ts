// Owns the frame around a log record: mark, length, CRC-32. Reading steps over damage to the next whole record.
// It refuses records longer than RECORD_BYTES_MAX. Layout: docs/reference/metrics-store.md
import { crc32 } from 'node:zlib'
import { metricsFaults } from '../faults.ts'

const FRAME_BYTES = 12
/** One write holds at most 200,000 samples of 20 bytes and their label sets; this leaves room for both. */
const RECORD_BYTES_MAX: number = 64 * 1024 * 1024

const MARK: Buffer = Buffer.from('VML2')

/** One buffer with the frame and the payload, so that one write() carries both. */
export function frame(parts: readonly Buffer[]): Buffer {
  const whole = Buffer.concat([Buffer.alloc(FRAME_BYTES), ...parts])
  if (whole.length - FRAME_BYTES > RECORD_BYTES_MAX) {
    // Reading refuses such a length as damage, so it must never be written.
    const message = `one write: expected at most ${RECORD_BYTES_MAX} bytes in the log, got ${whole.length}`
    throw metricsFaults.fault('metrics-remote-write-too-large', message)
  }
  MARK.copy(whole, 0)
  whole.writeUInt32LE(whole.length - FRAME_BYTES, 4)
  whole.writeUInt32LE(crc32(whole.subarray(FRAME_BYTES)), 8)
  return whole
}

export interface Scan {
  readonly records: number
  /** Where the last whole record ends: what follows is a torn write. */
  readonly goodBytes: number
  /** Bytes before `goodBytes` that belong to no whole record. */
  readonly damagedBytes: number
}

/** Gives every whole record to `onRecord` in order; a damaged stretch costs only the records in it. */
export function scan(bytes: Buffer, onRecord: (payload: Buffer) => boolean): Scan {
  let at = 0
  let goodBytes = 0
  let damagedBytes = 0
  let records = 0
  while (at + FRAME_BYTES <= bytes.length) {
    const payload = payloadAt(bytes, at)
    if (payload === null || !onRecord(payload)) {
      const next = bytes.indexOf(MARK, at + 1)
      if (next < 0) break
      at = next
      continue
    }
    damagedBytes += at - goodBytes
    at += FRAME_BYTES + payload.length
    goodBytes = at
    records += 1
  }
  return { records, goodBytes, damagedBytes }
}

function payloadAt(bytes: Buffer, at: number): Buffer | null {
  if (bytes.compare(MARK, 0, MARK.length, at, at + MARK.length) !== 0) return null
  const length = bytes.readUInt32LE(at + 4)
  const start = at + FRAME_BYTES
  if (length > RECORD_BYTES_MAX || start + length > bytes.length) return null
  const payload = bytes.subarray(start, start + length)
  return crc32(payload) === bytes.readUInt32LE(at + 8) ? payload : null
}
