import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Fault } from '#base'
import { expandRange, FragmentReader, readMovie, writeFragmentHead, writeInit } from '#media'
import { boxOf, fourccBytes, fullBoxOf, joinBytes, u16Bytes, u32Bytes } from './write-box.ts'

const sizes = [900, 100, 120, 80, 850, 90]
const geometryWords = [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000, 160 << 16, 90 << 16]
const geometry = joinBytes(geometryWords.map(u32Bytes))

interface Parts {
  stsz?: Uint8Array
  stco?: Uint8Array
  stsc?: Uint8Array
  stts?: Uint8Array
  ctts?: Uint8Array
  stss?: Uint8Array
  entry?: Uint8Array
  edits?: Uint8Array
}

const avcC = boxOf('avcC', Uint8Array.of(1, 0x64, 0, 0x1f, 0xff, 0xe0, 0))

function visualEntry(format = 'avc1', ...boxes: Uint8Array[]): Uint8Array {
  const fields = new Uint8Array(78)
  fields.set(u16Bytes(1), 6)
  fields.set(u16Bytes(160), 24)
  fields.set(u16Bytes(90), 26)
  return boxOf(format, fields, ...(boxes.length === 0 ? [avcC] : boxes))
}

/** A movie of six samples in three chunks of two, as a careful writer would make it, but for the parts given. */
function movie(parts: Parts = {}): Uint8Array {
  const stbl = boxOf(
    'stbl',
    fullBoxOf('stsd', 0, 0, u32Bytes(1), parts.entry ?? visualEntry()),
    parts.stts ?? fullBoxOf('stts', 0, 0, u32Bytes(1), u32Bytes(6), u32Bytes(40)),
    parts.ctts ?? fullBoxOf('ctts', 0, 0, ...[2, 1, 80, 5, 0xffffffd8].map(u32Bytes)),
    parts.stss ?? fullBoxOf('stss', 0, 0, ...[2, 1, 5].map(u32Bytes)),
    parts.stsc ?? fullBoxOf('stsc', 0, 0, ...[1, 1, 2, 1].map(u32Bytes)),
    parts.stsz ?? fullBoxOf('stsz', 0, 0, ...[0, 6, ...sizes].map(u32Bytes)),
    parts.stco ?? fullBoxOf('stco', 0, 0, ...[3, 5000, 9000, 12_000].map(u32Bytes)),
  )
  const tkhd = fullBoxOf('tkhd', 0, 7, new Uint8Array(8), u32Bytes(1), new Uint8Array(24), geometry)
  const mdhd = fullBoxOf(
    'mdhd',
    0,
    0,
    new Uint8Array(8),
    u32Bytes(1000),
    u32Bytes(240),
    u16Bytes(0x15c7),
    u16Bytes(0),
  )
  const hdlr = fullBoxOf('hdlr', 0, 0, u32Bytes(0), fourccBytes('vide'), new Uint8Array(13))
  const edts = boxOf('edts', parts.edits ?? fullBoxOf('elst', 0, 0, ...[1, 240, 80, 0x10000].map(u32Bytes)))
  const trak = boxOf('trak', tkhd, edts, boxOf('mdia', mdhd, hdlr, boxOf('minf', stbl)))
  return boxOf('moov', fullBoxOf('mvhd', 0, 0, new Uint8Array(8), u32Bytes(1000), new Uint8Array(84)), trak)
}

