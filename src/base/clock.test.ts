import { describe, expect, it } from 'vitest'
import { FakeClock, SlewedFleetTime, systemClock } from './clock.ts'

describe('fleet time', () => {
  it('follows BOOTTIME and not the wall clock', () => {
    const clock = new FakeClock()
    const fleet = new SlewedFleetTime(clock, 1_000_000)
    const beforeMs = fleet.nowMs()
    clock.advance(1000)
    clock.stepWall(-3_600_000)
    expect(fleet.nowMs() - beforeMs).toBe(1000)
  })

  it('takes the first offset whole and slews to later ones by at most 500 ppm', () => {
    const clock = new FakeClock()
    const fleet = new SlewedFleetTime(clock, null)
    expect(fleet.known()).toBe(false)
    fleet.adjust(1_000_000)
    expect(fleet.known()).toBe(true)
    expect(fleet.nowMs()).toBe(1_000_000 + clock.bootMs())
    fleet.adjust(1_000_010)
    clock.advance(10_000)
    expect(fleet.offsetMs()).toBeCloseTo(1_000_005, 6)
    clock.advance(60_000)
    expect(fleet.offsetMs()).toBe(1_000_010)
  })

  it('takes another fleet time whole: to slew an hour away would take months', () => {
    const clock = new FakeClock()
    const fleet = new SlewedFleetTime(clock, 0)
    fleet.adjust(3_600_000)
    expect(fleet.offsetMs()).toBe(3_600_000)
  })

  it('never runs backwards while it is slewed back', () => {
    const clock = new FakeClock()
    const fleet = new SlewedFleetTime(clock, 0)
    fleet.adjust(-5000)
    let lastMs = fleet.nowMs()
    for (let i = 0; i < 1000; i += 1) {
      clock.advance(1)
      expect(fleet.nowMs()).toBeGreaterThan(lastMs)
      lastMs = fleet.nowMs()
    }
  })
})

describe('the machine clocks', () => {
  it('reads BOOTTIME near the uptime that the kernel tells, and never backwards', async () => {
    const { readFileSync } = await import('node:fs')
    const uptimeMs = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000
    expect(Math.abs(systemClock.bootMs() - uptimeMs)).toBeLessThan(5000)
    const firstMs = systemClock.bootMs()
    expect(systemClock.bootMs()).toBeGreaterThanOrEqual(firstMs)
  })
})
