// Owns how pages ask for incidents, and act on one.
import {
  type UseMutationResult,
  type UseQueryResult,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query'
import { z } from 'zod'
import { type IncidentAnswer, type IncidentView, incidentAnswer, incidentsAnswer } from '#wire'
import { useClient } from './use-control-room.tsx'

const EVERY_MS = 2_000

export function useIncidents(): UseQueryResult<readonly IncidentView[]> {
  const client = useClient()
  return useQuery({
    queryKey: ['incidents'],
    queryFn: async ({ signal }) => (await client.get('/api/v1/incidents', incidentsAnswer, signal)).incidents,
    refetchInterval: EVERY_MS,
  })
}

export function useIncident(id: string): UseQueryResult<IncidentAnswer> {
  const client = useClient()
  return useQuery({
    queryKey: ['incident', id],
    queryFn: ({ signal }) => client.get(path(id), incidentAnswer, signal),
    refetchInterval: ({ state: { data } }) => (data?.incident.resolvedAt == null ? EVERY_MS : 10 * EVERY_MS),
  })
}

export interface Act {
  readonly verb: 'acknowledge' | 'comment' | 'assign' | 'wait' | 'resolve'
  readonly body: Readonly<Record<string, unknown>>
}

/** What was done shows at once; a fault says in words who was first. */
export function useAct(id: string): UseMutationResult<unknown, Error, Act> {
  const client = useClient()
  const cache = useQueryClient()
  return useMutation({
    mutationFn: ({ verb, body }: Act) => client.post(`${path(id)}/${verb}`, body, z.unknown()),
    onSettled: async () => {
      await cache.invalidateQueries({ queryKey: ['incident', id] })
      await cache.invalidateQueries({ queryKey: ['incidents'] })
    },
  })
}

/** One thing done by a press of a button; its error is shown where it was pressed. */
export function useDo(run: () => Promise<void>): UseMutationResult<void, Error, void> {
  return useMutation({ mutationFn: run })
}

function path(id: string): string {
  return `/api/v1/incidents/${encodeURIComponent(id)}`
}
