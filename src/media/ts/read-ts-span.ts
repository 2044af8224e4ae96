// Owns what can be learned of an MPEG-2 transport stream segment without decoding it (ISO 13818-1 section 2.4):
// presentation times per stream, and packets that are missing. It refuses what is not made of 188-byte packets.
import { mediaFaults } from '../faults.ts'

const PACKET_BYTES = 188
const SYNC = 0x47
const PTS_HZ = 90_000
/** PTS has 33 bits: it starts anew every 26.5 hours. */
const PTS_WRAP = 2 ** 33
/** A segment has video, sound, tables and some private streams. */
const STREAMS_MAX = 64

export interface TsSpan {
  readonly pid: number
  /** First and last presentation time of a PES packet, seconds. */
  readonly firstS: number
  readonly lastS: number
}

export interface TsReading {
  readonly streams: readonly TsSpan[]
  /** Packets whose continuity counter did not follow the one before (section 2.4.3.3). */
  readonly lostPackets: number
}

/** Reads a whole segment, or throws `media-ts-invalid` with the offset. */
export function readTsSpan(bytes: Uint8Array): TsReading {
  const spans = new Map<number, { first: number; last: number }>()
  const counters = new Map<number, number>()
  let lostPackets = 0
  for (let at = 0; at + PACKET_BYTES <= bytes.length; at += PACKET_BYTES) {
    if (bytes[at] !== SYNC) throw invalid(at, bytes[at] ?? 0)
    const head = ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)
    const pid = (head >> 8) & 0x1fff
    const hasPayload = (head & 0x10) !== 0
    if (pid === 0x1fff || !hasPayload) continue
    const adaptation = (head & 0x20) !== 0 ? 1 + (bytes[at + 4] ?? 0) : 0
    const counter = head & 0x0f
    const before = counters.get(pid)
    const discontinuity = adaptation > 1 && ((bytes[at + 5] ?? 0) & 0x80) !== 0
    // The same counter twice is a packet sent twice, which is allowed.
    if (before !== undefined && !discontinuity && counter !== before && counter !== ((before + 1) & 0x0f)) {
      lostPackets += 1
    }
    if (counters.size < STREAMS_MAX || before !== undefined) counters.set(pid, counter)
    const startsUnit = (head & 0x400000) !== 0
    if (!startsUnit) continue
    const pts = readPts(bytes, at + 4 + adaptation, at + PACKET_BYTES)
    if (pts === null) continue
    const known = spans.get(pid)
    if (known === undefined) {
      if (spans.size < STREAMS_MAX) spans.set(pid, { first: pts, last: pts })
    } else {
      known.first = ptsBefore(pts, known.first) ? pts : known.first
      known.last = ptsBefore(known.last, pts) ? pts : known.last
    }
  }
  if (bytes.length < PACKET_BYTES) throw invalid(0, bytes[0] ?? 0)
  return {
    streams: [...spans].map(([pid, { first, last }]) => ({
      pid,
      firstS: first / PTS_HZ,
      lastS: last / PTS_HZ,
    })),
    lostPackets,
  }
}

/** Whether a lies before b on the circle of 33 bits. */
function ptsBefore(a: number, b: number): boolean {
  return a !== b && (b - a + PTS_WRAP) % PTS_WRAP < PTS_WRAP / 2
}

/** The PTS of a PES packet that begins at `at` (section 2.4.3.7); null without one. */
function readPts(bytes: Uint8Array, at: number, end: number): number | null {
  if (at + 14 > end) return null
  if (bytes[at] !== 0 || bytes[at + 1] !== 0 || bytes[at + 2] !== 1) return null
  if (((bytes[at + 7] ?? 0) & 0x80) === 0) return null
  const [a = 0, b = 0, c = 0, d = 0, e = 0] = bytes.subarray(at + 9, at + 14)
  return ((a >> 1) & 7) * 2 ** 30 + ((b << 22) | ((c >> 1) << 15) | (d << 7) | (e >> 1))
}

function invalid(at: number, found: number): Error {
  const message = `ts @${at}: expected a packet that begins with 0x47, found 0x${found.toString(16)}`
  return mediaFaults.fault('media-ts-invalid', message)
}
