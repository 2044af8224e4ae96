import { describe, expect, it } from 'vitest'
import { chooseCuts, commonTimes, indexOfTime } from './cut-points.ts'

function every(periodS: number, untilS: number): number[] {
  return Array.from({ length: Math.ceil(untilS / periodS) }, (_, index) => index * periodS)
}

describe('chooseCuts', () => {
  it('cuts GOPs of 2 s at 4 s', () => {
    const keys = every(2, 20)
    expect(chooseCuts(keys, 20).map(key => keys[key])).toEqual([0, 4, 8, 12, 16])
  })

  it('cuts at each key frame when these are further apart than the target', () => {
    expect(chooseCuts([0, 20, 40], 47)).toEqual([0, 1, 2])
    expect(chooseCuts(every(3, 12), 12)).toEqual([0, 1, 2, 3])
  })

  it('never makes a segment of much more than the target when every frame is a key frame', () => {
    const keys = every(0.04, 30)
    const cuts = [...chooseCuts(keys, 30).map(key => keys[key] ?? 0), 30]
    for (let index = 1; index < cuts.length; index += 1) {
      expect((cuts[index] ?? 0) - (cuts[index - 1] ?? 0)).toBeLessThanOrEqual(4.5 + 1e-9)
    }
  })

  it('leaves no short rest at the end', () => {
    expect(chooseCuts([0, 4, 4.3], 4.4)).toEqual([0])
  })

  it('gives nothing for nothing', () => {
    expect(chooseCuts([], 0)).toEqual([])
  })
})

describe('commonTimes', () => {
  it('keeps what all renditions share, a rounding of the timescale aside', () => {
    const common = commonTimes(
      [Float64Array.of(0, 2, 4, 6), Float64Array.of(0.0004, 1, 2.0003, 4, 5, 6.02)],
      6.1,
    )
    expect(Array.from(common ?? [])).toEqual([0, 2, 4])
  })

  it('is null for renditions that do not agree', () => {
    const own = (shift: number): Float64Array =>
      Float64Array.from(every(2, 60), time => (time === 0 ? 0 : time + shift))
    expect(commonTimes([own(0), own(0.5)], 60)).toBeNull()
  })

  it('finds a time or the first one after it', () => {
    expect(indexOfTime([0, 2, 4], 2.0005)).toBe(1)
    expect(indexOfTime([0, 2, 4], 2.5)).toBe(2)
  })
})
