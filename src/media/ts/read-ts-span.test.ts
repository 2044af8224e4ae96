import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Fault } from '#base'
import { readSegmentSpans, readTrackTimes, readTsSpan } from '#media'

/** One packet of `pid` that begins a PES packet with this presentation time, in ticks of 90 kHz. */
function packet(pid: number, counter: number, pts: number | null): number[] {
  const high = Math.floor(pts === null ? 0 : pts / 2 ** 30) & 7
  const low = pts === null ? 0 : pts % 2 ** 30
  const time = [0x21 | (high << 1), low >> 22, ((low >> 14) & 0xfe) | 1, low >> 7, ((low << 1) & 0xfe) | 1]
  const pes = pts === null ? [] : [0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5, ...time.map(byte => byte & 0xff)]
  const bytes = [0x47, (pts === null ? 0 : 0x40) | (pid >> 8), pid & 0xff, 0x10 | counter, ...pes]
  return [...bytes, ...Array.from({ length: 188 - bytes.length }, () => 0xff)]
}

describe('transport streams', () => {
  it('gives first and last presentation times, also when pictures come out of order and over the wrap', () => {
    const wrap = 2 ** 33
    const times = [wrap - 9000, wrap - 3000, wrap - 6000, 3000, 0]
    const bytes = Uint8Array.from(times.flatMap((pts, index) => packet(256, index, pts)))
    expect(readTsSpan(bytes)).toEqual({
      streams: [{ pid: 256, firstS: (wrap - 9000) / 90_000, lastS: 3000 / 90_000 }],
      lostPackets: 0,
    })
  })

  it('counts a place where packets are missing once, and not a packet that comes twice', () => {
    const bytes = Uint8Array.from([0, 1, 1, 5, 6].flatMap(counter => packet(256, counter, null)))
    expect(readTsSpan(bytes).lostPackets).toBe(1)
  })

  it('never fails but with a typed fault, whatever comes', () => {
    const readers = [readTsSpan, readTrackTimes, (bytes: Uint8Array) => readSegmentSpans(bytes, new Map())]
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 600 }),
      fc.uint8Array({ minLength: 187, maxLength: 187 }).map(rest => Uint8Array.from([0x47, ...rest])),
    )
    fc.assert(
      fc.property(bytes, fc.nat(2), (input, which) => {
        try {
          readers[which]?.(input)
        } catch (error) {
          if (!(error instanceof Fault)) throw error
        }
      }),
      { numRuns: 2000 },
    )
  })
})
