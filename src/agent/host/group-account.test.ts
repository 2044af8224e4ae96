import fc from 'fast-check'
import { expect, it } from 'vitest'
import { GroupAccount } from './group-account.ts'
import type { ProcessStat } from './proc-text.ts'

const OUTSIDE = 1

function member(pid: number, ownTicks: number, more: Partial<ProcessStat> = {}): ProcessStat {
  return {
    pid,
    name: 'node',
    state: 'S',
    parentPid: OUTSIDE,
    group: 100,
    ownTicks,
    childTicks: 0,
    startTicks: pid,
    residentPages: 1,
    ...more,
  }
}

it('adds up all members', () => {
  const account = new GroupAccount()
  account.scan([member(100, 50), member(101, 7)])
  expect(account.totalTicks()).toBe(57)
  account.scan([member(100, 60), member(101, 9)])
  expect(account.totalTicks()).toBe(69)
})

it('keeps the time of a member that ended and whose parent is outside', () => {
  const account = new GroupAccount()
  account.scan([member(100, 50), member(101, 30)])
  account.scan([member(100, 55)])
  expect(account.totalTicks()).toBe(85)
})

it('does not count a child twice when its time moves into its parent', () => {
  const account = new GroupAccount()
  account.scan([member(100, 50), member(101, 30, { parentPid: 100 })])
  account.scan([member(100, 52, { childTicks: 34 })])
  expect(account.totalTicks()).toBe(86)
})

it('counts a child that lived and ended between two scans', () => {
  const account = new GroupAccount()
  account.scan([member(100, 50)])
  account.scan([member(100, 50, { childTicks: 20 })])
  expect(account.totalTicks()).toBe(70)
})

it('goes on with a new leader, also one with the pid of the old', () => {
  const account = new GroupAccount()
  account.scan([member(100, 500)])
  account.scan([member(100, 3, { startTicks: 9999 })])
  expect(account.totalTicks()).toBe(503)
  account.scan([])
  account.scan([member(200, 4)])
  expect(account.totalTicks()).toBe(507)
})

it('never runs backwards, whatever comes and goes', () => {
  const scan = fc.array(
    fc.record({
      pid: fc.integer({ min: 100, max: 105 }),
      ticks: fc.nat(50),
      parent: fc.integer({ min: 99, max: 105 }),
    }),
    { maxLength: 6 },
  )
  fc.assert(
    fc.property(fc.array(scan, { maxLength: 20 }), scans => {
      const account = new GroupAccount()
      let last = 0
      for (const members of scans) {
        account.scan(members.map(({ pid, ticks, parent }) => member(pid, ticks, { parentPid: parent })))
        expect(account.totalTicks()).toBeGreaterThanOrEqual(last)
        last = account.totalTicks()
      }
    }),
  )
})
