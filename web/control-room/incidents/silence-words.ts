// Owns what a silence is in words, and what a form's fields mean as one. Pure.
import type { IncidentAnswer, SilenceRequest, SilenceView } from '#wire'
import { setDuration } from '../time-format.ts'

export type Matcher = SilenceView['matchers'][number]

export const OPERATORS = ['=', '!=', '=~', '!~'] as const
export type Operator = (typeof OPERATORS)[number]
export const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const
const MINUTE_MS = 60_000

export function operatorOf({ isRegex, isEqual }: Pick<Matcher, 'isRegex' | 'isEqual'>): Operator {
  if (isRegex) return isEqual ? '=~' : '!~'
  return isEqual ? '=' : '!='
}

export function withOperator(matcher: Matcher, operator: Operator): Matcher {
  return { ...matcher, isRegex: operator.endsWith('~'), isEqual: operator.startsWith('=') }
}

/** `region="eu"` */
export function matcherText(matcher: Matcher): string {
  return `${matcher.name}${operatorOf(matcher)}"${matcher.value}"`
}

export type SilenceStanding = 'on' | 'between' | 'to come' | 'ended'

/** `between`: a recurring one that is not on at this moment. */
export function standingOf(silence: SilenceView, now: number): SilenceStanding {
  const { startsAt, endsAt, endedAt, recurs } = silence
  if (endedAt !== null || now >= endsAt) return 'ended'
  if (now < startsAt) return 'to come'
  return recurs === null || isOnNow(recurs, now) ? 'on' : 'between'
}

function isOnNow(
  { weekdays, fromMinute, minutes, zone }: NonNullable<SilenceView['recurs']>,
  now: number,
): boolean {
  const { minute } = minuteIn(now, zone)
  const passed = (minute - fromMinute + 1440) % 1440
  // One that began before midnight belongs to the day before.
  return passed < minutes && weekdays.includes(minuteIn(now - passed * MINUTE_MS, zone).weekday)
}

function minuteIn(at: number, zone: string): { minute: number; weekday: number } {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    weekday: 'long',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(at)
  const part = (type: string): string => parts.find(found => found.type === type)?.value ?? ''
  return {
    minute: Number(part('hour')) * 60 + Number(part('minute')),
    weekday: DAYS.indexOf(part('weekday') as (typeof DAYS)[number]),
  }
}

/** `Sunday 23:00, for 3 h (Europe/Berlin)` */
export function recursText({
  weekdays,
  fromMinute,
  minutes,
  zone,
}: NonNullable<SilenceView['recurs']>): string {
  const days = weekdays.length === 7 ? 'daily' : weekdays.map(day => DAYS[day] ?? '').join(', ')
  return `${days} ${clock(fromMinute)}, for ${setDuration(minutes * MINUTE_MS)} (${zone})`
}

function clock(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`
}

/** What a person chose. */
export interface SilenceForm {
  readonly matchers: readonly Matcher[]
  readonly minutes: number
  readonly comment: string
  readonly weekdays: readonly number[]
  /** `23:00`; only when it recurs. */
  readonly from: string
  readonly zone: string
}

/** A recurring one goes on for a year: whoever still needs it then extends it. */
const RECURS_MS = 365 * 86_400_000

export function requestOf(form: SilenceForm, now: number): SilenceRequest {
  const { matchers, minutes, comment, weekdays, from, zone } = form
  const isOnce = weekdays.length === 0
  const [hour = 0, minute = 0] = from.split(':').map(Number)
  return {
    matchers: [...matchers],
    startsAt: now,
    endsAt: now + (isOnce ? minutes * MINUTE_MS : RECURS_MS),
    recurs: isOnce ? null : { weekdays: [...weekdays], fromMinute: hour * 60 + minute, minutes, zone },
    comment,
  }
}

/** Of a form that is not finished nothing is asked. */
export function isWhole(matchers: readonly Matcher[]): boolean {
  return matchers.length > 0 && matchers.every(({ name, value }) => name.trim() !== '' && value !== '')
}

/** The firing alerts of an incident, by their rules and their servers. */
export function matchersOf({ alerts }: Pick<IncidentAnswer, 'alerts'>): Matcher[] {
  const firing = alerts.filter(({ resolvedAt }) => resolvedAt === null)
  const wanted = firing.length === 0 ? alerts : firing
  return ['alertname', 'instance'].flatMap(name => {
    const values = [...new Set(wanted.map(({ labels }) => labels[name] ?? ''))].toSorted()
    // A label that only some of them carry would leave the others out.
    if (values.length === 0 || values.includes('')) return []
    const [first = ''] = values
    const isRegex = values.length > 1
    return { name, value: isRegex ? values.map(quoted).join('|') : first, isRegex, isEqual: true }
  })
}

function quoted(value: string): string {
  return value.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}
