import { describe, expect, it } from 'vitest'
import type { SilenceView } from '#wire'
import { checkSilence, isOn, spansOf } from './silence-book.ts'
import { momentOfMinute } from './zone-time.ts'

const HOUR_MS = 3_600_000
const SUNDAY = Date.UTC(2026, 0, 18)

const silence = (part: Partial<SilenceView> = {}): SilenceView => ({
  id: 'S-1',
  matchers: [{ name: 'instance', value: 'eu-.*', isRegex: true, isEqual: true }],
  startsAt: SUNDAY - 24 * HOUR_MS,
  endsAt: SUNDAY + 14 * 24 * HOUR_MS,
  recurs: null,
  comment: 'disk change',
  by: 'ada',
  createdAt: 1,
  endedAt: null,
  ...part,
})
/** Sundays from 23:00 in Berlin, for three hours. */
const weekly = silence({
  recurs: { weekdays: [0], fromMinute: 23 * 60, minutes: 180, zone: 'Europe/Berlin' },
})

describe('a silence', () => {
  it('that recurs is on over midnight, in its own zone, and not on other days', () => {
    const begin = SUNDAY + 22 * HOUR_MS // 23:00 there
    expect(
      [begin - 1000, begin, begin + 3 * HOUR_MS - 1000, begin + 3 * HOUR_MS].map(at => isOn(weekly, at)),
    ).toEqual([false, true, true, false])
    expect(isOn(weekly, begin + 24 * HOUR_MS)).toBe(false)
    expect(spansOf(weekly, SUNDAY, SUNDAY + 9 * 24 * HOUR_MS)).toEqual([
      { from: begin, to: begin + 3 * HOUR_MS },
      { from: begin + 168 * HOUR_MS, to: begin + 171 * HOUR_MS },
    ])
  })

  it('that was ended is over from then on', () => {
    expect(isOn(silence({ endedAt: SUNDAY }), SUNDAY - 1)).toBe(true)
    expect(isOn(silence({ endedAt: SUNDAY }), SUNDAY)).toBe(false)
  })

  it.each([
    ['it would silence everything', { matchers: [{ name: 'x', value: '.*', isRegex: true, isEqual: true }] }],
    ['its pattern is none', { matchers: [{ name: 'x', value: '(', isRegex: true, isEqual: true }] }],
    ['it lies in the past', { endsAt: SUNDAY - 1 }],
    ['nobody knows its zone', { recurs: { weekdays: [1], fromMinute: 0, minutes: 5, zone: 'Mars/Base' } }],
    ['it recurs on no day', { recurs: { weekdays: [], fromMinute: 0, minutes: 5, zone: 'UTC' } }],
    [
      'it lasts for more than a day',
      { recurs: { weekdays: [1], fromMinute: 0, minutes: 1441, zone: 'UTC' } },
    ],
  ])('is refused when %s', (_why, part) => {
    expect(() => checkSilence(silence(part), SUNDAY)).toThrow(/./)
    expect(() => checkSilence(silence(), SUNDAY)).not.toThrow()
  })
})

describe('a minute of the day', () => {
  it('is found over a change of summer time', () => {
    const eve = Date.UTC(2026, 2, 28, 22) // 23:00 in Berlin; at 02:00 it becomes 03:00
    expect(momentOfMinute(eve, 8 * 60, 'Europe/Berlin')).toBe(Date.UTC(2026, 2, 29, 6))
    expect(momentOfMinute(Date.UTC(2026, 9, 24, 21), 8 * 60, 'Europe/Berlin')).toBe(Date.UTC(2026, 9, 25, 7))
  })
})
