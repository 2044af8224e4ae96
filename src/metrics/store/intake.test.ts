import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { messageOf } from '#base'
import { decompressRequest, REMOTE_WRITE_LIMITS, readMessage } from '../remote-write/read-remote-write.ts'
import { compressBlock } from '../remote-write/snappy.ts'
import { ChunkSlab } from './chunk-slab.ts'
import { Head } from './head.ts'
import { Intake } from './intake.ts'
import { readRecord } from './log-record.ts'
import { OpenColumns } from './open-columns.ts'

const NOW_MS = 1_700_000_000_000

/** A store's way in, without its disk. */
function newIntake(seriesMax: number): Intake {
  const limits = { seriesMax, senderSeriesMax: 10 }
  const head = new Head(limits, { slab: new ChunkSlab(), open: new OpenColumns() })
  return new Intake(head, limits.seriesMax, (series, timeMs) => series.valueAt(timeMs))
}

type Version = '1.0' | '2.0'

interface Side {
  readonly intake: Intake
  /** Label sets by id: a request that is read twice uses up numbers. */
  readonly labels: Map<number, unknown>
}

function newSide(seriesMax = 12): Side {
  return { intake: newIntake(seriesMax), labels: new Map() }
}

/** What came of a request: what goes into the log, what was refused and told; or the fault. */
function outcome(
  { intake, labels }: Side,
  take: () => { exemplars: number; histograms: number; metadata: unknown },
): unknown {
  intake.begin(NOW_MS, 0)
  try {
    const { exemplars, histograms, metadata } = take()
    const samples: unknown[] = []
    readRecord(Buffer.concat([...intake.payload()]), {
      series: (id, own) => labels.set(id, own),
      sample: (id, timeMs, value) => samples.push([labels.get(id), timeMs, bitsOf(value)]),
    })
    const refused = { ...intake.refused }
    intake.apply()
    return { samples, refused, exemplars, histograms, metadata: lastOfEach(metadata), made: intake.newSeries }
  } catch (error) {
    return messageOf(error)
  }
}

function bitsOf(value: number): string {
  return Buffer.from(Float64Array.of(value).buffer).toString('hex')
}

/** Only the last that is told of a name counts. */
function lastOfEach(metadata: unknown): unknown {
  return new Map((metadata as { name: string }[]).map(one => [one.name, one]))
}

function quickly(side: Side, body: Uint8Array, version: Version): unknown {
  return outcome(side, () =>
    side.intake.request({ body, version, limits: REMOTE_WRITE_LIMITS, sender: null, accept: null }),
  )
}

function fully(side: Side, body: Uint8Array, version: Version): unknown {
  return outcome(side, () => {
    const limits = REMOTE_WRITE_LIMITS
    const { series, ...beside } = readMessage(decompressRequest(body, limits), limits, version)
    side.intake.batch(series)
    return beside
  })
}

function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
  return [...bytes, rest]
}

function field(number: number, bytes: readonly number[]): number[] {
  return [number * 8 + 2, ...varint(bytes.length), ...bytes]
}

interface WrittenSample {
  readonly timeMs: number
  readonly value: number
}

interface WrittenSeries {
  readonly labels: readonly (readonly [string, string])[]
  readonly samples: readonly WrittenSample[]
  readonly extra: readonly (readonly [field: number, bytes: readonly number[]])[]
  readonly told: readonly [type: number, help: number, unit: number] | null
}

function sampleBytes({ timeMs, value }: WrittenSample): number[] {
  const bits = [...new Uint8Array(Float64Array.of(value).buffer)]
  return field(2, [...(Object.is(value, 0) ? [] : [9, ...bits]), 16, ...varint(timeMs)])
}

function bodyOf1(series: readonly WrittenSeries[]): number[] {
  return series.flatMap(({ labels, samples, extra }) => {
    const own = labels.flatMap(([name, value]) =>
      field(1, [...field(1, [...Buffer.from(name)]), ...field(2, [...Buffer.from(value)])]),
    )
    const more = extra.flatMap(([number, bytes]) => field(number, bytes))
    return field(1, [...own, ...samples.flatMap(sampleBytes), ...more])
  })
}

function bodyOf2(series: readonly WrittenSeries[], more: readonly string[], wrong: number): number[] {
  const symbols = [...new Set(['', ...more, ...series.flatMap(one => one.labels.flat())])]
  const place = (symbol: string): number => symbols.indexOf(symbol) + wrong
  const all = series.flatMap(({ labels, samples, extra, told }) => {
    const references = labels.flat().flatMap(symbol => varint(place(symbol)))
    const metadata = told === null ? [] : field(5, [8, told[0], 24, told[1], 32, told[2]])
    const rest = extra.flatMap(([number, bytes]) => field(number, bytes))
    return field(5, [...field(1, references), ...samples.flatMap(sampleBytes), ...rest, ...metadata])
  })
  return [...symbols.flatMap(symbol => field(4, [...Buffer.from(symbol)])), ...all]
}

