import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isStale, staleMarker } from '../stale.ts'
import {
  decodeChunk,
  decodeStamps,
  encodeChunk,
  encodeParted,
  encodeStamps,
  withSharedStamps,
} from './chunk.ts'

function bits(values: Float64Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('hex')
}

function roundTrip(times: readonly number[], values: Float64Array): void {
  const decoded = decodeChunk(encodeChunk({ times: Float64Array.from(times), values }))
  expect([...(decoded?.times ?? [])]).toEqual([...times])
  expect(bits(decoded?.values ?? new Float64Array(0))).toBe(bits(values))
}

describe('a chunk', () => {
  it('comes back bit by bit, for any values', () => {
    const bytes = fc.uint8Array({ minLength: 8, maxLength: 400 })
    fc.assert(
      fc.property(bytes, raw => {
        const values = new Float64Array(raw.slice(0, raw.length - (raw.length % 8)).buffer)
        roundTrip(
          Array.from(values, (_, index) => 1_700_000_000_000 + index * 1000),
          values,
        )
      }),
    )
  })

  it('comes back exactly for integers, decimals and irregular times', () => {
    const number = fc.oneof(
      fc.integer(),
      fc.integer().map(value => value / 1000),
      fc.integer({ min: -(2 ** 52), max: 2 ** 52 }),
      fc.constantFrom(0, -0, 0.1, 1e-3, 2 ** 50, -(2 ** 50)),
    )
    const point = fc.tuple(fc.integer({ min: 0, max: 2 ** 47 }), number)
    fc.assert(
      fc.property(
        fc.uniqueArray(point, { selector: ([time]) => time, minLength: 1, maxLength: 100 }),
        points => {
          points.sort(([a], [b]) => a - b)
          roundTrip(
            points.map(([time]) => time),
            Float64Array.from(points, ([, value]) => value),
          )
        },
      ),
    )
  })

  it('comes back exactly where most deltas are one and the others are anything', () => {
    const jump = fc.oneof(
      fc.integer({ min: -(2 ** 43), max: 2 ** 43 }),
      fc.integer({ min: 0, max: 40 }),
      fc.constantFrom(4096, 8192),
    )
    const delta = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), jump)
    const all = fc.array(delta, { minLength: 1, maxLength: 700 })
    fc.assert(
      fc.property(
        all,
        fc.constantFrom(0.01, 0.1, 0.5, 0.9),
        fc.constantFrom(0, 17, -3),
        (deltas, share, common) => {
          let value = 0
          const values = Float64Array.from(
            deltas,
            ([chance, jumped]) => (value += chance < share ? jumped : common),
          )
          roundTrip(
            Array.from(values, (_, index) => 1_700_000_000_000 + index * 1000 + (index % 3)),
            values,
          )
        },
      ),
    )
  })

  it('comes back bit by bit where special values stand among plain ones, whatever lies between two samples', () => {
    // Bits of float64: zeros, infinities, quiet and signalling NaN with payloads, the stale marker, smallest and largest.
    const special = fc.oneof(
      fc.constantFrom(0x8000000000000000n, 0x7ff0000000000000n, 0xfff0000000000000n, 0x7ff0000000000002n),
      fc.constantFrom(0x7ff8000000000000n, 0x7ff8000000000001n, 0xffffffffffffffffn, 0x7ff4dead0000beefn),
      fc.constantFrom(1n, 0x800fffffffffffffn, 0x7fefffffffffffffn, 0xffefffffffffffffn),
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    )
    const plain = fc.oneof(
      fc.integer({ min: 0, max: 500 }),
      fc.integer({ min: 0, max: 500 }).map(value => value / 100),
      fc.constantFrom(2 ** 51 - 1, -(2 ** 51), 2 ** 53 - 1, -(2 ** 53), 1e-9, 1e22),
    )
    const gap = fc.oneof(
      fc.constant(1000),
      fc.integer({ min: 1, max: 2000 }),
      fc.integer({ min: 1, max: 2 ** 38 }),
    )
    const point = fc.record({ gap, plain, special, chance: fc.double({ min: 0, max: 1, noNaN: true }) })
    fc.assert(
      fc.property(
        fc.array(point, { minLength: 1, maxLength: 400, size: 'max' }),
        fc.constantFrom(0, 0.02, 0.05, 0.5, 1),
        (points, share) => {
          const values = new Float64Array(points.length)
          const view = new DataView(values.buffer)
          let timeMs = 0
          const times = points.map((one, at) => {
            if (one.chance < share) view.setBigUint64(at * 8, one.special, true)
            else view.setFloat64(at * 8, one.plain, true)
            timeMs += one.gap
            return timeMs
          })
          roundTrip(times, values)
        },
      ),
    )
  })

  it('is short where a value hardly ever changes', () => {
    const times = Float64Array.from({ length: 1281 }, (_, index) => index * 1000)
    const values = times.map((_, index) => 5e9 + Math.floor(index / 100) * 12_345_678)
    expect(encodeChunk({ times, values }).length).toBeLessThan(130)
  })

  it('can share its stamps with others, and is damaged without them', () => {
    const times = Float64Array.from({ length: 300 }, (_, index) => 1e12 + index * 1000 + ((index * 7) % 13))
    const values = times.map((_, index) => index / 10)
    const parted = encodeParted({ times, values })
    const stamps = decodeStamps(encodeStamps(parted))
    expect(stamps).toEqual(times)
    const chunk = withSharedStamps(parted, 70_000)
    expect(chunk.length).toBeLessThan(parted.chunk.length / 2)
    // Reading the stamps in the middle of reading the chunk must not disturb it.
    const read = (reference: number): Float64Array | null =>
      reference === 70_000 ? decodeStamps(encodeStamps(parted)) : null
    expect(decodeChunk(chunk, read)).toEqual({ times, values })
    expect(decodeChunk(chunk)).toBeNull()
    expect(decodeChunk(chunk, () => times.subarray(1))).toBeNull()
    const damaged = Buffer.from(encodeStamps(parted))
    damaged[20] = (damaged[20] ?? 0) ^ 1
    expect(decodeStamps(damaged)).toBeNull()
  })

  it('keeps stale markers apart from other NaN', () => {
    const values = Float64Array.of(1, staleMarker(), Number.NaN, 2)
    const decoded = decodeChunk(encodeChunk({ times: Float64Array.of(1, 2, 3, 4), values }))
    expect([...(decoded?.values ?? [])].map(isStale)).toEqual([false, true, false, false])
  })

  it('takes less than three bytes a sample for a counter that is read every second', () => {
    const times = Float64Array.from({ length: 300 }, (_, index) => 1_700_000_000_000 + index * 1000)
    const values = times.map((_, index) => 5000 + index * 37 + (index % 7))
    expect(encodeChunk({ times, values }).length).toBeLessThan(900)
  })

  it('is not read when any byte of it was changed', () => {
    const chunk = encodeChunk({ times: Float64Array.of(1, 2, 3), values: Float64Array.of(0.1, 0.2, 1e300) })
    for (let at = 8; at < chunk.length; at += 1) {
      const damaged = Buffer.from(chunk)
      damaged[at] = (damaged[at] ?? 0) ^ 1
      expect(decodeChunk(damaged)).toBeNull()
    }
  })
})
