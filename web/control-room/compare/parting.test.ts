import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Cells, findParting, type Parting } from './parting.ts'

const START_S = 1_000_000
const LENGTH = 300

/** Small and repeatable (mulberry32). */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

function gauss(next: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())
}

/** Noise as `rate` makes it: each cell shares two thirds of its time with its neighbour. */
function noisy(seed: number, level: (index: number) => number, sigma: number, length = LENGTH): number[] {
  const next = random(seed)
  const raw = Array.from({ length: length + 2 }, () => gauss(next) * sigma * Math.sqrt(3))
  return Array.from({ length }, (_, index) => {
    const mean = ((raw[index] ?? 0) + (raw[index + 1] ?? 0) + (raw[index + 2] ?? 0)) / 3
    return Math.max(0, level(index) + mean)
  })
}

function parting(lines: Record<string, Cells>, matters = 0): Parting {
  const entries = Object.entries(lines).map(([id, cells]) => ({ id, cells }))
  return findParting({ lines: entries, startS: START_S, stepS: 1, matters })
}

const step = (at: number, before: number, after: number) => (index: number) => (index < at ? before : after)
const flat = (level: number) => () => level

describe('finds the moment', () => {
  test.each([20, 90, 150, 270, 290])('of a step at cell %i, within two cells, with both levels', at => {
    for (let seed = 0; seed < 20; seed += 1) {
      const found = parting({
        eu: noisy(seed, flat(0.1), 0.02),
        ap: noisy(seed + 500, step(at, 0.1, 0.9), 0.02),
      })
      if (found.kind !== 'found') throw new Error(`seed ${seed}: ${JSON.stringify(found)}`)
      expect(Math.abs(found.atS - START_S - at), `seed ${seed}`).toBeLessThanOrEqual(2)
      expect(found.untilS).toBeNull()
      const [moved, stayed] = found.changes
      expect([moved.id, stayed.id]).toEqual(['ap', 'eu'])
      expect(moved.before).toBeCloseTo(0.1, 1)
      expect(moved.after).toBeCloseTo(0.9, 1)
    }
  })

  test('of two lines that leave in opposite directions, as on the night of the story', () => {
    const found = parting({
      'eu-west': noisy(1, step(120, 0.4, 0), 0.03),
      'ap-southeast': noisy(2, step(121, 0.4, 2), 0.05),
    })
    expect(found).toMatchObject({ kind: 'found', changes: [{ id: 'ap-southeast' }, { id: 'eu-west' }] })
    if (found.kind === 'found') expect(Math.abs(found.atS - START_S - 120)).toBeLessThanOrEqual(2)
  })

  test('of a slope: where it begins, not its middle', () => {
    const slope = (index: number): number => 0.2 + Math.min(1, Math.max(0, (index - 100) / 60))
    const found = parting({ a: noisy(3, flat(0.2), 0.005), b: noisy(4, slope, 0.005) })
    if (found.kind !== 'found') throw new Error(JSON.stringify(found))
    expect(found.atS - START_S).toBeGreaterThanOrEqual(98)
    expect(found.atS - START_S).toBeLessThanOrEqual(112)
  })

  test('and the moment at which they meet again', () => {
    const spell = (index: number): number => (index >= 140 && index < 180 ? 0.8 : 0.1)
    const found = parting({ a: noisy(5, flat(0.1), 0.01), b: noisy(6, spell, 0.01) })
    if (found.kind !== 'found') throw new Error(JSON.stringify(found))
    expect(Math.abs(found.atS - START_S - 140)).toBeLessThanOrEqual(2)
    expect(Math.abs((found.untilS ?? 0) - START_S - 180)).toBeLessThanOrEqual(3)
  })

  test('of one among many: which one it is', () => {
    const lines = Object.fromEntries(
      ['a', 'b', 'c', 'd'].map((id, seed) => [id, noisy(seed + 7, step(200, 1, id === 'c' ? 0.2 : 1), 0.03)]),
    )
    const found = parting(lines)
    expect(found).toMatchObject({ kind: 'found', changes: [{ id: 'c' }, { id: null }] })
  })

  test('when both follow the load of the day, which is no parting by itself', () => {
    const load = (index: number): number => 1 + 0.6 * Math.sin(index / 30)
    expect(parting({ a: noisy(11, load, 0.03), b: noisy(12, load, 0.03) }).kind).toBe('none')
    const off = (index: number): number => load(index) + (index < 210 ? 0 : 0.7)
    const found = parting({ a: noisy(11, load, 0.03), b: noisy(12, off, 0.03) })
    if (found.kind !== 'found') throw new Error(JSON.stringify(found))
    expect(Math.abs(found.atS - START_S - 210)).toBeLessThanOrEqual(2)
  })
})

