// Owns how pages ask for drills, begin one and stop it.
import {
  type UseMutationResult,
  type UseQueryResult,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query'
import { type DrillRequest, type DrillsAnswer, drillAnswer, drillsAnswer } from '#wire'
import { useClient } from './use-control-room.tsx'

const EVERY_MS = 1000

export function useDrills(): UseQueryResult<DrillsAnswer> {
  const client = useClient()
  return useQuery({
    queryKey: ['drills'],
    queryFn: ({ signal }) => client.get('/api/v1/drills', drillsAnswer, signal),
    refetchInterval: EVERY_MS,
  })
}

export function useBeginDrill(): UseMutationResult<unknown, Error, DrillRequest> {
  const client = useClient()
  const cache = useQueryClient()
  return useMutation({
    mutationFn: (body: DrillRequest) => client.post('/api/v1/drills', body, drillAnswer),
    onSettled: () => cache.invalidateQueries({ queryKey: ['drills'] }),
  })
}

export function useStopDrill(id: string): UseMutationResult<unknown, Error, void> {
  const client = useClient()
  const cache = useQueryClient()
  return useMutation({
    mutationFn: () => client.post(`/api/v1/drills/${encodeURIComponent(id)}/stop`, {}, drillAnswer),
    onSettled: () => cache.invalidateQueries({ queryKey: ['drills'] }),
  })
}
