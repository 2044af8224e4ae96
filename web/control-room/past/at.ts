// Owns the moment in the address (`?at=`): reading it, writing it, and which pages can be set to it. Pure.
import { type Zone, zoneOffsetMinutes } from '../time-format.ts'

/** Before this, no fleet was watched by anybody. */
const AT_MIN = Date.UTC(2000, 0, 1)
const AT_MAX = 8.64e15

/** Milliseconds since 1970, or ISO 8601 with its zone; null: the present, also where it cannot be read. */
export function readAt(search: URLSearchParams): number | null {
  const text = search.get('at')
  if (text === null) return null
  const at = /^\d+$/.test(text)
    ? Number(text)
    : /[Zz]|[+-]\d\d:?\d\d$/.test(text)
      ? Date.parse(text)
      : Number.NaN
  return Number.isFinite(at) && at >= AT_MIN && at <= AT_MAX ? at : null
}

/** The same search at another moment; what named a window of the present is left out. */
export function writeAt(search: URLSearchParams, at: number | null): URLSearchParams {
  const next = new URLSearchParams(search)
  for (const name of ['at', 'from', 'to']) next.delete(name)
  if (at !== null) next.set('at', String(Math.round(at)))
  return next
}

/** Pages that can show the past; a link to one of them keeps the moment. */
export function canLookBack(path: string): boolean {
  return path === '/wall' || path === '/clocks' || path === '/probes' || path.startsWith('/servers/')
}

/** An address of the control room with the zone that its reader is in, and the moment where it has a meaning. */
export function withMoment(href: string, zone: Zone, at: number | null): string {
  const [beforeHash = '', hash] = href.split('#', 2)
  const [path = '', query = ''] = beforeHash.split('?', 2)
  if (!path.startsWith('/')) return href
  const search = new URLSearchParams(query)
  if (!search.has('tz')) search.set('tz', zone)
  if (at !== null && canLookBack(path) && !search.has('kiosk')) search.set('at', String(at))
  const text = search.toString().replaceAll('%2F', '/').replaceAll('%2C', ',').replaceAll('kiosk=', 'kiosk')
  return `${path}?${text}${hash === undefined ? '' : `#${hash}`}`
}

/** `2026-11-22T14:03:05` in that zone, as a field for date and time has it. */
export function fieldText(at: number, zone: Zone): string {
  return new Date(at + zoneOffsetMinutes(at, zone) * 60_000).toISOString().slice(0, 19)
}

/** Of an hour that a change of clocks repeats, the later one; null: not a time. */
export function fieldTime(text: string, zone: Zone): number | null {
  const asUtc = Date.parse(`${text}Z`)
  if (!Number.isFinite(asUtc)) return null
  const guess = asUtc - zoneOffsetMinutes(asUtc, zone) * 60_000
  return asUtc - zoneOffsetMinutes(guess, zone) * 60_000
}
