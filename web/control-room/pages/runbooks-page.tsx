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
            <p role="alert" className="runbook-mistakes">
              Files with a mistake are not in force as they stand: {runbooks.data.problem}
            </p>
          )}
          <div className="runbook-list">
            {runbooks.data.runbooks.map(runbook => (
              <One key={runbook.name} runbook={runbook} />
            ))}
          </div>
        </>
      )}
      {/* Below what is above it: runs that came first would be pushed away. */}
      {runbooks.data === undefined && runbooks.error === null ? null : (
        <>
          <h2>Runs</h2>
          {runs.data === undefined ? (
            <Loading what="runs" />
          ) : runs.data.runs.length === 0 ? (
            <Empty title="Nothing has been run yet">
              <p>A dry run shows what would happen, and changes nothing.</p>
            </Empty>
          ) : (
            <Runs runs={runs.data.runs} />
          )}
        </>
      )}
    </div>
  )
}

function One({ runbook }: { readonly runbook: RunbookView }): ReactNode {
  const [open, setOpen] = useState(false)
  const { title, name, description, steps, approval } = runbook
  return (
    <section className="panel runbook" aria-label={title}>
      <h3>{title}</h3>
      <small>{name}</small>
      <p>{withCode(description)}</p>
      <details>
        <summary>{steps.length === 1 ? 'One step' : `${steps.length} steps`}</summary>
        <ol>
          {steps.map((text, place) => (
            <li key={`${place} ${text}`}>
              <Step text={text} />
            </li>
          ))}
        </ol>
      </details>
      {approval === null ? null : (
        <p>Begins when an {approval === 'admin' ? 'admin' : 'operator or admin'} approves.</p>
      )}
      <button type="button" className="plain" aria-expanded={open} onClick={() => setOpen(!open)}>
        {open ? 'Close' : 'Try or run'}
      </button>
      {open ? <RunForm runbook={runbook} /> : null}
    </section>
  )
}

/** `words` between backticks, as descriptions have them. */
function withCode(text: string): ReactNode[] {
  return text
    .split('`')
    .map((part, place) => (place % 2 === 1 ? <code key={`${place} ${part}`}>{part}</code> : part))
}

/** A step in words, its expressions set apart from them. */
function Step({ text }: { readonly text: string }): ReactNode {
  const [, what = text, only] = /^(.*?), only if (.*)$/.exec(text) ?? []
  const [, expr, goOn = ''] = /^wait until (.*?)(, and go on without it)?$/.exec(what) ?? []
  return (
    <>
      {expr === undefined ? (
        what
      ) : (
        <>
          wait until <code>{expr}</code>
          {goOn}
        </>
      )}
      {only === undefined ? null : (
        <>
          , only if <code>{only}</code>
        </>
      )}
    </>
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
              <td data-label="Began">
                <Moment at={startedAt} />
              </td>
              <td>
                <Link href={`/runs/${id}`}>{title}</Link>
              </td>
              <td data-label="Servers">{servers.map(server => server.id).join(', ')}</td>
              <td data-label="By">{by}</td>
              <td data-label="Stands" data-state={condition ?? 'running'}>
                {condition ?? text}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
