import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { ChunkSlab } from './chunk-slab.ts'
import { ColumnCache } from './column-cache.ts'
import { OpenColumns } from './open-columns.ts'
import { Series } from './series.ts'

const SEED = 20_261_122

type Step =
  | { readonly kind: 'append'; readonly series: number; readonly count: number; readonly value: number }
  | { readonly kind: 'late'; readonly series: number; readonly back: number; readonly value: number }
  | { readonly kind: 'forget'; readonly series: number }
  | { readonly kind: 'ask'; readonly series: number; readonly from: number; readonly length: number }

const series = fc.nat(2)
const value = fc.oneof(fc.nat(20), fc.constant(Number.NaN))
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('append' as const), series, count: fc.integer({ min: 1, max: 90 }), value }),
  fc.record({ kind: fc.constant('late' as const), series, back: fc.nat(400), value }),
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('forget' as const), series }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('ask' as const),
      series,
      from: fc.nat(900),
      length: fc.nat(900),
    }),
  },
)

/** Three series beside a plain list of what each has; stamps are even, so that late ones have room between. */
class Model {
  readonly #memory = { slab: new ChunkSlab(), open: new OpenColumns() }
  readonly all = Array.from({ length: 3 }, (_, id) => ({
    series: new Series(id, {}, String(id), this.#memory),
    points: new Map<number, number>(),
    next: 0,
  }))
  readonly cache: ColumnCache

  constructor(samplesMax: number) {
    this.cache = new ColumnCache((one, fromMs, toMs) => one.between(fromMs, toMs), samplesMax)
  }

  run(one: Step): void {
    const own = this.all[one.series]
    if (own === undefined) return
    if (one.kind === 'append') {
      for (let at = 0; at < one.count; at += 1) {
        own.series.append(own.next, one.value + (at % 7))
        own.series.newestMs = own.next
        own.points.set(own.next, one.value + (at % 7))
        own.next += 2
      }
    } else if (one.kind === 'late') {
      const timeMs = own.next - 1 - one.back * 2
      if (timeMs < 0 || own.points.has(timeMs) || timeMs > own.series.newestMs) return
      own.series.appendLate(timeMs, one.value)
      own.points.set(timeMs, one.value)
    } else if (one.kind === 'forget') {
      own.series.forget()
      own.points.clear()
    } else this.#compare(own, one.from, one.from + one.length)
  }

  #compare(own: (typeof this.all)[number], fromMs: number, toMs: number): void {
    const { times, values, known } = this.cache.between(own.series, fromMs, toMs)
    const expected = [...own.points]
      .filter(([time]) => time >= fromMs && time <= toMs)
      .sort(([a], [b]) => a - b)
    expect([...times]).toEqual(expected.map(([time]) => time))
    expect([...values]).toEqual(expected.map(([, number]) => number))
    if (known === undefined) return
    if (values.some(Number.isNaN)) expect(known.hasNan).toBe(true)
    const falls = expected.flatMap(([, number], at) =>
      number < (expected[at - 1]?.[1] ?? number) ? [at] : [],
    )
    expect(known.falls() ?? falls).toEqual(falls)
  }
}

it(`a column has what its series has, whatever was appended, late or forgotten (seed ${SEED})`, () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60 }),
      fc.constantFrom(200, 2000, 1_000_000),
      (steps, samplesMax) => {
        const model = new Model(samplesMax)
        for (const one of steps) model.run(one)
      },
    ),
    { seed: SEED, numRuns: 300 },
  )
})

it('holds no more than it may, and drops what was least lately asked for', () => {
  const model = new Model(700)
  for (const at of [0, 1, 2]) model.run({ kind: 'append', series: at, count: 80, value: 1 })
  for (const at of [0, 1, 2]) model.run({ kind: 'ask', series: at, from: 0, length: 900 })
  expect(model.all.map(own => own.series.column !== null)).toEqual([true, true, true])
  const roomy = new Model(250)
  for (const at of [0, 1, 2]) roomy.run({ kind: 'append', series: at, count: 80, value: 1 })
  for (const at of [0, 1, 0, 2]) roomy.run({ kind: 'ask', series: at, from: 0, length: 900 })
  expect(roomy.cache.samples).toBeLessThanOrEqual(250)
  expect(roomy.all.map(own => own.series.column !== null)).toEqual([true, false, true])
})

it('gives views that stay as they are when a late sample comes', () => {
  const model = new Model(10_000)
  model.run({ kind: 'append', series: 0, count: 50, value: 1 })
  const own = model.all[0]
  if (own === undefined) throw new Error('three series')
  const before = model.cache.between(own.series, 0, 1000)
  const copy = [...before.times]
  model.run({ kind: 'late', series: 0, back: 20, value: 5 })
  model.run({ kind: 'ask', series: 0, from: 0, length: 900 })
  expect([...before.times]).toEqual(copy)
})
