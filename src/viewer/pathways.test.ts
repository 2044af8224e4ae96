import { describe, expect, it } from 'vitest'
import { chooseRung } from './ladder.ts'
import { Pathways } from './pathways.ts'
import { PlayClock, roomFor } from './play-clock.ts'

describe('pathways of a viewer', () => {
  it('starts at the entry, and follows steering among the edges that its playlist has', () => {
    const pathways = new Pathways(['a', 'b', 'c'], 30_000)
    expect(pathways.current).toBe('a')
    expect(pathways.steer(['unknown', 'c', 'a'], 0)).toBe(true)
    expect(pathways.current).toBe('c')
    expect(pathways.steer(['unknown'], 0)).toBe(false)
  })

  it('leaves an edge that failed, whatever steering says, for as long as it was told', () => {
    const pathways = new Pathways(['a', 'b', 'c'], 30_000)
    expect(pathways.failed('a', 0)).toBe(true)
    expect(pathways.current).toBe('b')
    expect(pathways.steer(['a', 'b', 'c'], 29_999)).toBe(false)
    expect(pathways.steer(['a', 'b', 'c'], 30_000)).toBe(true)
    expect(pathways.current).toBe('a')
  })

  it('says when no edge is left, and takes no blame for one that it has left already', () => {
    const pathways = new Pathways(['a', 'b'], 30_000)
    pathways.failed('a', 0)
    expect(pathways.failed('a', 1)).toBe(true)
    expect(pathways.current).toBe('b')
    expect(pathways.failed('b', 2)).toBe(false)
  })
})

describe('play clock', () => {
  it('asks while something is left, also when the buffer is no longer than a segment', () => {
    expect(roomFor(4, 20)).toBe(16)
    expect(roomFor(4, 4)).toBe(2)
    expect(roomFor(6, 4)).toBe(2)
    expect(roomFor(4, 5)).toBe(2)
  })

  it('counts a stall from the moment the buffer is empty to the next segment', () => {
    const clock = new PlayClock()
    expect([clock.started(), clock.stallMs(5000)]).toEqual([false, 0])
    clock.add(1000, 4)
    expect(clock.bufferedS(2000)).toBe(3)
    expect(clock.stallMs(7000)).toBe(2000)
    expect(clock.add(7500, 4)).toBe(2500)
    expect([clock.stalls, clock.stalledMs, clock.bufferedS(7500)]).toEqual([1, 2500, 4])
  })

  it('does not call a gap of a few frames a stall', () => {
    const clock = new PlayClock()
    clock.add(0, 1)
    expect(clock.add(1100, 1)).toBe(0)
    expect(clock.stalls).toBe(0)
  })
})

describe('choice of a rung', () => {
  const rungs = [300_000, 1_000_000, 3_000_000].map(bandwidth => ({
    uri: '',
    bandwidth,
    audioUri: null,
    variantId: null,
    renditionId: null,
  }))

  it('starts with the lowest, then takes what 70 % of the throughput carries', () => {
    expect(chooseRung(rungs, null).bandwidth).toBe(300_000)
    expect(chooseRung(rungs, 100).bandwidth).toBe(300_000)
    expect(chooseRung(rungs, 1_500_000).bandwidth).toBe(1_000_000)
    expect(chooseRung(rungs, 9_000_000).bandwidth).toBe(3_000_000)
  })
})
