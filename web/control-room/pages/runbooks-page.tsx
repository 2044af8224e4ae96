// Owns the page of runbooks: what there is, trying and beginning one, and the runs so far.
import { type ReactNode, useState } from 'react'
import type { RunbookView, RunView } from '#wire'
import { useRunbooks, useRuns } from '../api/use-runbooks.ts'
import { Empty, Loading, Problem } from '../parts/answers.tsx'
import { Link } from '../parts/link.tsx'
import { Moment } from '../parts/moment.tsx'
import { RunForm } from '../runbooks/run-form.tsx'
import '../runbooks/runbooks.css'

export function RunbooksPage(): ReactNode {
  const runbooks = useRunbooks(null)
  const runs = useRuns()
  return (
    <div className="page">
      <header className="page-head">
        <h1>Runbooks</h1>
        <Link href="/drills">Drills</Link>
      </header>
      {runbooks.data === undefined ? (
        runbooks.error === null ? (
          <Loading what="runbooks" />
        ) : (
          <Problem error={runbooks.error} what="Runbooks" />
        )
      ) : (
        <>
          {runbooks.data.problem === null ? null : (
            <p role="alert">The files as they stand are not in force: {runbooks.data.problem}</p>
          )}
          <div className="runbook-list">
            {runbooks.data.runbooks.map(runbook => (
              <One key={runbook.name} runbook={runbook} />
            ))}
          </div>
        </>
      )}
      <h2>Runs</h2>
      {/* Below what is above it: runs that came first would be pushed away. */}
      {runs.data === undefined || (runbooks.data === undefined && runbooks.error === null) ? (
        <Loading what="runs" />
      ) : runs.data.runs.length === 0 ? (
        <Empty title="Nothing has been run yet">
          <p>A dry run shows what would happen, and changes nothing.</p>
        </Empty>
      ) : (
        <Runs runs={runs.data.runs} />
      )}
    </div>
  )
}

function One({ runbook }: { readonly runbook: RunbookView }): ReactNode {
  const [open, setOpen] = useState(false)
  const { title, name, description, steps, approval } = runbook
  return (
    <section className="panel runbook" aria-label={title}>
      <h3>
        {title} <small>{name}</small>
      </h3>
      <p>{description}</p>
      <ol>
        {steps.map((text, place) => (
          <li key={`${place} ${text}`}>{text}</li>
        ))}
      </ol>
      {approval === null ? null : <p>Begins when {approval} approves.</p>}
      <button type="button" className="plain" aria-expanded={open} onClick={() => setOpen(!open)}>
        {open ? 'Close' : 'Try or run'}
      </button>
      {open ? <RunForm runbook={runbook} /> : null}
    </section>
  )
}

function Runs({ runs }: { readonly runs: readonly RunView[] }): ReactNode {
  return (
    <section className="panel" aria-label="Runs">
      <table className="run-table">
        <thead>
          <tr>
            <th scope="col">Began</th>
            <th scope="col">Runbook</th>
            <th scope="col">Servers</th>
            <th scope="col">By</th>
            <th scope="col">Stands</th>
          </tr>
        </thead>
        <tbody>
          {runs.map(({ id, startedAt, title, servers, by, condition, text }) => (
            <tr key={id}>
              <td>
                <Moment at={startedAt} />
              </td>
              <td>
                <Link href={`/runs/${id}`}>{title}</Link>
              </td>
              <td>{servers.map(server => server.id).join(', ')}</td>
              <td>{by}</td>
              <td data-state={condition ?? 'running'}>{condition ?? text}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
