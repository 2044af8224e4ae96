// Owns how pages reach the control room: one client, and one hook a resource with its rhythm.
import { type UseQueryResult, useQuery, useQueryClient } from '@tanstack/react-query'
import { createContext, useCallback, useContext, useEffect, useState } from 'react'
import type { z } from 'zod'
import {
  type AlertView,
  alertsAnswer,
  historyAnswer,
  type LedgerRowView,
  ledgerAnswer,
  type MarkView,
  marksAnswer,
  meAnswer,
  type ProbesAnswer,
  probesAnswer,
  type ServerView,
  serversAnswer,
  type TitleView,
  type TryAnswer,
  type TryRequest,
  titlesAnswer,
  tryAnswer,
  type WallAnswer,
  wallAnswer,
} from '#wire'
import { ApiProblem, type ControlRoomClient } from './client.ts'

export const ClientContext = createContext<ControlRoomClient | null>(null)

const SERVERS_EVERY_MS = 1_000
/** A screen whose link was revoked goes on looking, in case the control room was set back. */
const REFUSED_EVERY_MS = 30_000
const ALERTS_EVERY_MS = 2_000
const TITLES_EVERY_MS = 3_000
const HISTORY_EVERY_MS = 4_000
const MARKS_EVERY_MS = 10_000
const MARKS_MS = 7 * 86_400_000
const MARKS_MAX = 200
const LEDGER_EVERY_MS = 5_000
const TRY_EVERY_MS = 500 // the stopwatch's figures

export type Me = z.infer<typeof meAnswer>
export type StateChange = z.infer<typeof historyAnswer>['changes'][number]

export function useClient(): ControlRoomClient {
  const client = useContext(ClientContext)
  if (client === null) throw new TypeError('the client is used outside of its provider')
  return client
}

export function useMe(enabled = true): UseQueryResult<Me> {
  const client = useClient()
  return useQuery({
    queryKey: ['me'],
    queryFn: async ({ signal }) => {
      const me = await client.get('/api/v1/me', meAnswer, signal)
      client.csrf = me.csrf
      return me
    },
    staleTime: 60_000,
    enabled,
  })
}

export function useServers(): UseQueryResult<readonly ServerView[]> {
  const client = useClient()
  return useQuery({
    queryKey: ['servers'],
    queryFn: async ({ signal }) => (await client.get('/api/v1/servers', serversAnswer, signal)).servers,
    refetchInterval: SERVERS_EVERY_MS,
  })
}

export function useWall(): UseQueryResult<WallAnswer> {
  const client = useClient()
  return useQuery({
    queryKey: ['wall'],
    queryFn: ({ signal }) => client.get('/api/v1/wall', wallAnswer, signal),
    refetchInterval: ({ state: { error } }) =>
      error instanceof ApiProblem && error.status === 401 ? REFUSED_EVERY_MS : SERVERS_EVERY_MS,
  })
}

export function useProbes(): UseQueryResult<ProbesAnswer> {
  const client = useClient()
  return useQuery({
    queryKey: ['probes'],
    queryFn: ({ signal }) => client.get('/api/v1/probes', probesAnswer, signal),
    refetchInterval: SERVERS_EVERY_MS,
  })
}

export function useAlerts(): UseQueryResult<readonly AlertView[]> {
  const client = useClient()
  return useQuery({
    queryKey: ['alerts'],
    queryFn: async ({ signal }) => (await client.get('/api/v1/alerts', alertsAnswer, signal)).alerts,
    refetchInterval: ALERTS_EVERY_MS,
  })
}

export function useTitles(): UseQueryResult<readonly TitleView[]> {
  const client = useClient()
  return useQuery({
    queryKey: ['titles'],
    queryFn: async ({ signal }) => (await client.get('/api/v1/titles', titlesAnswer, signal)).titles,
    refetchInterval: TITLES_EVERY_MS,
  })
}

/** Days of the ledger from `fromMs` to `toMs`. */
export function useLedger(span: {
  readonly fromMs: number
  readonly toMs: number
}): UseQueryResult<readonly LedgerRowView[]> {
  const client = useClient()
  const query = `start=${span.fromMs / 1000}&end=${span.toMs / 1000}`
  return useQuery({
    queryKey: ['ledger', query],
    queryFn: async ({ signal }) => (await client.get(`/api/v1/ledger?${query}`, ledgerAnswer, signal)).rows,
    refetchInterval: LEDGER_EVERY_MS,
  })
}

/** State changes of several servers together, each with its server's id, newest first. */
export type ServerChange = StateChange & { readonly server: string }

export function useHistory(ids: readonly string[]): UseQueryResult<readonly ServerChange[]> {
  const client = useClient()
  return useQuery({
    queryKey: ['history', ...ids],
    queryFn: async ({ signal }) => {
      const all = await Promise.all(
        ids.map(async id => {
          const path = `/api/v1/servers/${encodeURIComponent(id)}/history`
          const { changes } = await client.get(path, historyAnswer, signal)
          return changes.map(change => ({ ...change, server: id }))
        }),
      )
      return all.flat().sort((a, b) => b.at - a.at)
    },
    refetchInterval: HISTORY_EVERY_MS,
    placeholderData: before => before,
    enabled: ids.length > 0,
  })
}

/** What changed in the last week: of one server (with its host and the whole fleet), or all. Newest first. */
export function useMarks(server: string | null): UseQueryResult<readonly MarkView[]> {
  const client = useClient()
  const now = useFleetNow()
  return useQuery({
    queryKey: ['marks', server],
    queryFn: async ({ signal }) => {
      const query = new URLSearchParams({ limit: String(MARKS_MAX) })
      if (now !== null) query.set('from', String(Math.round(now - MARKS_MS)))
      if (server !== null) query.set('server', server)
      return (await client.get(`/api/v1/marks?${query.toString()}`, marksAnswer, signal)).marks
    },
    refetchInterval: MARKS_EVERY_MS,
    placeholderData: before => before,
  })
}

export interface TryIt {
  readonly answer: TryAnswer | undefined
  readonly act: (request: TryRequest) => Promise<void>
}

export function useTryIt(enabled: boolean): TryIt {
  const client = useClient()
  const cache = useQueryClient()
  const { data } = useQuery({
    queryKey: ['try'],
    queryFn: ({ signal }) => client.get('/api/v1/try', tryAnswer, signal),
    refetchInterval: TRY_EVERY_MS,
    enabled,
  })
  const act = useCallback(
    async (request: TryRequest) => {
      const answer = await client.post('/api/v1/try', request, tryAnswer)
      cache.setQueryData(['try'], answer)
    },
    [client, cache],
  )
  return { answer: data, act }
}

/** Draws again at this rhythm, so that ages grow. */
export function useTick(everyMs: number): void {
  const [, setTick] = useState(0)
  useEffect(() => {
    const timer = setInterval(() => setTick(tick => tick + 1), everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
}

/** Fleet time now, or null before the first answer; drawn again each second. */
export function useFleetNow(): number | null {
  useTick(1_000)
  return useClient().clock.at(performance.now())
}
