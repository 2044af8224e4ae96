// Owns whose week it is: a list in turn, weeks that begin on a weekday at an hour of the list's own zone, and swaps.
// Pure: it is told the time.
import type { OnCallConfig } from '#wire'

const DAY_MS = 86_400_000
const WEEK_MS = 7 * DAY_MS

export interface OnCallTurn {
  readonly person: string
  readonly receivers: readonly string[]
  /** Fleet time of the next handing over. */
  readonly until: number
  /** Who is next. */
  readonly next: string
}

export function turnAt(list: OnCallConfig, at: number): OnCallTurn {
  const first = Date.parse(`${list.from}T00:00:00Z`) + list.hour * 3_600_000
  const week = Math.floor((localMs(at, list.zone) - first) / WEEK_MS)
  const own = personOf(list, week)
  return {
    person: own.name,
    receivers: own.receivers,
    until: toUtc(first + (week + 1) * WEEK_MS, list.zone),
    next: personOf(list, week + 1).name,
  }
}

function personOf(list: OnCallConfig, week: number): OnCallConfig['people'][number] {
  const { people, swaps, from } = list
  const day = new Date(Date.parse(`${from}T00:00:00Z`) + week * WEEK_MS).toISOString().slice(0, 10)
  const swapped = people.find(person => person.name === swaps[day])
  const turn = ((week % people.length) + people.length) % people.length // before `from` the list runs backwards
  const own = swapped ?? people[turn]
  if (own === undefined) throw new RangeError(`on-call list ${list.name} is empty`)
  return own
}

/** What clocks on the wall of that zone show, as if it were UTC. */
function localMs(at: number, zone: string): number {
  const parts = formatter(zone).formatToParts(at)
  const part = (type: string): number => Number(parts.find(found => found.type === type)?.value)
  return Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'))
}

/** Backwards: the offset at the guess is looked at twice, so that a change of summer time between them is seen. */
function toUtc(local: number, zone: string): number {
  const guess = local - (localMs(local, zone) - local)
  return guess - (localMs(guess, zone) - local)
}

const formatters = new Map<string, Intl.DateTimeFormat>()

function formatter(zone: string): Intl.DateTimeFormat {
  const known = formatters.get(zone)
  if (known !== undefined) return known
  const made = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  formatters.set(zone, made) // as many as zones are configured
  return made
}

/** Whether this Node knows the zone. */
export function isZone(zone: string): boolean {
  try {
    formatter(zone)
    return true
  } catch {
    return false
  }
}
