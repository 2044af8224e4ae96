// Owns how pages ask for the fleet's clocks, now or as they were.
import { type UseQueryResult, useQuery } from '@tanstack/react-query'
import { type ClocksAnswer, clocksAnswer } from '#wire'
import { useClient } from '../api/use-control-room.tsx'
import { usePast } from '../past/past-context.tsx'

const EVERY_MS = 2000

export function useClocks(): UseQueryResult<ClocksAnswer> {
  const client = useClient()
  const at = usePast()
  return useQuery({
    queryKey: ['clocks', at],
    queryFn: ({ signal }) =>
      client.get(at === null ? '/api/v1/clocks' : `/api/v1/clocks?at=${at}`, clocksAnswer, signal),
    refetchInterval: at === null ? EVERY_MS : false,
  })
}
