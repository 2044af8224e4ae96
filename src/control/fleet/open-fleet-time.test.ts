import { expect, it } from 'vitest'
import { FakeClock, silentLog } from '#base'
import { type FleetTimeBefore, openFleetTime } from './open-fleet-time.ts'

const WALL = 1_000_000_000
const HOUR = 3_600_000
const before = (more: Partial<FleetTimeBefore> = {}): FleetTimeBefore => {
  return { newestMs: null, continuedMs: WALL, isKept: false, ...more }
}
const start = (more: Partial<FleetTimeBefore>): number =>
  openFleetTime(new FakeClock(WALL), before(more), silentLog).fleetTime.nowMs()

it('believes the wall clock at the start, and no step of it afterwards', () => {
  const clock = new FakeClock(WALL)
  const { fleetTime, heldMs } = openFleetTime(clock, before({ newestMs: WALL - 1000 }), silentLog)
  expect(heldMs).toBe(0)
  expect(fleetTime.nowMs()).toBe(WALL)
  clock.stepWall(-HOUR)
  clock.advance(1000)
  expect(fleetTime.nowMs()).toBe(WALL + 1000)
})

it('goes on from the newest stored sample when the wall clock lies behind it', () => {
  const { fleetTime, heldMs } = openFleetTime(
    new FakeClock(WALL),
    before({ newestMs: WALL + HOUR }),
    silentLog,
  )
  expect(heldMs).toBe(HOUR)
  expect(fleetTime.nowMs()).toBe(WALL + HOUR)
})

it('goes on as if it had never stopped when a clock that nobody keeps was set meanwhile, by an hour or ten years', () => {
  for (const off of [-HOUR, HOUR, -87_600 * HOUR, 87_600 * HOUR])
    expect(start({ continuedMs: WALL + off })).toBe(WALL + off)
  expect(start({ continuedMs: WALL - HOUR, newestMs: WALL - HOUR / 2 })).toBe(WALL - HOUR / 2)
})

it('believes a clock that a time daemon has mended, but never goes behind what is stored', () => {
  expect(start({ continuedMs: WALL - 87_600 * HOUR, isKept: true })).toBe(WALL)
  expect(start({ continuedMs: WALL + HOUR, newestMs: WALL + HOUR, isKept: true })).toBe(WALL + HOUR)
  expect(start({ continuedMs: WALL - 59_000 })).toBe(WALL)
})

it('gives back a moment by which it had to start ahead of a believed clock, as after a leap second, in order', () => {
  const clock = new FakeClock(WALL)
  const { fleetTime } = openFleetTime(clock, before({ newestMs: WALL + 1000, isKept: true }), silentLog)
  expect(fleetTime.nowMs()).toBe(WALL + 1000)
  clock.advance(100_000)
  expect(fleetTime.nowMs()).toBe(clock.wallMs())
})
