import { expect, it } from 'vitest'
import { FakeClock, silentLog } from '#base'
import { openFleetTime } from './open-fleet-time.ts'

it('believes the wall clock at the start, and no step of it afterwards', () => {
  const clock = new FakeClock(1_000_000)
  const { fleetTime, heldMs } = openFleetTime(clock, 999_000, silentLog)
  expect(heldMs).toBe(0)
  expect(fleetTime.nowMs()).toBe(1_000_000)
  clock.stepWall(-3_600_000)
  clock.advance(1000)
  expect(fleetTime.nowMs()).toBe(1_001_000)
})

it('goes on from the newest stored sample when the wall clock lies behind it', () => {
  const clock = new FakeClock(1_000_000)
  const { fleetTime, heldMs } = openFleetTime(clock, 1_500_000, silentLog)
  expect(heldMs).toBe(500_000)
  expect(fleetTime.nowMs()).toBe(1_500_000)
})
