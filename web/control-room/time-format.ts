// Owns how moments and durations are written. Moments are fleet time; the browser's clock is never asked.

/** `local` is the browser's; a link may name another: `Europe/Berlin`. */
export type Zone = 'utc' | 'local' | `${string}/${string}`

/** `14:03:09` */
export function timeOfDay(ms: number, zone: Zone): string {
  return format(ms, zone, { hour: '2-digit', minute: '2-digit', second: '2-digit' })
}

/** `22 Nov, 14:03:09` */
export function dayAndTime(ms: number, zone: Zone): string {
  const day = format(ms, zone, { day: 'numeric', month: 'short' })
  return `${day}, ${timeOfDay(ms, zone)}`
}

/** `UTC`, or the browser's zone: `Europe/Berlin`. */
export function zoneName(zone: Zone): string {
  if (zone === 'local') return Intl.DateTimeFormat().resolvedOptions().timeZone
  return zone === 'utc' ? 'UTC' : zone
}

/** The zone that a link names; null where it names none that is known here. */
export function readZone(text: string | null): Zone | null {
  if (text === 'utc' || text === 'local') return text
  if (text === null || text.length > 64 || !/^[A-Za-z0-9_+-]+(\/[A-Za-z0-9_+-]+)+$/.test(text)) return null
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone === ''
      ? null
      : (text as Zone)
  } catch {
    return null
  }
}

/** For a link: whoever opens it elsewhere sees the same times as its maker. */
export function zoneForLink(zone: Zone): Zone {
  return zone === 'local' ? (readZone(zoneName('local')) ?? 'utc') : zone
}

/** `2012-06-30T23:59:59.000Z`, or with the zone's own offset: `2012-07-01T01:59:59.000+02:00`. */
export function isoTime(ms: number, zone: Zone): string {
  if (zone === 'utc') return new Date(ms).toISOString()
  const offsetMin = zoneOffsetMinutes(ms, zone)
  const text = new Date(ms + offsetMin * 60_000).toISOString().slice(0, -1)
  const size = Math.abs(offsetMin)
  return `${text}${offsetMin < 0 ? '-' : '+'}${pad(Math.floor(size / 60))}:${pad(size % 60)}`
}

/** By how much a zone is ahead of UTC at that moment. */
export function zoneOffsetMinutes(ms: number, zone: Zone): number {
  if (zone === 'utc') return 0
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone === 'local' ? undefined : zone,
    timeZoneName: 'longOffset',
  }).formatToParts(ms)
  const text = parts.find(({ type }) => type === 'timeZoneName')?.value ?? 'GMT'
  const found = /^GMT([+-])(\d{2}):(\d{2})/.exec(text)
  if (found === null) return 0
  return (found[1] === '-' ? -1 : 1) * (Number(found[2]) * 60 + Number(found[3]))
}

/** How long something lasts or lasted: `0.8 s`, `12 s`, `4 min 05 s`, `3 h 20 min`, `2 d 4 h`. */
export function duration(ms: number): string {
  const size = Math.max(0, ms)
  if (size < 9_950) return `${(size / 1000).toFixed(1)} s`
  const seconds = Math.round(size / 1000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${pad(seconds % 60)} s`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return `${hours} h ${pad(minutes % 60)} min`
  return `${Math.floor(hours / 24)} d ${hours % 24} h`
}

/** A length that somebody chose: `5 s`, `1 min`, `1 min 30 s`; `0.5 s` where it is no whole second. */
export function setDuration(ms: number): string {
  return duration(ms)
    .replace(/\.0 s$/, ' s')
    .replace(/ 0?0 (?:s|min|h)$/, '')
}

/** How long ago, without tenths, so that it does not flicker: `now`, `12 s`, `4 min`, `3 h`, `2 d`. */
export function age(ms: number): string {
  const seconds = Math.floor(Math.max(0, ms) / 1000)
  if (seconds < 2) return 'now'
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h`
  return `${Math.floor(seconds / 86_400)} d`
}

const formats = new Map<string, Intl.DateTimeFormat>()

function format(ms: number, zone: Zone, options: Intl.DateTimeFormatOptions): string {
  const key = `${zone}${JSON.stringify(options)}`
  let made = formats.get(key)
  if (made === undefined) {
    made = new Intl.DateTimeFormat('en-GB', {
      ...options,
      hourCycle: 'h23',
      ...(zone === 'local' ? {} : { timeZone: zone === 'utc' ? 'UTC' : zone }),
    })
    formats.set(key, made)
  }
  return made.format(ms)
}

function pad(value: number): string {
  return String(value).padStart(2, '0')
}
