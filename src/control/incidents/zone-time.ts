// Owns the time of day in a named zone. Pure: moments come in as ms since 1970.
const DAY_MS = 86_400_000
const MINUTE_MS = 60_000

const formats = new Map<string, Intl.DateTimeFormat>()
/** A configuration names one zone, silences a few. */
const FORMATS_MAX = 100

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone)
  if (known !== undefined) return known
  if (formats.size >= FORMATS_MAX) formats.clear()
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hour: '2-digit',
    minute: '2-digit',
    weekday: 'short',
    hourCycle: 'h23',
  })
  formats.set(zone, format)
  return format
}

export function isZone(zone: string): boolean {
  try {
    formatOf(zone)
    return true
  } catch {
    return false
  }
}

function partsOf(at: number, zone: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    formatOf(zone)
      .formatToParts(at)
      .map(({ type, value }) => [type, value]),
  )
}

export function minuteOfDay(at: number, zone: string): number {
  const { hour = '0', minute = '0' } = partsOf(at, zone)
  return Number(hour) * 60 + Number(minute)
}

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']

/** 0: Sunday. */
export function weekdayOf(at: number, zone: string): number {
  return WEEKDAYS.indexOf(partsOf(at, zone)['weekday'] ?? '')
}

/** `02:40`. */
export function clockTime(at: number, zone: string): string {
  const { hour = '', minute = '' } = partsOf(at, zone)
  return `${hour}:${minute}`
}

/** The next moment, from `after` on, at which it is that minute of the day there. A change of summer time is seen. */
export function momentOfMinute(after: number, minute: number, zone: string): number {
  const start = Math.ceil(after / MINUTE_MS) * MINUTE_MS
  let at = start + ((minute - minuteOfDay(start, zone) + 1440) % 1440) * MINUTE_MS
  // Over a change of summer time the clock is off by what was jumped.
  const off = (minuteOfDay(at, zone) - minute + 1440) % 1440
  if (off !== 0) at += (off > 720 ? 1440 - off : -off) * MINUTE_MS
  return at < after ? at + DAY_MS : at
}
