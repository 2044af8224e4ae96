// Owns how pages follow the admission checks of an edge, and begin them.
import {
  type UseMutationResult,
  type UseQueryResult,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query'
import { type CheckRun, checksAnswer } from '#wire'
import { useClient } from '../api/use-control-room.tsx'

const RUNNING_EVERY_MS = 700
const ENDED_EVERY_MS = 5_000

/** Newest first. */
export function useChecks(server: string): UseQueryResult<readonly CheckRun[]> {
  const client = useClient()
  return useQuery({
    queryKey: ['checks', server],
    queryFn: async ({ signal }) => (await client.get(pathOf(server), checksAnswer, signal)).runs,
    refetchInterval: ({ state: { data } }) =>
      data?.[0] !== undefined && data[0].endedAt === null ? RUNNING_EVERY_MS : ENDED_EVERY_MS,
  })
}

export function useCheckAgain(server: string): UseMutationResult<readonly CheckRun[], Error, void> {
  const client = useClient()
  const cache = useQueryClient()
  return useMutation({
    mutationFn: async () => (await client.post(pathOf(server), {}, checksAnswer)).runs,
    onSuccess: runs => cache.setQueryData(['checks', server], runs),
  })
}

function pathOf(server: string): string {
  return `/api/v1/servers/${encodeURIComponent(server)}/checks`
}
