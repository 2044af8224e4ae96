// Owns which runs of runbooks an incident has: what goes on, whom it waits for, and how those before it ended.
import type { ReactNode } from 'react'
import { useRuns } from '../api/use-runbooks.ts'
import { Link } from '../parts/link.tsx'
import { Moment } from '../parts/moment.tsx'

const SHOWN_MAX = 5

export function RunsPanel({ incident }: { readonly incident: string }): ReactNode {
  const { data } = useRuns()
  const own = (data?.runs ?? []).filter(run => run.incident === incident)
  if (own.length === 0) return null
  const isRunning = own.some(({ endedAt }) => endedAt === null)
  return (
    <section className="panel incident-runs" aria-label={isRunning ? 'Run in progress' : 'Runs'}>
      <header>
        <h2>{isRunning ? 'Run in progress' : 'Runs'}</h2>
      </header>
      <ul>
        {own
          .slice(0, SHOWN_MAX)
          .map(({ id, title, by, startedAt, endedAt, condition, text, waitsFor, servers }) => (
            <li key={id} data-running={endedAt === null || undefined}>
              <Link href={`/runs/${id}`}>{title}</Link> on {servers.map(server => server.id).join(', ')}, by{' '}
              {by} at <Moment at={startedAt} />
              <p>
                {endedAt === null ? '' : `${condition ?? 'ended'}: `}
                {text}
                {waitsFor === null ? null : (
                  <>
                    {' '}
                    <b>{waitsFor.text}</b>
                  </>
                )}
              </p>
            </li>
          ))}
      </ul>
    </section>
  )
}
