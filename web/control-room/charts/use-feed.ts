// Owns the join of a feed and a page.
import { useCallback, useEffect, useState, useSyncExternalStore } from 'react'
import { useClient } from '../api/use-control-room.tsx'
import { type FeedPlan, type FeedState, SeriesFeed } from './series-feed.ts'

export function useFeed(plan: FeedPlan): FeedState {
  const client = useClient()
  const [feed] = useState(() => new SeriesFeed(client))
  const subscribe = useCallback((listener: () => void) => feed.subscribe(listener), [feed])
  const read = useCallback(() => feed.state, [feed])
  useEffect(() => feed.follow(plan))
  return useSyncExternalStore(subscribe, read)
}
