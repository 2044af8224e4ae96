// Owns how the pages about people ask: users, invitations, browsers, tokens, the recovery code, the audit.
import {
  type UseMutationResult,
  type UseQueryResult,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query'
import { z } from 'zod'
import {
  type InvitationView,
  invitationsAnswer,
  type RecoveryView,
  recoveryView,
  type TokenView,
  tokensAnswer,
  type UserView,
  usersAnswer,
  type WebSessionView,
  webSessionsAnswer,
} from '#wire'
import { type ControlRoomClient } from '../api/client.ts'
import { useClient } from '../api/use-control-room.tsx'

const PEOPLE_EVERY_MS = 10_000
const SAFETY_EVERY_MS = 60_000

export function useUsers(): UseQueryResult<UserView[]> {
  const client = useClient()
  return useQuery({
    queryKey: ['people', 'users'],
    queryFn: async ({ signal }) => (await client.get('/api/v1/users', usersAnswer, signal)).users,
    refetchInterval: PEOPLE_EVERY_MS,
  })
}

export function useInvitations(): UseQueryResult<InvitationView[]> {
  const client = useClient()
  return useQuery({
    queryKey: ['people', 'invitations'],
    queryFn: async ({ signal }) =>
      (await client.get('/api/v1/invitations', invitationsAnswer, signal)).invitations,
    refetchInterval: PEOPLE_EVERY_MS,
  })
}

export function useWebSessions(everybody: boolean): UseQueryResult<WebSessionView[]> {
  const client = useClient()
  const path = `/api/v1/web-sessions${everybody ? '?of=everybody' : ''}`
  return useQuery({
    queryKey: ['people', 'sessions', everybody],
    queryFn: async ({ signal }) => (await client.get(path, webSessionsAnswer, signal)).sessions,
    refetchInterval: PEOPLE_EVERY_MS,
  })
}

export function useTokens(everybody: boolean): UseQueryResult<TokenView[]> {
  const client = useClient()
  const path = `/api/v1/tokens${everybody ? '?of=everybody' : ''}`
  return useQuery({
    queryKey: ['people', 'tokens', everybody],
    queryFn: async ({ signal }) => (await client.get(path, tokensAnswer, signal)).tokens,
    refetchInterval: PEOPLE_EVERY_MS,
  })
}

export function useRecovery(enabled: boolean): UseQueryResult<RecoveryView> {
  const client = useClient()
  return useQuery({
    queryKey: ['people', 'recovery'],
    queryFn: ({ signal }) => client.get('/api/v1/recovery-code', recoveryView, signal),
    refetchInterval: SAFETY_EVERY_MS,
    enabled,
  })
}

/** A change, after which everything about people is asked for again. */
export function useChange<Answer, Wanted = void>(
  change: (client: ControlRoomClient, wanted: Wanted) => Promise<Answer>,
): UseMutationResult<Answer, Error, Wanted> {
  const client = useClient()
  const cache = useQueryClient()
  return useMutation({
    mutationFn: (wanted: Wanted) => change(client, wanted),
    onSettled: () => cache.invalidateQueries({ queryKey: ['people'] }),
  })
}

export const nothing: z.ZodType = z.unknown()
