import { expect, test } from 'vitest'
import { StallClock } from './stall-clock.ts'

/** Samples each 100 ms; `path` gives the position at each step, `null` a resting sample at the last position. */
function play(clock: StallClock, path: readonly (number | null)[], fromMs = 0): number {
  let positionS = 0
  let atMs = fromMs
  for (const step of path) {
    positionS = step ?? positionS
    clock.sample({ atMs, positionS, resting: step === null })
    atMs += 100
  }
  return atMs - 100
}

test('counts nothing before the first frame has moved', () => {
  const clock = new StallClock()
  play(clock, [0, 0, 0, 0, 0, 0, 0, 0])
  expect(clock.count).toBe(0)
  expect(clock.begun).toBe(false)
})

test('counts a stop from the last move to the next move', () => {
  const clock = new StallClock()
  const nowMs = play(clock, [0, 0.1, 0.2, 0.2, 0.2, 0.2, 0.2, 0.3, 0.4])
  expect(clock.count).toBe(1)
  expect(clock.stalled).toBe(false)
  expect(clock.totalMs(nowMs)).toBe(500)
})

test('a stop shorter than a quarter of a second is none', () => {
  const clock = new StallClock()
  play(clock, [0, 0.1, 0.2, 0.2, 0.2, 0.4])
  expect(clock.count).toBe(0)
})

test('seeks and pauses are not stops', () => {
  const clock = new StallClock()
  const nowMs = play(clock, [0, 0.1, null, null, null, null, null, null, 0.2, 0.3])
  expect(clock.totalMs(nowMs)).toBe(0)
})

test('a stop ends where a seek begins', () => {
  const clock = new StallClock()
  const nowMs = play(clock, [0, 0.1, 0.1, 0.1, 0.1, 0.1, null, null, null])
  expect(clock.stalled).toBe(false)
  expect(clock.totalMs(nowMs)).toBe(500)
})

test('a stop that lasts grows with the clock, and only its part between two moments is counted between them', () => {
  const clock = new StallClock()
  play(clock, [0, 0.1, 0.1, 0.1, 0.1, 0.1])
  expect(clock.stalled).toBe(true)
  expect(clock.totalMs(2_100)).toBe(2_000)
  expect(clock.stoppedBetweenMs(1_100, 2_100)).toBe(1_000)
  expect(clock.stoppedBetweenMs(500, 700)).toBe(200)
  expect(clock.stoppedBetweenMs(3_000, 2_100)).toBe(0)
})

test('a loop back to the start is a move, not a stop', () => {
  const clock = new StallClock()
  const nowMs = play(clock, [0, 179.8, 179.9, 0, 0.1, 0.2])
  expect(clock.totalMs(nowMs)).toBe(0)
})

test('keeps the total while it forgets old stops', () => {
  const clock = new StallClock()
  let atMs = 0
  for (let round = 0; round < 300; round += 1) {
    atMs = play(clock, [round, round + 0.1, round + 0.1, round + 0.1, round + 0.1, round + 0.2], atMs) + 100
  }
  expect(clock.count).toBe(300)
  expect(clock.totalMs(atMs)).toBe(300 * 400)
})
