// Owns the page of one run, live: every step of every server, what commands printed, approving and stopping.
import type { ReactNode } from 'react'
import type { RunStepView, RunView, ShownState } from '#wire'
import { useActOnRun, useRun } from '../api/use-runbooks.ts'
import { Loading, Problem } from '../parts/answers.tsx'
import { ConfirmButton } from '../parts/confirm-button.tsx'
import { Link } from '../parts/link.tsx'
import { Moment } from '../parts/moment.tsx'
import { StateIcon } from '../parts/state.tsx'
import { toneOf } from '../parts/tone.ts'
import { duration } from '../time-format.ts'
import '../runbooks/runbooks.css'

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
        <Link href="/runbooks">Runbooks</Link>
      </header>
      <p className="run-stands" role="status" data-tone={toneOfRun(run)}>
        <StateIcon state={iconOfRun(run)} />
        <span>
          <strong>{run.condition ?? (run.stopping ? 'stopping' : 'goes on')}</strong>: {run.text}
        </span>
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
            <Link href={`/servers/${server.id}`}>{server.id}</Link> <small>{leftWords(server)}</small>
          </h3>
          <ol className="run-steps">
            {server.steps.map(step => (
              <StepLine key={`${step.phase} ${step.step}`} step={step} />
            ))}
          </ol>
          {server.outcome !== 'held' || server.text.includes(': retired meanwhile') ? null : (
            <p>
              When it is well, release it on <Link href={`/servers/${server.id}`}>its page</Link>: it comes
              back in steps.
            </p>
          )}
        </section>
      ))}
    </div>
  )
}

/** As servers look: a shape and a word beside the colour. */
const ICONS = {
  done: 'healthy',
  running: 'draining',
  failed: 'unreachable',
  unknown: 'unknown',
  waiting: 'maintenance',
  skipped: 'maintenance',
} as const satisfies Record<RunStepView['state'], ShownState>

function StepLine({ step }: { readonly step: RunStepView }): ReactNode {
  const { title, state, text, output, beganAt, endedAt } = step
  const icon = ICONS[state]
  return (
    <li data-state={state} data-tone={toneOf(icon)} aria-current={state === 'running' ? 'step' : undefined}>
      <StateIcon state={icon} />
      <div>
        <b>{title}</b>
        {text === '' ? null : <p>{text}</p>}
        {output === '' ? null : <pre>{output}</pre>}
      </div>
      <span className="run-step-when">
        <b>{state}</b>
        {endedAt === null ? null : <Moment at={endedAt} />}
        {endedAt === null || beganAt === null ? null : <span>{duration(endedAt - beganAt)}</span>}
      </span>
    </li>
  )
}

/** How it was left; until then its batch. The text of one that is held begins with that. */
function leftWords({ outcome, text, batch }: RunView['servers'][number]): string {
  switch (outcome) {
    case null:
      return `batch ${batch + 1}`
    case 'returned':
      return 'in service'
    case 'held':
      return text
    case 'untouched':
      return text === '' ? 'not touched' : `not touched: ${text}`
    default:
      return outcome satisfies never
  }
}

function iconOfRun({ condition }: RunView): ShownState {
  if (condition === null) return 'draining'
  return condition === 'completed' ? 'healthy' : condition === 'failed' ? 'unreachable' : 'degraded'
}

function toneOfRun(run: RunView): string {
  return toneOf(iconOfRun(run))
}
