// When the picture stopped and went on, told by where it stands.
import { expect, it } from 'vitest'
import { Playhead } from './playhead.ts'

it('knows when the picture stopped, however late it hears of it', () => {
  const playhead = new Playhead()
  expect(playhead.stoppedMs(500, 3)).toBe(500) // nothing was seen yet
  // The page is now and then late to look.
  for (const [atMs, positionS] of [
    [1000, 10],
    [1250, 10.25],
    [1520, 10.5],
    [1750, 10.75],
  ] as const)
    playhead.look(atMs, positionS, 1)
  expect(playhead.stoppedMs(3600, 11.1)).toBe(2100)
  // The same place again is no news of its clock.
  playhead.look(3000, 10.75, 1)
  expect(playhead.stoppedMs(3600, 11.1)).toBe(2100)
  expect(Playhead.resumedMs(5000, 11.1, 11.4, 1)).toBeCloseTo(4700)
  expect(Playhead.resumedMs(5000, 11.1, 11.1, 1)).toBe(5000)
})

it('forgets what it saw at a seek, at a loop and at another speed', () => {
  const playhead = new Playhead()
  playhead.look(1000, 10, 1)
  playhead.jumped()
  expect(playhead.stoppedMs(4000, 40)).toBe(4000)
  playhead.look(5000, 40, 1)
  playhead.look(6000, 0.5, 1)
  expect(playhead.stoppedMs(9000, 1)).toBe(6500)
  playhead.look(10_000, 4, 2)
  expect(playhead.stoppedMs(20_000, 6)).toBe(11_000)
})
