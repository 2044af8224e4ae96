import fc from 'fast-check'
import { expect, it } from 'vitest'
import { FakeClock, SlewedFleetTime } from './clock.ts'

it('takes a second back in 100 s, in order, and says the same of an instant later', () => {
  const clock = new FakeClock()
  const fleet = new SlewedFleetTime(clock, 1_000_000)
  const [beforeBootMs, beforeMs] = [clock.bootMs(), fleet.nowMs()]
  clock.advance(10_000)
  fleet.followTo(-1000)
  clock.advance(50_000)
  expect(fleet.followed()).toMatchObject({ nowMs: -500, toMs: -1000 })
  clock.advance(60_000)
  expect(fleet.followed()).toMatchObject({ nowMs: -1000, toMs: -1000 })
  expect(fleet.nowMs()).toBe(beforeMs + 120_000 - 1000)
  // A sample that was stamped before it and is sent now.
  expect(fleet.fromBootMs(beforeBootMs)).toBe(beforeMs)
})

it('goes on without a jump when the control room is started again, which counts from zero', () => {
  const clock = new FakeClock()
  const fleet = new SlewedFleetTime(clock, null)
  fleet.follow({ room: 1, nowMs: -400, toMs: -1000 })
  fleet.adjust(1_000_000)
  const beforeMs = fleet.nowMs()
  expect(beforeMs).toBe(clock.bootMs() + 1_000_000 - 400)
  fleet.follow({ room: 2, nowMs: 0, toMs: -600 })
  fleet.adjust(1_000_000 - 400)
  expect(fleet.nowMs()).toBe(beforeMs)
  clock.advance(100_000)
  expect(fleet.nowMs()).toBe(beforeMs + 100_000 - 600)
})

it('never runs backwards and never jumps, whatever is followed, adjusted and started again', () => {
  const step = fc.record({
    advanceMs: fc.integer({ min: 1, max: 200_000 }),
    adjustMs: fc.integer({ min: -2000, max: 2000 }),
    room: fc.integer({ min: 1, max: 3 }),
    nowMs: fc.integer({ min: -1000, max: 1000 }),
    toMs: fc.constantFrom(-1000, 0, 1000),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), steps => {
      const clock = new FakeClock()
      const fleet = new SlewedFleetTime(clock, 1_000_000, 1)
      let [boot, now] = [clock.bootMs(), fleet.nowMs()]
      for (const { advanceMs, adjustMs, room, nowMs, toMs } of steps) {
        fleet.follow({ room, nowMs, toMs })
        fleet.adjust(1_000_000 + adjustMs)
        expect(fleet.nowMs()).toBeCloseTo(now, 3)
        clock.advance(advanceMs)
        const [nextBoot, next] = [clock.bootMs(), fleet.nowMs()]
        const off = (next - now - (nextBoot - boot)) / (nextBoot - boot)
        expect(next).toBeGreaterThan(now)
        expect(Math.abs(off)).toBeLessThanOrEqual(0.010_501)
        // Of instants between, in order too.
        expect(fleet.fromBootMs(nextBoot - 0.5)).toBeLessThan(next)
        ;[boot, now] = [nextBoot, next]
      }
    }),
  )
})
