// Owns whom an incident concerned among those who watched: how many lost seconds or could not start while it lasted,
// edge by edge, measured and estimated apart, and all of them as a file.
import { useQueries } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import {
  AFFECTED_BEFORE_MS,
  type AffectedAnswer,
  type AffectedCounts,
  affectedAnswer,
  type IncidentAnswer,
} from '#wire'
import { useClient, useServers } from '../api/use-control-room.tsx'
import { Loading, Problem } from '../parts/answers.tsx'
import { useSettings } from '../settings.tsx'
import { countText, lostText } from './incident-words.ts'

const EVERY_MS = 10_000
/** Of more edges the sum over the fleet says as much. */
const EDGES_MAX = 6

export function AffectedPanel({ answer: { incident, now } }: { readonly answer: IncidentAnswer }): ReactNode {
  const client = useClient()
  const servers = useServers()
  const { zone } = useSettings()
  const { id, openedAt, resolvedAt } = incident
  const edges = incident.servers.filter(one =>
    servers.data?.some(server => server.id === one && server.role === 'edge'),
  )
  const asked = edges.length === 0 || edges.length > EDGES_MAX ? [null] : edges
  const queryOf = (edge: string | null): string => {
    const span = {
      from: String(Math.round(openedAt - AFFECTED_BEFORE_MS)),
      to: String(Math.round(resolvedAt ?? now)),
    }
    return new URLSearchParams({ ...span, ...(edge === null ? {} : { edge }) }).toString()
  }
  const answers = useQueries({
    queries: asked.map(edge => ({
      queryKey: ['affected', id, edge, resolvedAt],
      queryFn: ({ signal }: { readonly signal: AbortSignal }) =>
        client.get(`/api/v1/viewers/affected?${queryOf(edge)}`, affectedAnswer, signal),
      refetchInterval: resolvedAt === null ? EVERY_MS : (false as const),
      enabled: servers.data !== undefined,
    })),
  })
  const failed = answers.find(({ error }) => error !== null)?.error ?? null
  const rows = asked.flatMap((edge, place) => {
    const data = answers[place]?.data
    return data === undefined ? [] : [{ edge, data }]
  })
  const isSilent = rows.every(({ data }) => data.measured.viewers + data.estimated.viewers === 0)
  const tz = zone === 'utc' ? 'UTC' : Intl.DateTimeFormat().resolvedOptions().timeZone
  return (
    <section className="panel incident-affected" aria-label="Affected viewers">
      <header>
        <h2>Affected viewers</h2>
      </header>
      {failed === null ? null : <Problem error={failed} what="Viewers" />}
      {rows.length < asked.length ? (
        failed === null ? (
          <Loading what="viewers" />
        ) : null
      ) : isSilent ? (
        <p className="quiet">Nothing was told of viewers in this time.</p>
      ) : (
        <>
          <ul>
            {rows.map(({ edge, data }) => (
              <li key={edge ?? ''}>
                <h3>{edge ?? 'The whole fleet'}</h3>
                <Counts how="measured" counts={data.measured} truncated={data.truncated} />
                <Counts how="estimated" counts={data.estimated} truncated={data.truncated} />
                <a
                  href={`/api/v1/viewers/affected.csv?${queryOf(edge)}&tz=${encodeURIComponent(tz)}`}
                  download={`affected-${id}${edge === null ? '' : `-${edge}`}.csv`}
                >
                  List as CSV
                </a>
              </li>
            ))}
          </ul>
          <p className="quiet">
            Who lost three seconds or more to stalls, or could not start. Measured: the player told.
            Estimated: by what the edge answered.
          </p>
        </>
      )}
    </section>
  )
}

interface CountsProps {
  readonly how: 'measured' | 'estimated'
  readonly counts: AffectedCounts
  readonly truncated: AffectedAnswer['truncated']
}

function Counts({ how, counts, truncated }: CountsProps): ReactNode {
  const { viewers, affected, couldNotStart, lostS, excess } = counts
  if (viewers === 0) return null
  return (
    <p>
      <b>
        {truncated ? 'at least ' : ''}
        {countText(affected)}
      </b>{' '}
      of {countText(viewers)} {how}
      {affected === 0
        ? ''
        : `: ${lostText(lostS)} lost, ${countText(couldNotStart)} could not start${excess === null ? '' : `; ${countText(excess)} more than among viewers elsewhere`}`}
    </p>
  )
}
