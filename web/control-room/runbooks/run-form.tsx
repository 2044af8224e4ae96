// Owns trying and beginning a run: servers, why, what would happen, and only then the button.
import { type FormEvent, type ReactNode, useState } from 'react'
import { useLocation } from 'wouter'
import type { DryRun, RunbookView } from '#wire'
import { useServers } from '../api/use-control-room.tsx'
import { useBeginRun, useDryRun } from '../api/use-runbooks.ts'
import { Problem } from '../parts/answers.tsx'

export interface RunFormProps {
  readonly runbook: RunbookView
  /** Chosen beforehand, as an incident concerns them. */
  readonly servers?: readonly string[]
  readonly incident?: string
}

export function RunForm({ runbook, servers: given = [], incident }: RunFormProps): ReactNode {
  const known = useServers().data ?? []
  const [chosen, setChosen] = useState<readonly string[]>(given)
  const [reason, setReason] = useState('')
  const [, go] = useLocation()
  const trial = useDryRun()
  const begin = useBeginRun()
  const request = {
    runbook: runbook.name,
    servers: [...chosen],
    reason: reason.trim(),
    ...(incident === undefined ? {} : { incident }),
  }
  const isWhole = chosen.length > 0 && request.reason !== ''
  const look = (event: FormEvent): void => {
    event.preventDefault()
    trial.mutate(request)
  }
  const start = (): void => begin.mutate(request, { onSuccess: ({ run }) => go(`/runs/${run.id}`) })
  return (
    <form className="run-form" onSubmit={look}>
      <fieldset>
        <legend>Servers</legend>
        {known
          .filter(({ role }) => role === 'edge' || role === 'origin')
          .map(({ id, state }) => (
            <label key={id}>
              <input
                type="checkbox"
                checked={chosen.includes(id)}
                onChange={({ currentTarget: { checked } }) => {
                  trial.reset()
                  setChosen(checked ? [...chosen, id] : chosen.filter(one => one !== id))
                }}
              />
              {id} <small>{state}</small>
            </label>
          ))}
      </fieldset>
      <label className="run-reason">
        Why
        <input
          type="text"
          value={reason}
          maxLength={512}
          placeholder="for those who find it later"
          onChange={({ currentTarget: { value } }) => setReason(value)}
        />
      </label>
      <button type="submit" className="plain" disabled={!isWhole || trial.isPending}>
        Dry run
      </button>
      {trial.error === null ? null : <Problem error={trial.error} what="The dry run" />}
      {trial.data === undefined ? null : <Trial trial={trial.data} />}
      {trial.data?.ready === true ? (
        <button type="button" className="danger" disabled={!isWhole || begin.isPending} onClick={start}>
          Run it on {chosen.join(', ')}
        </button>
      ) : null}
      {begin.error === null ? null : <Problem error={begin.error} what="The run" />}
    </form>
  )
}

function Trial({ trial: { batches, problems, warnings, onFailure } }: { readonly trial: DryRun }): ReactNode {
  return (
    <div className="run-trial" role="status">
      {batches.map(({ name, servers }) => (
        <section key={name} aria-label={name}>
          {servers.map(({ id, state, viewers, next, capacity, steps }) => (
            <article key={id}>
              <h4>
                {id} <small>{`${name}, ${state}, ${viewers} viewers`}</small>
              </h4>
              <p>
                {next.length === 0
                  ? capacity
                  : `Viewers go to ${next.map(({ edge, share }) => `${edge} (${Math.round(share * 100)} %)`).join(', ')}. ${capacity}.`}
              </p>
              <ol>
                {steps.map(({ text, where, problem }, place) => (
                  <li key={`${place} ${text}`} data-state={problem === null ? 'waiting' : 'failed'}>
                    {text} <small>{where}</small>
                    {problem === null ? null : <strong>{problem}</strong>}
                  </li>
                ))}
              </ol>
            </article>
          ))}
        </section>
      ))}
      {onFailure.length === 0 ? null : <p>When it fails: {onFailure.join('; ')}.</p>}
      {warnings.map(text => (
        <p key={text}>{text}</p>
      ))}
      <p>
        <strong>{problems.length === 0 ? 'Nothing stands in the way.' : problems.join('; ')}</strong>
      </p>
    </div>
  )
}
