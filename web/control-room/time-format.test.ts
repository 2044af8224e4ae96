import { expect, test } from 'vitest'
import { age, dayAndTime, duration, timeOfDay } from './time-format.ts'

const LEAP_NIGHT = 1_341_100_799_000 // 2012-06-30T23:59:59Z

test('writes moments in UTC', () => {
  expect(timeOfDay(LEAP_NIGHT, 'utc')).toBe('23:59:59')
  expect(dayAndTime(LEAP_NIGHT, 'utc')).toBe('30 Jun, 23:59:59')
})

test('writes durations with the places that matter', () => {
  expect(duration(2_340)).toBe('2.3 s')
  expect(duration(-5)).toBe('0.0 s')
  expect(duration(42_400)).toBe('42 s')
  expect(duration(245_000)).toBe('4 min 05 s')
  expect(duration(12_000_000)).toBe('3 h 20 min')
  expect(duration(187_200_000)).toBe('2 d 4 h')
})

test('an age has no tenths and never is negative', () => {
  expect(age(-3_000)).toBe('now')
  expect(age(12_900)).toBe('12 s')
  expect(age(3_599_000)).toBe('59 min')
})
