import { expect, it } from 'vitest'
import { fieldText, fieldTime, readAt, withMoment, writeAt } from './at.ts'

const AT = Date.UTC(2026, 10, 22, 14, 3, 5)
const read = (text: string): number | null => readAt(new URLSearchParams(text))

it('reads milliseconds and ISO with a zone, and takes everything else for the present', () => {
  expect(read(`at=${AT}`)).toBe(AT)
  expect(read('at=2026-11-22T14:03:05Z')).toBe(AT)
  expect(read('at=2026-11-22T15:03:05%2B01:00')).toBe(AT)
  for (const bad of ['', 'at=', 'at=x', 'at=5', 'at=-1', 'at=9e99', 'at=2026-11-22T14:03:05']) {
    expect(read(bad)).toBeNull()
  }
})

it('writes the moment and drops the window of another one', () => {
  const search = new URLSearchParams('range=1h&from=1&to=2&tz=utc')
  expect(writeAt(search, AT).toString()).toBe(`range=1h&tz=utc&at=${AT}`)
  expect(writeAt(new URLSearchParams(`at=${AT}&tz=utc`), null).toString()).toBe('tz=utc')
})

it('puts the zone on every link, and the moment on those that can show it', () => {
  expect(withMoment('/alerts', 'utc', AT)).toBe('/alerts?tz=utc')
  expect(withMoment('/servers/eu-west', 'local', AT)).toBe(`/servers/eu-west?tz=local&at=${AT}`)
  expect(withMoment('/wall?kiosk', 'utc', AT)).toBe('/wall?kiosk&tz=utc')
  expect(withMoment('/compare?servers=a,b#x', 'Europe/Berlin', null)).toBe(
    '/compare?servers=a,b&tz=Europe/Berlin#x',
  )
  expect(withMoment('https://example.org/x', 'utc', AT)).toBe('https://example.org/x')
})

it('fills a field in a zone and reads it back, also around a change of clocks', () => {
  expect(fieldText(AT, 'Europe/Berlin')).toBe('2026-11-22T15:03:05')
  expect(fieldTime('2026-11-22T15:03:05', 'Europe/Berlin')).toBe(AT)
  for (let hour = 0; hour < 48; hour += 1) {
    const at = Date.UTC(2026, 2, 28, hour)
    expect(fieldTime(fieldText(at, 'Europe/Berlin'), 'Europe/Berlin')).toBe(at)
  }
  expect(fieldTime('nonsense', 'utc')).toBeNull()
})
