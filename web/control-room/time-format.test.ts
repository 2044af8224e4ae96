import { expect, test } from 'vitest'
import {
  age,
  dayAndTime,
  duration,
  isoTime,
  readZone,
  setDuration,
  timeOfDay,
  zoneForLink,
} from './time-format.ts'

const LEAP_NIGHT = 1_341_100_799_000 // 2012-06-30T23:59:59Z

test('writes moments in UTC', () => {
  expect(timeOfDay(LEAP_NIGHT, 'utc')).toBe('23:59:59')
  expect(dayAndTime(LEAP_NIGHT, 'utc')).toBe('30 Jun, 23:59:59')
})

test('a length that somebody chose is written as they chose it', () => {
  expect([1_000, 500, 30_000, 60_000, 90_000, 600_000, 3_600_000].map(setDuration)).toEqual([
    '1 s',
    '0.5 s',
    '30 s',
    '1 min',
    '1 min 30 s',
    '10 min',
    '1 h',
  ])
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

test('writes moments of a zone that a link names, with its offset, also on the night of a change', () => {
  expect(timeOfDay(LEAP_NIGHT, 'Asia/Kolkata')).toBe('05:29:59')
  expect(isoTime(LEAP_NIGHT, 'utc')).toBe('2012-06-30T23:59:59.000Z')
  expect(isoTime(LEAP_NIGHT, 'America/St_Johns')).toBe('2012-06-30T21:29:59.000-02:30')
  const autumn = Date.UTC(2026, 9, 25, 0, 30)
  expect(isoTime(autumn, 'Europe/Berlin')).toBe('2026-10-25T02:30:00.000+02:00')
  expect(isoTime(autumn + 3_600_000, 'Europe/Berlin')).toBe('2026-10-25T02:30:00.000+01:00')
})

test('reads zones that exist, and nothing else', () => {
  expect(['utc', 'local', 'Europe/Berlin', 'America/Argentina/Salta'].map(readZone)).not.toContain(null)
  expect([null, '', 'UTC+3', 'Europe/Atlantis', '../x', 'x'.repeat(99), 'a/b'].map(readZone)).toEqual(
    Array(7).fill(null),
  )
  expect(readZone(zoneForLink('local'))).not.toBeNull()
})
