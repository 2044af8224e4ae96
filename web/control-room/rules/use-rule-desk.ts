// Owns what the pages ask about rule files: the list, one file, whether a text would be taken, and back-tests.
import { type UseQueryResult, useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import {
  type BackTestAnswer,
  type BackTestRequest,
  backTestAnswer,
  type RuleCheckAnswer,
  type RuleFileAnswer,
  type RuleFilesAnswer,
  ruleCheckAnswer,
  ruleFileAnswer,
  ruleFilesAnswer,
} from '#wire'
import { useClient } from '../api/use-control-room.tsx'
import { nothing } from '../people/use-people.ts'

/** After the last key. */
const CHECK_AFTER_MS = 350
const PROGRESS_EVERY_MS = 400

export function useRuleFiles(enabled: boolean): UseQueryResult<RuleFilesAnswer> {
  const client = useClient()
  return useQuery({
    queryKey: ['rule-files'],
    queryFn: ({ signal }) => client.get('/api/v1/rules/files', ruleFilesAnswer, signal),
    enabled,
  })
}

export function filePath(folder: number, name: string): string {
  return `/api/v1/rules/files/${folder}/${encodeURIComponent(name)}`
}

/** As it was when the page was opened: what somebody else writes meanwhile must not change a text under one's hands. */
export function useRuleFile(
  file: { readonly folder: number; readonly name: string } | null,
): UseQueryResult<RuleFileAnswer> {
  const client = useClient()
  return useQuery({
    queryKey: ['rule-file', file?.folder, file?.name],
    queryFn: ({ signal }) =>
      client.get(filePath(file?.folder ?? 0, file?.name ?? ''), ruleFileAnswer, signal),
    enabled: file !== null,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    refetchOnWindowFocus: false,
  })
}

export interface Checked {
  /** Of which text. */
  readonly text: string
  readonly answer: RuleCheckAnswer
}

/** Null until the first answer; asked again when the keys rest. */
export function useRuleCheck(name: string, text: string): Checked | null {
  const client = useClient()
  const [checked, setChecked] = useState<Checked | null>(null)
  useEffect(() => {
    let wanted = true
    const timer = setTimeout(() => {
      client.post('/api/v1/rules/check', { name, text }, ruleCheckAnswer).then(
        answer => {
          if (wanted) setChecked({ text, answer })
        },
        (error: unknown) => {
          const problem = { line: null, text: error instanceof Error ? error.message : String(error) }
          if (wanted) setChecked({ text, answer: { problem, rules: [] } })
        },
      )
    }, CHECK_AFTER_MS)
    return () => {
      wanted = false
      clearTimeout(timer)
    }
  }, [client, name, text])
  return checked
}

export interface BackTesting {
  readonly answer: BackTestAnswer | null
  readonly error: Error | null
  readonly start: (request: BackTestRequest) => void
  readonly cancel: () => void
}

/** One at a time; leaving the page ends it. */
export function useBackTest(): BackTesting {
  const client = useClient()
  const [answer, setAnswer] = useState<BackTestAnswer | null>(null)
  const [error, setError] = useState<Error | null>(null)
  const [asked, setAsked] = useState<BackTestRequest | null>(null)
  useEffect(() => {
    if (asked === null) return undefined
    let id: string | null = null
    let timer: ReturnType<typeof setTimeout> | undefined
    let wanted = true
    const fail = (thrown: unknown): void => {
      if (wanted) setError(thrown instanceof Error ? thrown : new Error(String(thrown)))
    }
    const show = (now: BackTestAnswer): void => {
      if (!wanted) return
      id = now.id
      setAnswer(now)
      if (now.state === 'running') timer = setTimeout(look, PROGRESS_EVERY_MS)
    }
    const look = (): void =>
      void client.get(`/api/v1/rules/back-tests/${id}`, backTestAnswer).then(show, fail)
    client.post('/api/v1/rules/back-tests', asked, backTestAnswer).then(show, fail)
    return () => {
      wanted = false
      clearTimeout(timer)
      if (id !== null) client.delete(`/api/v1/rules/back-tests/${id}`, nothing).catch(() => undefined)
    }
  }, [client, asked])
  return {
    answer,
    error,
    start: request => {
      setError(null)
      setAnswer(null)
      setAsked({ ...request })
    },
    cancel: () => {
      setAsked(null)
      setAnswer(null)
    },
  }
}
