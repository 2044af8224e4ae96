// Owns how pages ask for runbooks and runs, try them, begin them, and act on one that goes on.
import {
  type UseMutationResult,
  type UseQueryResult,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query'
import {
  type DryRun,
  dryRun,
  type RunAnswer,
  type RunbooksAnswer,
  type RunRequest,
  type RunsAnswer,
  runAnswer,
  runbooksAnswer,
  runsAnswer,
} from '#wire'
import { useClient } from './use-control-room.tsx'

const EVERY_MS = 2_000
const LIVE_MS = 1_000

/** `incident` null: all, without offers. */
export function useRunbooks(incident: string | null): UseQueryResult<RunbooksAnswer> {
  const client = useClient()
  const query = incident === null ? '' : `?incident=${encodeURIComponent(incident)}`
  return useQuery({
    queryKey: ['runbooks', incident],
    queryFn: ({ signal }) => client.get(`/api/v1/runbooks${query}`, runbooksAnswer, signal),
    refetchInterval: 5 * EVERY_MS,
  })
}

export function useRuns(): UseQueryResult<RunsAnswer> {
  const client = useClient()
  return useQuery({
    queryKey: ['runs'],
    queryFn: ({ signal }) => client.get('/api/v1/runs', runsAnswer, signal),
    refetchInterval: EVERY_MS,
  })
}

export function useRun(id: string): UseQueryResult<RunAnswer> {
  const client = useClient()
  return useQuery({
    queryKey: ['run', id],
    queryFn: ({ signal }) => client.get(`/api/v1/runs/${encodeURIComponent(id)}`, runAnswer, signal),
    refetchInterval: ({ state: { data } }) => (data?.run.endedAt == null ? LIVE_MS : false),
  })
}

export function useDryRun(): UseMutationResult<DryRun, Error, RunRequest> {
  const client = useClient()
  return useMutation({ mutationFn: (body: RunRequest) => client.post('/api/v1/runs/dry-run', body, dryRun) })
}

export function useBeginRun(): UseMutationResult<RunAnswer, Error, RunRequest> {
  const client = useClient()
  return useMutation({ mutationFn: (body: RunRequest) => client.post('/api/v1/runs', body, runAnswer) })
}

export function useActOnRun(id: string): UseMutationResult<RunAnswer, Error, 'approve' | 'stop'> {
  const client = useClient()
  const cache = useQueryClient()
  return useMutation({
    mutationFn: (verb: 'approve' | 'stop') =>
      client.post(`/api/v1/runs/${encodeURIComponent(id)}/${verb}`, {}, runAnswer),
    onSettled: () => cache.invalidateQueries({ queryKey: ['run', id] }),
  })
}
