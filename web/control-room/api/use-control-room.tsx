// Owns how pages reach the control room: one client, and one hook a resource with its rhythm.
import { type UseQueryResult, useQuery, useQueryClient } from '@tanstack/react-query'
import { createContext, useCallback, useContext, useEffect, useState } from 'react'
import type { z } from 'zod'
import {
  type AlertView,
  alertsAnswer,
  historyAnswer,
  type KernelMessagesAnswer,
  kernelMessagesAnswer,
  type LedgerRowView,
  ledgerAnswer,
  type MarkView,
  marksAnswer,
  meAnswer,
  type ProbesAnswer,
  type ProcessesAnswer,
  probesAnswer,
  processesAnswer,
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
import { usePast } from '../past/past-context.tsx'
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

/** With a moment in the past, an answer about it: asked for once, since it does not change. */
function pathAt(path: string, at: number | null): string {
  return at === null ? path : `${path}?at=${at}`
}

interface Asked {
  readonly queryKey: readonly unknown[]
}

/** While another past moment is fetched, the one before stays; never the present as the past, or the other way round. */
function isStep(at: number | null, before: Asked | undefined): boolean {
  return at !== null && before !== undefined && before.queryKey.at(-1) !== null
}

export function useServers(): UseQueryResult<readonly ServerView[]> {
  const client = useClient()
  const at = usePast()
  return useQuery({
    queryKey: ['servers', at],
    queryFn: async ({ signal }) =>
      (await client.get(pathAt('/api/v1/servers', at), serversAnswer, signal)).servers,
    refetchInterval: at === null ? SERVERS_EVERY_MS : false,
    placeholderData: (before, query) => (isStep(at, query) ? before : undefined),
  })
}

export function useWall(): UseQueryResult<WallAnswer> {
  const client = useClient()
  const at = usePast()
  return useQuery({
    queryKey: ['wall', at],
    queryFn: ({ signal }) => client.get(pathAt('/api/v1/wall', at), wallAnswer, signal),
    placeholderData: (before, query) => (isStep(at, query) ? before : undefined),
    refetchInterval: ({ state: { error } }) =>
      at !== null
        ? false
        : error instanceof ApiProblem && error.status === 401
          ? REFUSED_EVERY_MS
          : SERVERS_EVERY_MS,
  })
}

export function useProbes(): UseQueryResult<ProbesAnswer> {
  const client = useClient()
  const at = usePast()
  return useQuery({
    queryKey: ['probes', at],
    queryFn: ({ signal }) => client.get(pathAt('/api/v1/probes', at), probesAnswer, signal),
    placeholderData: (before, query) => (isStep(at, query) ? before : undefined),
    refetchInterval: at === null ? SERVERS_EVERY_MS : false,
  })
}

export function useAlerts(): UseQueryResult<readonly AlertView[]> {
  const client = useClient()
  const at = usePast()
  return useQuery({
    queryKey: ['alerts', at],
    queryFn: async ({ signal }) =>
      (await client.get(pathAt('/api/v1/alerts', at), alertsAnswer, signal)).alerts,
    placeholderData: (before, query) => (isStep(at, query) ? before : undefined),
    refetchInterval: at === null ? ALERTS_EVERY_MS : false,
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
  const past = usePast()
  return useQuery({
    queryKey: ['history', ...ids, past],
    queryFn: async ({ signal }) => {
      const all = await Promise.all(
        ids.map(async id => {
          const path = pathAt(`/api/v1/servers/${encodeURIComponent(id)}/history`, past)
          const { changes } = await client.get(path, historyAnswer, signal)
          return changes.map(change => ({ ...change, server: id }))
        }),
      )
      return all.flat().sort((a, b) => b.at - a.at)
    },
    refetchInterval: past === null ? HISTORY_EVERY_MS : false,
    placeholderData: before => (past === null ? before : undefined),
    enabled: ids.length > 0,
  })
}

/** What changed in the last week: of one server (with its host and the whole fleet), or all. Newest first. */
export function useMarks(server: string | null): UseQueryResult<readonly MarkView[]> {
  const client = useClient()
  const past = usePast()
  const now = useFleetNow()
  return useQuery({
    queryKey: ['marks', server, past],
    queryFn: async ({ signal }) => {
      const query = new URLSearchParams({ limit: String(MARKS_MAX) })
      if (now !== null) query.set('from', String(Math.round(now - MARKS_MS)))
      if (past !== null) query.set('to', String(past))
      if (server !== null) query.set('server', server)
      return (await client.get(`/api/v1/marks?${query.toString()}`, marksAnswer, signal)).marks
    },
    refetchInterval: past === null ? MARKS_EVERY_MS : false,
    placeholderData: before => (past === null ? before : undefined),
  })
}

const NOTES_STALE_MS = 30_000

/** Who used the CPU of a server's host around that moment. */
export function useProcesses(server: string, at: number | null): UseQueryResult<ProcessesAnswer> {
  const client = useClient()
  return useQuery({
    queryKey: ['processes', server, at],
    queryFn: ({ signal }) => client.get(`${notesPath(server)}/processes?at=${at}`, processesAnswer, signal),
    enabled: at !== null,
    placeholderData: before => before,
    ...noteTimes(client, at),
  })
}

/** What the kernel of a server's host said around that moment. */
export function useKernelMessages(
  server: string,
  at: number | null,
  span: { readonly beforeMs: number; readonly afterMs: number },
): UseQueryResult<KernelMessagesAnswer> {
  const client = useClient()
  const [from, to] = [(at ?? 0) - span.beforeMs, (at ?? 0) + span.afterMs]
  return useQuery({
    queryKey: ['kernel-messages', server, from, to],
    queryFn: ({ signal }) =>
      client.get(`${notesPath(server)}/kernel-messages?from=${from}&to=${to}`, kernelMessagesAnswer, signal),
    enabled: at !== null,
    placeholderData: before => before,
    ...noteTimes(client, at),
  })
}

function notesPath(server: string): string {
  return `/api/v1/servers/${encodeURIComponent(server)}`
}

/** Agents tell within some seconds; what is older does not change any more. */
function noteTimes(
  client: ControlRoomClient,
  at: number | null,
): { readonly staleTime: number; readonly refetchInterval: number | false } {
  const now = client.clock.at(performance.now())
  const isFresh = now !== null && at !== null && now - at < NOTES_STALE_MS
  return { staleTime: isFresh ? 0 : NOTES_STALE_MS, refetchInterval: isFresh ? HISTORY_EVERY_MS : false }
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

/** Fleet time now, or null before the first answer, drawn again each second; on a page about the past, that moment. */
export function useFleetNow(): number | null {
  useTick(1_000)
  const past = usePast()
  const now = useClient().clock.at(performance.now())
  return past ?? now
}
