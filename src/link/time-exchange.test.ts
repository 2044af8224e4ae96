import { expect, it } from 'vitest'
import { FakeClock, SlewedFleetTime } from '#base'
import { TimeExchange } from './time-exchange.ts'

it('follows a whole second with the control room, and does not take it for an error of its own', () => {
  const clock = new FakeClock()
  const control = new SlewedFleetTime(clock, 1_000_000, 7)
  const own = new SlewedFleetTime(clock, null)
  const exchange = new TimeExchange(clock, own, 2)
  let apartMs = 0
  let before = 0
  for (let at = 0; at < 100; at += 1) {
    if (at === 20) control.followTo(-1000)
    clock.advance(2000)
    const t = control.nowMs()
    exchange.onReply({ type: 'time-reply', t1: clock.bootMs(), t2: t, t3: t, followed: control.followed() })
    apartMs = Math.max(apartMs, Math.abs(own.nowMs() - control.nowMs()))
    expect(own.nowMs()).toBeGreaterThan(before)
    before = own.nowMs()
  }
  expect(control.followed()).toMatchObject({ nowMs: -1000, toMs: -1000 })
  expect(own.nowMs()).toBeCloseTo(control.nowMs(), 3)
  // What is slewed until the next exchange.
  expect(apartMs).toBeLessThan(21)
})

it('goes on in order when the control room is started again in the midst of it', () => {
  const clock = new FakeClock()
  const own = new SlewedFleetTime(clock, null)
  const exchange = new TimeExchange(clock, own, 2)
  const ask = (control: SlewedFleetTime): void => {
    const t = control.nowMs()
    exchange.onReply({ type: 'time-reply', t1: clock.bootMs(), t2: t, t3: t, followed: control.followed() })
  }
  const first = new SlewedFleetTime(clock, 1_000_000, 1)
  ask(first)
  first.followTo(-1000)
  ask(first)
  clock.advance(40_000)
  // It begins where the newest sample stands and gives back the rest.
  const second = new SlewedFleetTime(clock, 1_000_000 - 400, 2)
  second.followTo(-600)
  exchange.restart()
  const before = own.nowMs()
  ask(second)
  expect(own.nowMs()).toBeCloseTo(before, 3)
  clock.advance(100_000)
  expect(own.nowMs()).toBeCloseTo(second.nowMs(), 3)
})

it('understands a control room that tells nothing of it', () => {
  const clock = new FakeClock()
  const own = new SlewedFleetTime(clock, null)
  const t = clock.bootMs() + 500_000
  new TimeExchange(clock, own, 2).onReply({ type: 'time-reply', t1: clock.bootMs(), t2: t, t3: t })
  expect(own.offsetMs()).toBe(500_000)
})
