import { expect, test } from 'vitest'
import { FleetClock } from './fleet-clock.ts'

test('knows nothing before the first answer', () => {
  expect(new FleetClock().at(5)).toBeNull()
})

test('believes the answer that travelled least', () => {
  const clock = new FleetClock()
  clock.told(1_000_000, 100)
  clock.told(1_001_000, 1_400) // 300 ms late
  expect(clock.at(2_000)).toBe(1_001_900)
})

test('follows a control room that came back with another time', () => {
  const clock = new FleetClock()
  clock.told(1_000_000, 0)
  clock.told(900_000, 1_000)
  expect(clock.at(2_000)).toBe(901_000)
})
