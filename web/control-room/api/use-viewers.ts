// Owns how pages ask about viewers: who watches now, their sessions, one of them, and its deletion.
import {
  keepPreviousData,
  type UseMutationResult,
  type UseQueryResult,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query'
import { z } from 'zod'
import {
  type AffectedAnswer,
  affectedAnswer,
  type ViewerSessionAnswer,
  type ViewerSessionsAnswer,
  type ViewersNowAnswer,
  viewerSessionAnswer,
  viewerSessionsAnswer,
  viewersNowAnswer,
} from '#wire'
import { useClient, useFleetNow } from './use-control-room.tsx'

const NOW_EVERY_MS = 1_000
const SESSIONS_EVERY_MS = 5_000
const SESSION_EVERY_MS = 2_000
/** A day of sessions is read for it. */
const AFFECTED_EVERY_MS = 10_000

export function useViewersNow(): UseQueryResult<ViewersNowAnswer> {
  const client = useClient()
  return useQuery({
    queryKey: ['viewers-now'],
    queryFn: ({ signal }) => client.get('/api/v1/viewers/now', viewersNowAnswer, signal),
    refetchInterval: NOW_EVERY_MS,
  })
}

/** `queryOf` is called at each question: a range that ends now moves on. */
export function useViewerSessions(
  key: readonly unknown[],
  queryOf: () => URLSearchParams,
  isLive: boolean,
): UseQueryResult<ViewerSessionsAnswer> {
  const client = useClient()
  return useQuery({
    queryKey: ['viewer-sessions', ...key],
    queryFn: ({ signal }) =>
      client.get(`/api/v1/viewers/sessions?${queryOf().toString()}`, viewerSessionsAnswer, signal),
    refetchInterval: isLive ? SESSIONS_EVERY_MS : false,
    placeholderData: keepPreviousData,
    retry: false,
  })
}

/** As `useViewerSessions`. */
export function useAffected(
  key: readonly unknown[],
  queryOf: () => URLSearchParams,
  isLive: boolean,
): UseQueryResult<AffectedAnswer> {
  const client = useClient()
  const knowsTime = useFleetNow() !== null
  return useQuery({
    enabled: knowsTime,
    queryKey: ['affected', 'page', ...key],
    queryFn: ({ signal }) =>
      client.get(`/api/v1/viewers/affected?${queryOf().toString()}`, affectedAnswer, signal),
    refetchInterval: isLive ? AFFECTED_EVERY_MS : false,
    placeholderData: keepPreviousData,
    retry: false,
  })
}

export function useViewerSession(sid: string): UseQueryResult<ViewerSessionAnswer> {
  const client = useClient()
  return useQuery({
    queryKey: ['viewer-session', sid],
    queryFn: ({ signal }) => client.get(sessionPath(sid), viewerSessionAnswer, signal),
    refetchInterval: ({ state: { data } }) =>
      data !== undefined && data.session.endedAt === null ? SESSION_EVERY_MS : false,
    retry: false,
  })
}

export function useDeleteSession(sid: string, done: () => void): UseMutationResult<unknown, Error, void> {
  const client = useClient()
  const cache = useQueryClient()
  return useMutation({
    mutationFn: () => client.delete(sessionPath(sid), z.unknown()),
    onSuccess: async () => {
      cache.removeQueries({ queryKey: ['viewer-session', sid] })
      done()
      await cache.invalidateQueries({ queryKey: ['viewer-sessions'] })
    },
  })
}

function sessionPath(sid: string): string {
  return `/api/v1/viewers/sessions/${encodeURIComponent(sid)}`
}
