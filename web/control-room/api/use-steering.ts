// Owns how pages ask for steering: versions of the table, one of them, and the pathways of a session.
import { keepPreviousData, type UseQueryResult, useQuery } from '@tanstack/react-query'
import type { z } from 'zod'
import {
  type SteeringVersionDetail,
  sessionPathwaysAnswer,
  steeringVersionAnswer,
  steeringVersionsAnswer,
} from '#wire'
import { useClient } from './use-control-room.tsx'

const EVERY_MS = 2_000

export type SteeringVersions = z.infer<typeof steeringVersionsAnswer>
export type SessionPathways = z.infer<typeof sessionPathwaysAnswer>

export function useSteeringVersions(): UseQueryResult<SteeringVersions> {
  const client = useClient()
  return useQuery({
    queryKey: ['steering-versions'],
    queryFn: ({ signal }) => client.get('/api/v1/steering/versions', steeringVersionsAnswer, signal),
    refetchInterval: EVERY_MS,
  })
}

/** A version never changes but for its end, which the list tells. Until another is there the one before stands. */
export function useSteeringVersion(version: number | null): UseQueryResult<SteeringVersionDetail> {
  const client = useClient()
  return useQuery({
    queryKey: ['steering-version', version],
    queryFn: ({ signal }) =>
      client.get(`/api/v1/steering/versions/${version}`, steeringVersionAnswer, signal),
    enabled: version !== null,
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: keepPreviousData,
    retry: false,
  })
}

export function useSessionPathways(sid: string): UseQueryResult<SessionPathways> {
  const client = useClient()
  return useQuery({
    queryKey: ['session-pathways', sid],
    queryFn: ({ signal }) =>
      client.get(`/api/v1/sessions/${encodeURIComponent(sid)}/pathways`, sessionPathwaysAnswer, signal),
    enabled: sid !== '',
    refetchInterval: ({ state: { error } }) => (error === null ? EVERY_MS : false),
    retry: false,
  })
}
