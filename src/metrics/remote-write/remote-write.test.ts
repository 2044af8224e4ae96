import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Fault } from '#base'
import { isStale, staleMarker } from '../stale.ts'
import type { WriteSeries } from '../store/store.ts'
import { decodeRemoteWrite, REMOTE_WRITE_LIMITS, remoteWriteVersion } from './read-remote-write.ts'
import { compressBlock, decompressBlock } from './snappy.ts'
import { encodeRemoteWrite } from './write-remote-write.ts'

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
const sample = fc.record({
  timestampMs: fc.oneof(fc.maxSafeInteger(), fc.integer()),
  value: fc.double(),
})
const series = fc.record({
  labels: fc.dictionary(text, text, { maxKeys: 6 }),
  samples: fc.array(sample, { maxLength: 6 }),
})

/** One varint field or length-delimited field, written by hand. */
function field(number: number, bytes: Uint8Array | number[]): number[] {
  return [number * 8 + 2, bytes.length, ...bytes]
}

function body(bytes: number[]): Uint8Array {
  return compressBlock(Uint8Array.from(bytes))
}

describe('remote write 1.0', () => {
  it('reads back what it writes', () => {
    fc.assert(
      fc.property(fc.array(series, { maxLength: 8 }), written => {
        const expected = written.map(one => ({ ...one, labels: { ...one.labels } }))
        expect(decodeRemoteWrite(encodeRemoteWrite(written))).toEqual(expected)
      }),
    )
  })

  it('keeps the bits of stale markers, and of zero below zero', () => {
    const written: WriteSeries[] = [
      {
        labels: { a: 'b' },
        samples: [staleMarker(), Number.NaN, -0].map(value => ({ timestampMs: 1, value })),
      },
    ]
    // Often enough for the optimising compiler to have its say.
    for (let round = 0; round < 20_000; round += 1) {
      const [first] = decodeRemoteWrite(encodeRemoteWrite(written))
      const values = first?.samples.map(one => one.value) ?? []
      if (!isStale(values[0] ?? 0) || isStale(values[1] ?? 0) || !Object.is(values[2], -0)) {
        throw new Error(`round ${round}: lost bits of ${values.join()}`)
      }
    }
  })

  it('drops empty labels, which mean absent ones, and skips fields that it does not know', () => {
    const label = [...field(1, Buffer.from('a')), ...field(2, [])]
    const unknown = [
      ...field(3, [1, 2, 3]),
      9 * 8,
      150,
      1,
      10 * 8 + 5,
      1,
      2,
      3,
      4,
      11 * 8 + 1,
      1,
      2,
      3,
      4,
      5,
      6,
      7,
      8,
    ]
    const one = [...field(1, label), ...unknown]
    // Field 3 of a request is metadata.
    const elsewhere = unknown.slice(field(3, [1, 2, 3]).length)
    expect(decodeRemoteWrite(body([...elsewhere, ...field(1, one)]))).toEqual([{ labels: {}, samples: [] }])
  })

  it.each([
    ['not snappy', Uint8Array.from([255, 255, 255, 255, 255, 255]), /snappy @\d+: expected a length varint/],
    ['a truncated message', body([10, 5, 1]), /WriteRequest.timeseries @2: expected at most 1 bytes, got 5/],
    ['a wrong wire type', body([8, 1]), /WriteRequest.timeseries @\d+: expected wire type 2, got 0/],
    ['a label without a name', body(field(1, field(1, field(2, [97])))), /expected a label name/],
    ['text that is not UTF-8', body(field(1, field(1, field(1, [0xff])))), /Label.name @\d+: not UTF-8/],
    ['field number 0', body([2, 0]), /field number 0/],
    ['a group', body([19]), /wire type 3/],
  ])('refuses %s, naming what and where', (_, bytes, message) => {
    expect(() => decodeRemoteWrite(bytes)).toThrow(message)
  })

  it('refuses a label that is given twice', () => {
    const label = [...field(1, Buffer.from('a')), ...field(2, Buffer.from('b'))]
    expect(() => decodeRemoteWrite(body(field(1, [...field(1, label), ...field(1, label)])))).toThrow(
      /given twice/,
    )
  })

  it('refuses more than its limits with the status for that', () => {
    const written = [0, 1, 2].map(index => ({
      labels: { a: String(index), b: 'x' },
      samples: [{ timestampMs: 1, value: 1 }],
    }))
    const bytes = encodeRemoteWrite(written)
    for (const limit of [
      { seriesMax: 2 },
      { samplesMax: 2 },
      { labelsMax: 1 },
      { bytesMax: 20 },
      { compressedBytesMax: 10 },
    ]) {
      const refuse = (): unknown => decodeRemoteWrite(bytes, { ...REMOTE_WRITE_LIMITS, ...limit })
      expect(refuse).toThrow(expect.objectContaining({ code: 'metrics-remote-write-too-large', status: 413 }))
    }
  })

  it('answers any bytes with series or a fault', () => {
    const refuses = (bytes: Uint8Array): void => {
      for (const version of ['1.0', '2.0'] as const) {
        try {
          decodeRemoteWrite(bytes, REMOTE_WRITE_LIMITS, version)
        } catch (error) {
          expect(error).toBeInstanceOf(Fault)
        }
      }
    }
    // Fields that both versions know, in any order and with any inside: labels, samples, metadata, symbols.
    const part = fc.tuple(fc.constantFrom(1, 2, 3, 4, 5), fc.uint8Array({ maxLength: 20 }))
    const parts = fc.array(part, { maxLength: 6 })
    fc.assert(
      fc.property(fc.constantFrom(1, 3, 4, 5), parts, (outer, inner) => {
        const inside = inner.flatMap(([number, bytes]) => [...field(number, bytes)])
        refuses(body([...field(4, []), ...field(outer, inside)]))
      }),
      { numRuns: 3000 },
    )
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), refuses), { numRuns: 3000 })
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), bytes => refuses(compressBlock(bytes))),
      { numRuns: 3000 },
    )
    const good = encodeRemoteWrite([{ labels: { a: 'bcd' }, samples: [{ timestampMs: 5, value: 1 }] }])
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), (at, value) => {
        const flipped = Uint8Array.from(good)
        flipped[at] = value
        refuses(flipped)
      }),
    )
  })
})

