// Owns the page of one run, live: every step of every server, what commands printed, approving and stopping.
import type { ReactNode } from 'react'
import type { RunView } from '#wire'
import { useActOnRun, useRun } from '../api/use-runbooks.ts'
import { Loading, Problem } from '../parts/answers.tsx'
import { ConfirmButton } from '../parts/confirm-button.tsx'
import { Link } from '../parts/link.tsx'
import { Moment } from '../parts/moment.tsx'
import '../runbooks/runbooks.css'

const LEFT = { returned: 'in service', held: 'stays drained', untouched: 'not touched' } as const

export function RunPage({ id }: { readonly id: string }): ReactNode {
  const { data, error } = useRun(id)
  if (data !== undefined) return <Run run={data.run} />
  return (
    <div className="page">
      {error === null ? <Loading what="the run" /> : <Problem error={error} what="The run" />}
    </div>
  )
}

function Run({ run }: { readonly run: RunView }): ReactNode {
  const act = useActOnRun(run.id)
  const { waitsFor } = run
  return (
    <div className="page">
      <header className="page-head">
        <h1>{run.title}</h1>
      </header>
      <p className="run-stands" role="status" data-state={run.condition ?? 'running'}>
        <strong>{run.condition ?? (run.stopping ? 'stopping' : 'goes on')}</strong>: {run.text}
      </p>
      <p>
        Begun by {run.by} <Moment at={run.startedAt} />: {run.reason}
        {run.incident === null ? null : (
          <>
            {' '}
            (<Link href={`/incidents/${run.incident}`}>incident {run.incident}</Link>)
          </>
        )}
      </p>
      {run.endedAt !== null ? null : (
        <p className="run-acts">
          {waitsFor === null ? null : (
            <>
              <span>
                Waits for {waitsFor.role}
                {waitsFor.secondPerson ? ' other than who began it' : ''}: {waitsFor.text}, until{' '}
                <Moment at={waitsFor.until} />
              </span>
              <button
                type="button"
                className="plain"
                disabled={act.isPending}
                onClick={() => act.mutate('approve')}
              >
                Approve
              </button>
            </>
          )}
          <ConfirmButton
            verb="Stop"
            what="the run"
            warning="Nothing more is begun. Servers that were touched stay drained until somebody releases them."
            onConfirm={() => act.mutate('stop')}
          />
        </p>
      )}
      {act.error === null ? null : <Problem error={act.error} what="That" />}
      {run.servers.map(server => (
        <section key={server.id} className="panel run-server" aria-label={server.id}>
          <h3>
            <Link href={`/servers/${server.id}`}>{server.id}</Link>{' '}
            <small>
              {server.outcome === null
                ? `batch ${server.batch + 1}`
                : server.outcome === 'returned'
                  ? LEFT.returned
                  : `${LEFT[server.outcome]}: ${server.text}`}
            </small>
          </h3>
          <ol>
            {server.steps.map(({ phase, step, title, state, text, output, endedAt }) => (
              <li key={`${phase} ${step}`} data-state={state}>
                {title} <small>{state}</small> {endedAt === null ? null : <Moment at={endedAt} />}
                {text === '' ? null : <p>{text}</p>}
                {output === '' ? null : <pre>{output}</pre>}
              </li>
            ))}
          </ol>
        </section>
      ))}
    </div>
  )
}
