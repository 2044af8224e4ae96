import { describe, expect, it } from 'vitest'
import type { Carry, CarryWord, LossView } from '#wire'
import { carryText, rowsOf, sentenceOf, weekShape, weekTop } from './what-if-words.ts'

const carry = (word: CarryWord, demandMb: number | null, headroom: number | null): Carry => ({
  word,
  demandBps: demandMb === null ? null : demandMb * 1e6,
  headroom,
  at: null,
})
function loss(id: string, word: CarryWord, part: Partial<LossView> = {}): LossView {
  const one = carry(word, 10, 0.5)
  const rest = { edges: ['x'], capacityBps: 20e6, unknown: [] }
  const base = { kind: 'edge', id, name: id, viewers: 0, sentBps: 0 } as const
  return { ...base, edges: [id], rest, word, now: one, usual: one, week: one, ...part }
}

describe('if one is lost', () => {
  it('is said in one sentence, the worst first', () => {
    const text = (...losses: LossView[]): string => sentenceOf({ losses }).text
    expect(text()).toMatch(/No edge/)
    expect(text(loss('eu', 'carried'), loss('ap', 'carried'))).toBe(
      'Whichever one is lost now, the rest carries it.',
    )
    expect(text(loss('eu', 'not-carried'), loss('ap', 'not-carried'))).toBe(
      'If eu is lost, the rest does not carry what is watched. The same goes for one more.',
    )
    expect(text(loss('eu', 'not-carried', { rest: { edges: [], capacityBps: 0, unknown: [] } }))).toMatch(
      /nobody is left/,
    )
    expect(
      text(loss('eu', 'cannot-tell', { rest: { edges: ['a'], capacityBps: 0, unknown: ['a'] } })),
    ).toMatch(/the capacity of a is not known/)
    expect(text(loss('eu', 'tight'))).toMatch(/tight\.$/)
    expect(text(loss('eu', 'carried', { week: carry('not-carried', 99, -0.1) }))).toMatch(
      /eu would have been missed/,
    )
  })

  it('tells a region of one edge once', () => {
    const region = loss('eu', 'carried', { kind: 'region' })
    expect(rowsOf([loss('eu', 'carried'), region])).toHaveLength(1)
    expect(rowsOf([{ ...region, edges: ['a', 'b'] }])).toHaveLength(1)
  })

  it('says what is left, what is too much, and nothing of what is not known', () => {
    expect(carryText(carry('carried', 120, 0.25))).toBe('120 Mbit/s, 25 % left')
    expect(carryText(carry('not-carried', 120, -0.2))).toBe('120 Mbit/s, 20 % too much')
    expect(carryText(carry('cannot-tell', 120, -0.2))).toBe('120 Mbit/s')
    expect(carryText(carry('no-demand-known', null, null))).toBe('not measured')
  })

  it('draws an hour in the tone of its share, a hole where nothing is stored, and no line for a capacity far above', () => {
    const week = [5, 9, 11, null].map((mb, at) => ({ at, peakBps: mb === null ? null : mb * 1e6, n: 1 }))
    const shape = weekShape(week, 10e6, { top: 20e6, height: 40 })
    expect(shape).toEqual({
      carried: 'M0 40V30.0h1V40z',
      tight: 'M1 40V22.0h1V40z',
      over: 'M2 40V18.0h1V40z',
      capacityY: 20,
    })
    expect(weekShape(week, null, { top: 20e6, height: 40 })).toMatchObject({
      tight: '',
      over: '',
      capacityY: null,
    })
    const losses = [loss('eu', 'carried', { rest: { edges: ['x'], capacityBps: 1e12, unknown: [] } })]
    expect(weekTop({ week, losses })).toBeCloseTo(12.1e6)
    expect(weekShape(week, 1e12, { top: 12.1e6, height: 40 }).capacityY).toBeNull()
  })
})