describe('remote write 2.0', () => {
  it('is chosen by the content type', () => {
    expect(remoteWriteVersion('application/x-protobuf;proto=io.prometheus.write.v2.Request')).toBe('2.0')
    expect(remoteWriteVersion('application/x-protobuf;proto=prometheus.WriteRequest')).toBe('1.0')
    expect(remoteWriteVersion(undefined)).toBe('1.0')
  })

  it('resolves labels by the table of symbols, packed or not', () => {
    const symbols = ['', '__name__', 'up'].flatMap(symbol => field(4, Buffer.from(symbol)))
    const value = [...new Uint8Array(new Float64Array([2.5]).buffer)]
    const point = field(2, [9, ...value, 16, 7])
    const packed = field(5, [...field(1, [1, 2]), ...point])
    const single = field(5, [8, 1, 8, 2, ...point])
    const expected = { labels: { __name__: 'up' }, samples: [{ timestampMs: 7, value: 2.5 }] }
    const decoded = decodeRemoteWrite(body([...symbols, ...packed, ...single]), REMOTE_WRITE_LIMITS, '2.0')
    expect(decoded).toEqual([expected, expected])
  })

  it('refuses references outside of the table, and an odd number of them', () => {
    const outside = body([...field(4, []), ...field(5, field(1, [1, 2]))])
    const odd = body([...field(4, []), ...field(5, field(1, [1]))])
    expect(() => decodeRemoteWrite(outside, REMOTE_WRITE_LIMITS, '2.0')).toThrow(
      /references below 1, got 1 and 2/,
    )
    expect(() => decodeRemoteWrite(odd, REMOTE_WRITE_LIMITS, '2.0')).toThrow(/expected pairs, got 1/)
  })
})

describe('snappy blocks', () => {
  it('come back whole', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (bytes, repeats) => {
        const long = Buffer.concat(Array.from({ length: 1 + (repeats % 20) }, () => bytes))
        expect(decompressBlock(compressBlock(long), 1_000_000)).toEqual(Buffer.from(long))
      }),
    )
  })

  it('are refused, and do not loop, when a literal has a length of four bytes with the top bit set', () => {
    expect(decompressBlock(Uint8Array.from([10, 252, 251, 255, 255, 255, 0]), 1000)).toMatchObject({
      kind: 'invalid',
    })
  })

  it('are refused when they promise more than they can hold', () => {
    expect(decompressBlock(Uint8Array.from([255, 255, 127, 0, 1]), 10_000_000)).toMatchObject({
      kind: 'invalid',
    })
  })
})