const label = fc.tuple(
  fc.constantFrom('a', 'b', 'instance', 'ü', '__proto__', '0'),
  fc.oneof(fc.constantFrom('x', 'y', 'longer than eight', 'ö', '"\\'), fc.constantFrom('x', 'y', '')),
)
const labels = fc
  .tuple(
    fc.constantFrom('up', 'up', 'load_bucket', 'no name'),
    fc.uniqueArray(label, { maxLength: 3, selector: ([name]) => name }),
    fc.boolean(),
  )
  .map(([name, others, isSorted]) => {
    const all = [['__name__', name] as const, ...others]
    return isSorted ? all.sort(([a], [b]) => (a < b ? -1 : 1)) : all
  })
const sample = fc.record({
  timeMs: fc.oneof(
    fc.integer({ min: -6, max: 6 }).map(seconds => NOW_MS + seconds * 1000),
    fc.constantFrom(5, NOW_MS - 3_600_000, NOW_MS + 3_600_000, NOW_MS - 200_000),
  ),
  value: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.double(), fc.constantFrom(-0, Number.NaN, Infinity)),
})
const series: fc.Arbitrary<WrittenSeries> = fc.record({
  labels,
  samples: fc.array(sample, { maxLength: 4 }),
  extra: fc.array(fc.tuple(fc.constantFrom(3, 4, 7), fc.constantFrom([], [1, 2])), { maxLength: 1 }),
  told: fc.option(fc.tuple(fc.nat(5), fc.nat(6), fc.nat(6))),
})
const requests = fc.array(
  fc.record({
    version: fc.constantFrom<Version>('1.0', '2.0'),
    series: fc.array(series, { maxLength: 4 }),
    symbols: fc.array(fc.constantFrom('help', 'ä', 'bytes', '__name__'), { maxLength: 2 }),
    wrong: fc.constantFrom(0, 0, 0, 0, 0, 1),
    /** One byte that is changed, in one request of some. */
    change: fc.option(fc.tuple(fc.nat(), fc.nat(255)), { freq: 3 }),
  }),
  { minLength: 1, maxLength: 8 },
)

describe('the quick way through a request', () => {
  it('takes, refuses and tells what the full reader does, in both versions, known series or not', () => {
    fc.assert(
      fc.property(requests, all => {
        const [quick, full] = [newSide(), newSide()]
        for (const { version, series: written, symbols, wrong, change } of all) {
          const bytes = version === '1.0' ? bodyOf1(written) : bodyOf2(written, symbols, wrong)
          if (change !== null && bytes.length > 0) bytes[change[0] % bytes.length] = change[1]
          const body = compressBlock(Uint8Array.from(bytes))
          expect(quickly(quick, body, version)).toEqual(fully(full, body, version))
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('does so for many series in any order, of which some are new each time', () => {
    const [quick, full] = [newSide(1000), newSide(1000)]
    fc.assert(
      fc.property(
        fc.constantFrom<Version>('1.0', '2.0'),
        fc.uniqueArray(fc.nat(600), { minLength: 100, maxLength: 400, size: 'max' }),
        fc.nat(1000),
        (version, numbers, second) => {
          const written = numbers.map(number => ({
            labels: [['__name__', 'up'] as const, ['instance', `server-${number}`.repeat(12)] as const],
            samples: [{ timeMs: NOW_MS - 1_000_000 + second * 1000, value: number }],
            extra: [],
            told: null,
          }))
          const bytes = version === '1.0' ? bodyOf1(written) : bodyOf2(written, [], 0)
          const body = compressBlock(Uint8Array.from(bytes))
          expect(quickly(quick, body, version)).toEqual(fully(full, body, version))
        },
      ),
      { numRuns: 60 },
    )
  })

  it('knows a series of one version by the labels of the other', () => {
    const side = newSide()
    const one: WrittenSeries = {
      labels: [
        ['__name__', 'up'],
        ['a', 'x'.repeat(300)],
      ],
      samples: [{ timeMs: NOW_MS - 1000, value: 1 }],
      extra: [],
      told: null,
    }
    const next = { ...one, samples: [{ timeMs: NOW_MS, value: 2 }] }
    expect(quickly(side, compressBlock(Uint8Array.from(bodyOf1([one]))), '1.0')).toMatchObject({ made: 1 })
    expect(quickly(side, compressBlock(Uint8Array.from(bodyOf2([next], [], 0))), '2.0')).toMatchObject({
      made: 0,
      refused: { duplicate: 0 },
    })
  })
})