describe('readMovie', () => {
  it('reads tables, codec, language and edits', () => {
    const [track] = readMovie(movie(), 24).tracks
    expect(track?.entry.codec).toBe('avc1.64001f')
    expect(track?.language).toBe('en')
    expect(track?.edits).toEqual([{ movieTicks: 240, mediaTicks: 80 }])
    if (track === undefined) throw new Error('no track')
    const range = expandRange(track.table, 1, 6)
    expect(Array.from(range.offsetBytes)).toEqual([5900, 9000, 9120, 12_000, 12_850])
    expect(Array.from(range.decodeTicks)).toEqual([40, 80, 120, 160, 200])
    expect(Array.from(range.compositionTicks)).toEqual([-40, -40, -40, -40, -40])
    expect(Array.from(range.sync)).toEqual([0, 0, 0, 1, 0])
  })

  it('reads 64-bit chunk offsets, compact sizes and 64-bit box sizes', () => {
    const high = 3_000_000_000 * 4
    const co64 = fullBoxOf('co64', 0, 0, u32Bytes(3), ...[high, high + 5000, high + 9000].flatMap(u64))
    const stz2 = fullBoxOf('stz2', 0, 0, u32Bytes(16), u32Bytes(6), ...sizes.map(u16Bytes))
    const plain = movie({ stco: co64, stsz: stz2 })
    const wide = joinBytes([u32Bytes(1), fourccBytes('moov'), ...u64(plain.length + 8), plain.subarray(8)])
    for (const bytes of [plain, wide]) {
      const table = readMovie(bytes, 0).tracks[0]?.table
      expect(table?.chunks.offsetBytes[2]).toBe(high + 9000)
      expect(Array.from(table?.sizes ?? [])).toEqual(sizes)
    }
  })

  it.for([
    [
      'stsz',
      { stsz: fullBoxOf('stsz', 0, 0, ...[0, 900_000, ...sizes].map(u32Bytes)) },
      '900000 samples announced, box holds 6',
    ],
    [
      'stsz',
      { stsz: fullBoxOf('stsz', 0, 0, ...[1, 0xffffffff].map(u32Bytes)) },
      '4294967295 samples, expected at most 10000000',
    ],
    [
      'stco',
      { stco: fullBoxOf('stco', 0, 0, ...[0xffffffff, 1].map(u32Bytes)) },
      '4294967295 chunks announced, box holds 1',
    ],
    [
      'stsc',
      { stsc: fullBoxOf('stsc', 0, 0, ...[1, 1, 1, 1].map(u32Bytes)) },
      '3 chunks hold 3 samples, expected 6',
    ],
    [
      'stsc',
      { stsc: fullBoxOf('stsc', 0, 0, ...[1, 2, 2, 1].map(u32Bytes)) },
      'starts at chunk 2, expected 1',
    ],
    [
      'stts',
      { stts: fullBoxOf('stts', 0, 0, ...[1, 5, 40].map(u32Bytes)) },
      '5 samples have a duration, expected 6',
    ],
    ['stss', { stss: fullBoxOf('stss', 0, 0, ...[2, 5, 1].map(u32Bytes)) }, 'sync sample 1 after 5'],
    ['stss', { stss: fullBoxOf('stss', 0, 0, ...[1, 7].map(u32Bytes)) }, 'sync sample 7 after 0'],
    ['elst', { edits: fullBoxOf('elst', 0, 0, ...[99, 1].map(u32Bytes)) }, '99 edits announced, box holds 0'],
    ['avc1', { entry: visualEntry('avc1', boxOf('free')) }, 'avcC is missing'],
  ] as const)('names box and offset when %s lies', ([box, parts, problem]) => {
    const thrown = faultOf(() => readMovie(movie(parts), 1000))
    expect(thrown.message).toContain(problem)
    expect(thrown.message).toMatch(new RegExp(`^mp4/moov/.*${box} @\\d+: `))
    expect(Number(thrown.facts['offset'])).toBeGreaterThan(1000)
  })

  it('skips a track in a codec that HLS does not carry, with the reason', () => {
    const { tracks, skipped } = readMovie(movie({ entry: visualEntry('apcn', boxOf('free')) }), 0)
    expect(tracks).toEqual([])
    expect(skipped).toEqual([
      { id: 1, kind: 'video', reason: 'ProRes video (apcn) cannot be played over HLS', still: false },
    ])
  })

  it('throws nothing but faults, in little time, whatever is changed or cut', () => {
    const bytes = movie()
    const seed = Math.trunc(performance.now() * 1000)
    const word = fc.constantFrom(0, 1, 2, 8, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff)
    const change = fc.record({ at: fc.nat(bytes.length - 4), word })
    let slowestMs = 0
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 4 }),
        fc.nat(bytes.length),
        fc.boolean(),
        (changes, length, cut) => {
          const damaged = cut ? bytes.slice(0, length) : bytes.slice()
          for (const { at, word } of changes) {
            if (at + 4 <= damaged.length) new DataView(damaged.buffer).setUint32(at, word)
          }
          const startedMs = performance.now()
          try {
            for (const { table } of readMovie(damaged, 0).tracks) {
              if (table.count > 0) expandRange(table, 0, Math.min(table.count, 1000))
            }
          } catch (thrown) {
            if (!(thrown instanceof Fault)) throw thrown
          }
          slowestMs = Math.max(slowestMs, performance.now() - startedMs)
        },
      ),
      { numRuns: 5000, seed },
    )
    expect(slowestMs).toBeLessThan(10_000) // damage must not make it search for minutes
  })

  it('reads five million samples without a step that grows with their square', () => {
    const count = 5_000_000
    const stsz = new Uint8Array(20 + count * 4)
    stsz.set(
      joinBytes([u32Bytes(stsz.length), fourccBytes('stsz'), u32Bytes(0), u32Bytes(0), u32Bytes(count)]),
    )
    const view = new DataView(stsz.buffer)
    for (let sample = 0; sample < count; sample += 1) view.setUint32(20 + sample * 4, 1000 + (sample % 7))
    const large = movie({
      stsz,
      stts: fullBoxOf('stts', 0, 0, ...[1, count, 40].map(u32Bytes)),
      stsc: fullBoxOf('stsc', 0, 0, ...[1, 1, count, 1].map(u32Bytes)),
    })
    readMovie(large, 0) // the first run pays for compiling
    const startedMs = performance.now()
    expect(readMovie(large, 0).tracks[0]?.table.count).toBe(count)
    // 20 to 40 ms on a quiet machine; something quadratic takes hours.
    expect(performance.now() - startedMs).toBeLessThan(10_000)
  })
})

