// Owns the window of time of a page with charts: read from the URL, changed by range buttons, zoom and Escape.
import { useCallback, useEffect } from 'react'
import { useSearchParams } from 'wouter'
import type { FeedWindow } from '../charts/series-feed.ts'
import { usePast } from '../past/past-context.tsx'
import {
  RANGE_DEFAULT,
  type RangeId,
  rangeSeconds,
  readWindow,
  type Window,
  writeWindow,
} from '../url-state.ts'

export interface PageWindow {
  readonly window: Window
  readonly feed: FeedWindow
  readonly choose: (range: RangeId) => void
  readonly zoom: (fromS: number, toS: number) => void
  readonly back: () => void
}

export function useWindow(fallback: RangeId = RANGE_DEFAULT): PageWindow {
  const [search, setSearch] = useSearchParams()
  const window = readWindow(search, fallback)
  const past = usePast()
  const asked = readWindow(new URLSearchParams({ range: search.get('range') ?? '' }), fallback)
  const remembered = asked.kind === 'live' ? asked.range : fallback
  const choose = useCallback(
    (range: RangeId) => setSearch(before => writeWindow(before, { kind: 'live', range }), { replace: true }),
    [setSearch],
  )
  const zoom = useCallback(
    (fromS: number, toS: number) => setSearch(before => writeWindow(before, { kind: 'fixed', fromS, toS })),
    [setSearch],
  )
  const back = useCallback(() => choose(remembered), [choose, remembered])
  const fixed = window.kind === 'fixed'
  useEffect(() => {
    if (!fixed) return undefined
    const onKey = (event: KeyboardEvent): void => {
      // An Escape that closed something else has done its work.
      if (event.key === 'Escape' && !event.defaultPrevented) back()
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [fixed, back])
  const feed: FeedWindow =
    window.kind === 'live'
      ? past === null
        ? { kind: 'live', seconds: rangeSeconds(window.range) }
        : { kind: 'fixed', fromS: past / 1000 - rangeSeconds(window.range), toS: past / 1000 }
      : window
  return { window, feed, choose, zoom, back }
}