describe('says that there is none', () => {
  test('in noise: of 1,000 pairs of lines not one parts', () => {
    let partings = 0
    for (let seed = 0; seed < 1_000; seed += 1) {
      const found = parting({ a: noisy(seed, flat(0.05), 0.02), b: noisy(seed + 5_000, flat(0.05), 0.02) })
      if (found.kind !== 'none') partings += 1
    }
    expect(partings).toBe(0)
  })

  test('where the difference was there from the start, and where lines come together', () => {
    expect(parting({ a: noisy(1, flat(1), 0.02), b: noisy(2, flat(0.2), 0.02) })).toMatchObject({
      kind: 'none',
      why: 'steady',
    })
    expect(parting({ a: noisy(1, step(150, 1, 0.2), 0.02), b: noisy(2, flat(0.2), 0.02) }).kind).toBe('none')
  })

  test('for a burst of a few cells, however high', () => {
    const burst = (index: number): number => (index >= 100 && index < 104 ? 50 : 0.1)
    expect(parting({ a: noisy(1, flat(0.1), 0.01), b: noisy(2, burst, 0.01) }).kind).toBe('none')
  })

  test('for a difference that nobody would see, or that does not matter', () => {
    const tiny = { a: noisy(1, flat(1), 0.0001), b: noisy(2, step(150, 1, 1.05), 0.0001) }
    expect(parting(tiny).kind).toBe('none')
    const idle = { a: noisy(1, flat(0.001), 0.0001), b: noisy(2, step(150, 0.001, 0.01), 0.0001) }
    expect(parting(idle, 0.02).kind).toBe('none')
    expect(parting(idle).kind).toBe('found')
  })

  test('with too few samples, with one line, with none', () => {
    expect(parting({})).toMatchObject({ why: 'one line' })
    expect(parting({ a: [1, 2, 3], b: [null, null, null] })).toMatchObject({ why: 'one line' })
    expect(parting({ a: [1, 1, 1], b: [1, 9, 9] })).toMatchObject({ why: 'too few samples' })
    const zero = Array.from({ length: 50 }, () => 0)
    expect(parting({ a: zero, b: zero })).toMatchObject({ why: 'steady' })
  })
})

test('a line that ends is not parted from the others: it is said to end', () => {
  const ended = noisy(2, flat(0.1), 0.01).map((cell, index) => (index > 220 ? null : cell))
  const found = parting({ a: noisy(1, flat(0.1), 0.01), b: ended })
  expect(found).toEqual({ kind: 'ended', id: 'b', atS: START_S + 220 })
})

test('holes in the lines cost nothing but their cells', () => {
  const next = random(9)
  const holed = (cells: readonly number[]): Cells => cells.map(cell => (next() < 0.2 ? null : cell))
  const found = parting({
    a: holed(noisy(1, flat(0.1), 0.01)),
    b: holed(noisy(2, step(150, 0.1, 0.6), 0.01)),
  })
  if (found.kind !== 'found') throw new Error(JSON.stringify(found))
  expect(Math.abs(found.atS - START_S - 150)).toBeLessThanOrEqual(4)
})

test('whatever the cells are, the answer is a moment of the window, or none', () => {
  const cell = fc.oneof(fc.constant(null), fc.double(), fc.integer({ min: -5, max: 5 }))
  const lines = fc.array(fc.array(cell, { maxLength: 60 }), { maxLength: 4 })
  fc.assert(
    fc.property(lines, all => {
      const found = parting(Object.fromEntries(all.map((cells, index) => [`s${index}`, cells])))
      if (found.kind === 'none') return true
      return found.atS >= START_S && found.atS < START_S + 60
    }),
    { numRuns: 300 },
  )
})
