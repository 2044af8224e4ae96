// Owns the admission checks as a panel of their own: the newest run, and the button that begins another.
import type { ReactNode } from 'react'
import { Loading, Problem } from '../parts/answers.tsx'
import { Link } from '../parts/link.tsx'
import { Moment } from '../parts/moment.tsx'
import { CheckList, CheckSummary } from './check-list.tsx'
import { useCheckAgain, useChecks } from './use-checks.ts'

export interface ChecksPanelProps {
  readonly server: string
  readonly mayCheck: boolean
  /** On the server's page: as few lines as it takes, and the way to the page with the shares. */
  readonly brief: boolean
}

export function ChecksPanel({ server, mayCheck, brief }: ChecksPanelProps): ReactNode {
  const checks = useChecks(server)
  const again = useCheckAgain(server)
  const run = checks.data?.[0] ?? null
  const isRunning = run !== null && run.endedAt === null
  return (
    <section className="panel check-panel" aria-label="Admission checks">
      <header>
        <h2>{brief ? 'Admission checks' : 'Checks'}</h2>
        {mayCheck && checks.data !== undefined ? (
          <button
            type="button"
            className="plain"
            disabled={isRunning || again.isPending}
            aria-label={`Check ${server}${run === null ? '' : ' again'}`}
            onClick={() => again.mutate()}
          >
            {run === null ? 'Check now' : 'Check again'}
          </button>
        ) : null}
      </header>
      {again.error === null ? null : (
        <p className="form-problem" role="alert">
          {again.error.message}
        </p>
      )}
      {checks.data === undefined ? (
        checks.error === null ? (
          <Loading what="the checks" />
        ) : (
          <Problem error={checks.error} what="The checks" />
        )
      ) : run === null ? (
        <p className="quiet">
          It was never checked: it joined by a line from the shell, or before there were checks.
        </p>
      ) : (
        <>
          <div className="check-top">
            <CheckSummary run={run} />
            <p className="quiet">
              {run.endedAt === null ? (
                <>
                  begun <Moment at={run.startedAt} /> by {run.by}
                </>
              ) : (
                <>
                  ended <Moment at={run.endedAt} />, begun by {run.by}
                </>
              )}
            </p>
          </div>
          <CheckList run={run} />
        </>
      )}
      {brief ? (
        <p className="check-more">
          <Link href={`/add-edge?server=${encodeURIComponent(server)}`}>
            Checks and share of new sessions
          </Link>
        </p>
      ) : null}
    </section>
  )
}
