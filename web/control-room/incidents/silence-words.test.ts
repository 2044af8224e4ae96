import { expect, it } from 'vitest'
import type { SilenceView } from '#wire'
import { matchersOf, matcherText, recursText, requestOf, standingOf, withOperator } from './silence-words.ts'

const NOW = Date.UTC(2026, 0, 15, 12)
const HOUR_MS = 3_600_000
const once: SilenceView = {
  id: 'S-1',
  matchers: [],
  startsAt: NOW - HOUR_MS,
  endsAt: NOW + HOUR_MS,
  recurs: null,
  comment: 'disk',
  by: 'ann',
  createdAt: NOW - HOUR_MS,
  endedAt: null,
}
// 15 January 2026 is a Thursday.
const weekly = { weekdays: [4], fromMinute: 23 * 60, minutes: 180, zone: 'Europe/Berlin' }

it('is on, to come or ended by the clock, and ended at once when a person says so', () => {
  expect(standingOf(once, NOW)).toBe('on')
  expect(standingOf(once, NOW - 2 * HOUR_MS)).toBe('to come')
  expect(standingOf(once, NOW + HOUR_MS)).toBe('ended')
  expect(standingOf({ ...once, endedAt: NOW - 1 }, NOW)).toBe('ended')
})

it('of a recurring one, the hours after midnight belong to the evening before', () => {
  const silence = { ...once, endsAt: NOW + 30 * 24 * HOUR_MS, recurs: weekly }
  expect(standingOf(silence, NOW)).toBe('between')
  expect(standingOf(silence, Date.UTC(2026, 0, 15, 22, 30))).toBe('on')
  expect(standingOf(silence, Date.UTC(2026, 0, 16, 0, 30))).toBe('on')
  expect(standingOf(silence, Date.UTC(2026, 0, 16, 1, 30))).toBe('between')
  expect(recursText(weekly)).toBe('Thursday 23:00, for 3 h (Europe/Berlin)')
})

it('prefills from an incident what all of its firing alerts have, and no more', () => {
  const alert = (labels: Record<string, string>, resolvedAt: number | null = null) => ({
    id: JSON.stringify(labels),
    joinedAt: NOW,
    resolvedAt,
    labels,
    annotations: {},
  })
  const one = alert({ alertname: 'EdgeUnreachable', instance: 'eu-west' })
  const two = alert({ alertname: 'Agent.Silent', instance: 'eu-west' })
  const ended = alert({ alertname: 'Old', instance: 'us-east' }, NOW)
  expect(matchersOf({ alerts: [one, two, ended] }).map(matcherText)).toEqual([
    'alertname=~"Agent\\.Silent|EdgeUnreachable"',
    'instance="eu-west"',
  ])
  expect(matchersOf({ alerts: [one, alert({ alertname: 'Fleet' })] }).map(matcherText)).toEqual([
    'alertname=~"EdgeUnreachable|Fleet"',
  ])
})

it('reads a form as once from now, or as each week for a year', () => {
  const matcher = withOperator({ name: 'region', value: 'eu', isRegex: false, isEqual: true }, '!~')
  expect(matcherText(matcher)).toBe('region!~"eu"')
  const form = { matchers: [matcher], minutes: 90, comment: 'x', weekdays: [], from: '23:30', zone: 'UTC' }
  expect(requestOf(form, NOW)).toMatchObject({ startsAt: NOW, endsAt: NOW + 90 * 60_000, recurs: null })
  expect(requestOf({ ...form, weekdays: [0, 6] }, NOW).recurs).toEqual({
    weekdays: [0, 6],
    fromMinute: 1410,
    minutes: 90,
    zone: 'UTC',
  })
})
