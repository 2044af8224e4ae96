// Owns the way from a page about viewers to those of them who were affected: the same time, the same edge. Pure.
import type { FeedWindow } from '../charts/series-feed.ts'
import { LONG_RANGES, RANGES, rangeSeconds, type Window, writeWindow } from '../url-state.ts'

export interface AffectedAbout {
  readonly edge?: string
  readonly region?: string
  readonly class?: string
}

/** `other` and `unknown` are no names of edges, and players cannot be asked for. */
export function affectedHref(
  window: Window | FeedWindow,
  { edge, region, class: of }: AffectedAbout,
): string {
  const query = writeWindow(new URLSearchParams(), asWindow(window))
  for (const [name, value] of Object.entries({ edge, region, class: of })) {
    if (value !== undefined && value !== 'none' && value !== '') query.set(name, value)
  }
  return `/affected?${query.toString()}`
}

/** A range that ends now stays one. */
function asWindow(window: Window | FeedWindow): Window {
  if (window.kind === 'fixed' || 'range' in window) return window
  const found = [...RANGES, ...LONG_RANGES].find(({ id }) => rangeSeconds(id) === window.seconds)
  return { kind: 'live', range: found?.id ?? '1h' }
}
