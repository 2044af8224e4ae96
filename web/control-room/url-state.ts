// Owns the part of the pages' state that lives in the URL: range or zoomed window, and the chosen servers.
// What it cannot read falls back to the default in silence: a link must always open.

export const RANGES = [
  { id: '1m', label: '1 min', seconds: 60 },
  { id: '5m', label: '5 min', seconds: 300 },
  { id: '15m', label: '15 min', seconds: 900 },
  { id: '1h', label: '60 min', seconds: 3_600 },
  { id: '6h', label: '6 h', seconds: 21_600 },
] as const
/** For what happens to people: hours and days tell more than minutes. */
export const LONG_RANGES = [
  { id: '15m', label: '15 min', seconds: 900 },
  { id: '1h', label: '60 min', seconds: 3_600 },
  { id: '6h', label: '6 h', seconds: 21_600 },
  { id: '24h', label: '24 h', seconds: 86_400 },
  { id: '7d', label: '7 days', seconds: 604_800 },
] as const
const ALL_RANGES = [...RANGES, ...LONG_RANGES]
export type RangeId = (typeof ALL_RANGES)[number]['id']
export const RANGE_DEFAULT: RangeId = '5m'
/** The story's two edges. */
export const SERVERS_DEFAULT: readonly string[] = ['eu-west', 'ap-southeast']
const SERVERS_MAX = 12 // more lines in one graph cannot be told apart
const ZOOM_S_MIN = 5
const SERVER_ID = /^[a-z0-9][a-z0-9-]{0,62}$/

export type Window =
  | { readonly kind: 'live'; readonly range: RangeId }
  | { readonly kind: 'fixed'; readonly fromS: number; readonly toS: number }

/** The address with these values; one that is empty or null leaves it. */
export function withChoices(
  search: URLSearchParams,
  values: Readonly<Record<string, string | null | undefined>>,
): URLSearchParams {
  const next = new URLSearchParams(search)
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || value === null || value === '') next.delete(name)
    else next.set(name, value)
  }
  return next
}

export function rangeSeconds(range: RangeId): number {
  return ALL_RANGES.find(({ id }) => id === range)?.seconds ?? 300
}

export function readWindow(search: URLSearchParams, fallback: RangeId = RANGE_DEFAULT): Window {
  const from = Number(search.get('from') ?? Number.NaN) / 1000
  const to = Number(search.get('to') ?? Number.NaN) / 1000
  if (Number.isFinite(from) && Number.isFinite(to) && from > 0 && to - from >= ZOOM_S_MIN) {
    return { kind: 'fixed', fromS: Math.floor(from), toS: Math.ceil(to) }
  }
  const asked = search.get('range')
  const known = ALL_RANGES.find(({ id }) => id === asked)
  return { kind: 'live', range: known?.id ?? fallback }
}

/** The same search with another window; the range stays while zoomed, so that Esc leads back to it. */
export function writeWindow(search: URLSearchParams, window: Window): URLSearchParams {
  const next = new URLSearchParams(search)
  next.delete('from')
  next.delete('to')
  if (window.kind === 'live') {
    next.set('range', window.range)
  } else {
    const middle = (window.fromS + window.toS) / 2
    const half = Math.max(window.toS - window.fromS, ZOOM_S_MIN) / 2
    next.set('from', String(Math.floor(middle - half) * 1000))
    next.set('to', String(Math.ceil(middle + half) * 1000))
  }
  return next
}

export function readServers(search: URLSearchParams): string[] {
  const text = search.get('servers')
  if (text === null) return [...SERVERS_DEFAULT]
  const ids = text.split(',').filter(id => SERVER_ID.test(id))
  return [...new Set(ids)].slice(0, SERVERS_MAX)
}

/** What the link says; of a fleet with other names than the story's, the first two. */
export function chosenServers(search: URLSearchParams, ids: readonly string[]): string[] {
  const chosen = readServers(search).filter(id => ids.includes(id))
  return search.has('servers') || chosen.length > 0 ? chosen : ids.slice(0, 2)
}

export function toggleServer(
  search: URLSearchParams,
  id: string,
  chosen: readonly string[] = readServers(search),
): URLSearchParams {
  const next = new URLSearchParams(search)
  const changed = chosen.includes(id) ? chosen.filter(other => other !== id) : [...chosen, id]
  next.set('servers', changed.slice(-SERVERS_MAX).join(','))
  return next
}
