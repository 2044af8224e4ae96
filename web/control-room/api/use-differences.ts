// Owns how pages ask how two servers differ, and what the rest carries when one is lost.
import { type UseQueryResult, useQuery } from '@tanstack/react-query'
import { type DiffAnswer, diffAnswer, type WhatIfAnswer, whatIfAnswer } from '#wire'
import { useClient } from './use-control-room.tsx'

/** Facts change by the hour, figures by the minute. */
const DIFF_EVERY_MS = 10_000
const WHAT_IF_EVERY_MS = 10_000

/** Null: two servers are not chosen. */
export function useDiff(pair: { readonly a: string; readonly b: string } | null): UseQueryResult<DiffAnswer> {
  const client = useClient()
  const path =
    pair === null ? '' : `/api/v1/servers/${encodeURIComponent(pair.a)}/diff/${encodeURIComponent(pair.b)}`
  return useQuery({
    queryKey: ['diff', path],
    queryFn: ({ signal }) => client.get(path, diffAnswer, signal),
    refetchInterval: DIFF_EVERY_MS,
    enabled: pair !== null,
  })
}

export function useWhatIf(): UseQueryResult<WhatIfAnswer> {
  const client = useClient()
  return useQuery({
    queryKey: ['what-if'],
    queryFn: ({ signal }) => client.get('/api/v1/what-if', whatIfAnswer, signal),
    refetchInterval: WHAT_IF_EVERY_MS,
  })
}