describe('fragments', () => {
  const init = writeInit({ kind: 'video', timescale: 1000, entry: visualEntry(), geometry, editTicks: 80 })
  const moov = init.subarray(new DataView(init.buffer).getUint32(0))

  function fragmentsOf(heads: readonly Uint8Array[]): FragmentReader {
    const reader = new FragmentReader(readMovie(moov, 0))
    let offset = 1000
    for (const head of heads) {
      const styp = new DataView(head.buffer).getUint32(0)
      const moof = head.subarray(styp, head.length - 8)
      reader.add(moof, offset)
      offset += 100_000
    }
    return reader
  }

  it('reads back the init segments and fragments that it writes', () => {
    const number = fc.nat(0xffff)
    const sample = fc.record({
      size: fc.integer({ min: 1, max: 0xffff }),
      duration: number,
      offset: fc.integer({ min: -5000, max: 5000 }),
      sync: fc.boolean(),
    })
    fc.assert(
      fc.property(
        fc.array(sample, { minLength: 1, maxLength: 60 }),
        fc.nat(2 ** 40),
        (samples, decodeTicks) => {
          const head = writeFragmentHead(7, decodeTicks, {
            sizes: Uint32Array.from(samples, one => one.size),
            durationTicks: Uint32Array.from(samples, one => one.duration),
            compositionTicks: Int32Array.from(samples, one => one.offset),
            sync: Uint8Array.from(samples, one => (one.sync ? 1 : 0)),
          })
          const [track] = fragmentsOf([head]).movie().tracks
          if (track === undefined) throw new Error('no track')
          const range = expandRange(track.table, 0, samples.length)
          expect(Array.from(range.sizes)).toEqual(samples.map(one => one.size))
          expect(Array.from(range.durationTicks)).toEqual(samples.map(one => one.duration))
          expect(Array.from(range.compositionTicks)).toEqual(samples.map(one => one.offset))
          expect(Array.from(range.sync)).toEqual(samples.map(one => (one.sync ? 1 : 0)))
          expect(range.decodeTicks[0]).toBe(decodeTicks)
          const styp = new DataView(head.buffer).getUint32(0)
          expect(range.offsetBytes[0]).toBe(1000 + head.length - styp)
        },
      ),
    )
  })

  it('passes the sample entry through byte for byte', () => {
    expect(readMovie(moov, 0).tracks[0]?.entry.bytes).toEqual(visualEntry())
    expect(readMovie(moov, 0).tracks[0]?.edits).toEqual([{ movieTicks: 0, mediaTicks: 80 }])
  })

  it('leaves out samples without bytes, and gives their time to the sample before', () => {
    const part = (sizes: number[]): FragmentReader =>
      fragmentsOf([
        writeFragmentHead(1, 4000, {
          sizes: Uint32Array.from(sizes),
          durationTicks: Uint32Array.from(sizes, () => 40),
          compositionTicks: Int32Array.from(sizes, (_, index) => index * 10),
          sync: Uint8Array.from(sizes, (_, index) => (index === 2 ? 1 : 0)),
        }),
      ])
    const [track] = part([0, 7, 5, 0, 0, 9, 0]).movie().tracks
    if (track === undefined) throw new Error('no track')
    const range = expandRange(track.table, 0, track.table.count)
    expect(Array.from(range.sizes)).toEqual([7, 5, 9])
    expect(Array.from(range.decodeTicks)).toEqual([4040, 4080, 4200])
    expect(Array.from(range.durationTicks)).toEqual([40, 120, 80])
    expect(Array.from(range.compositionTicks)).toEqual([10, 20, 50])
    expect(Array.from(range.sync)).toEqual([0, 1, 0])
    const start = range.offsetBytes[0] ?? 0
    expect(Array.from(range.offsetBytes, place => place - start)).toEqual([0, 7, 12])
    expect(part([0, 0]).movie().tracks).toEqual([])
  })

  it('refuses fragments whose time steps back, and runs that announce more than they hold', () => {
    const one = (ticks: number): Uint8Array =>
      writeFragmentHead(1, ticks, {
        sizes: Uint32Array.of(10, 10),
        durationTicks: Uint32Array.of(40, 40),
        compositionTicks: Int32Array.of(0, 0),
        sync: Uint8Array.of(1, 0),
      })
    expect(() => fragmentsOf([one(4000), one(1000)])).toThrow(
      'decode time 1000 after 4080, expected no step back',
    )
    const lying = one(0)
    const trun = lying.length - 8 - 8 - 16
    new DataView(lying.buffer).setUint32(trun + 4, 0xffff)
    expect(faultOf(() => fragmentsOf([lying])).message).toMatch(
      /moof\/traf\/trun @\d+: 65535 samples announced/,
    )
  })
})

function u64(value: number): Uint8Array[] {
  return [u32Bytes(Math.floor(value / 2 ** 32)), u32Bytes(value % 2 ** 32)]
}

function faultOf(run: () => unknown): Fault {
  try {
    run()
  } catch (thrown) {
    if (thrown instanceof Fault) return thrown
    throw thrown
  }
  throw new Error('nothing was thrown')
}
