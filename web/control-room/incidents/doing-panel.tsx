// Owns what is being done about an incident: what Vitrine did, who was rung, who has it, and handing it to somebody.
import { useQuery } from '@tanstack/react-query'
import { type FormEvent, type ReactNode, useState } from 'react'
import { actorsAnswer, type IncidentAnswer, mayAct, toldWords } from '#wire'
import { useClient, useMe } from '../api/use-control-room.tsx'
import type { Act, useAct } from '../api/use-incidents.ts'
import { useRunbooks } from '../api/use-runbooks.ts'
import { ConfirmButton } from '../parts/confirm-button.tsx'
import { Link } from '../parts/link.tsx'
import { Moment } from '../parts/moment.tsx'
import { useSettings } from '../settings.tsx'
import { timeOfDay } from '../time-format.ts'

interface Acting {
  readonly answer: IncidentAnswer
  readonly act: ReturnType<typeof useAct>
}

export function DoingPanel({ answer, act }: Acting): ReactNode {
  const { incident, timeline } = answer
  const { acknowledgedBy, acknowledgedAt, assignedTo, waitUntil, resolvedAt } = incident
  const { data: me } = useMe()
  const told = toldWords(timeline)
  const moved = timeline.findLast(({ kind }) => kind === 'steering')
  return (
    <section className="panel incident-doing" aria-label="What is being done">
      <ul>
        <li>
          {acknowledgedBy === null || acknowledgedAt === null ? (
            <>
              <b>Nobody has it yet.</b>
              {assignedTo === null ? '' : ` It was handed to ${assignedTo}.`}
            </>
          ) : (
            <>
              <b>{assignedTo ?? acknowledgedBy} has it</b>, since <Moment at={acknowledgedAt} />
            </>
          )}
          {waitUntil === null ? null : (
            <>
              {' '}
              Nobody is rung before <Moment at={waitUntil} />.
            </>
          )}
        </li>
        <li>
          {told === null ? (
            'Nobody was told yet.'
          ) : (
            <>
              <Moment at={told.at} /> {told.text}
            </>
          )}
        </li>
        {moved === undefined ? null : (
          <li>
            <Moment at={moved.at} /> Steering: {moved.text}
          </li>
        )}
      </ul>
      {resolvedAt !== null || me === undefined || !mayAct(me.role, 'operator') ? null : (
        <>
          <HandOver answer={answer} act={act} />
          <div className="incident-rare">
            <Link href={`/silences?incident=${encodeURIComponent(incident.id)}`}>Silence these alerts</Link>
            <ConfirmButton
              verb="It is over"
              what={incident.id}
              warning="It is resolved by you; alerts that still fire open nothing until they have ended."
              onConfirm={() => act.mutate({ verb: 'resolve', body: {} })}
            />
          </div>
        </>
      )}
    </section>
  )
}

function HandOver({ answer: { incident }, act }: Acting): ReactNode {
  const client = useClient()
  const [open, setOpen] = useState(false)
  const [to, setTo] = useState('')
  const actors = useQuery({
    queryKey: ['actors'],
    queryFn: ({ signal }) => client.get('/api/v1/actors', actorsAnswer, signal),
    enabled: open,
  })
  const others = (actors.data?.people ?? []).filter(name => name !== incident.assignedTo)
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (to !== '') act.mutate({ verb: 'assign', body: { to } }, { onSuccess: () => setTo('') })
  }
  return (
    <details className="hand-over" onToggle={event => setOpen(event.currentTarget.open)}>
      <summary>Hand it over</summary>
      {actors.error === null ? null : (
        <p className="form-problem" role="alert">
          {actors.error.message}
        </p>
      )}
      {actors.data !== undefined && others.length === 0 ? (
        <p className="quiet">Nobody else is here who may act. An admin invites people.</p>
      ) : (
        <form onSubmit={submit}>
          <label>
            <span className="visually-hidden">Hand it to</span>
            <select value={to} onChange={event => setTo(event.target.value)}>
              <option value="">{actors.data === undefined ? 'Loading…' : 'Choose somebody'}</option>
              {others.map(name => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
          <button type="submit" className="plain" disabled={to === '' || act.isPending}>
            Hand over
          </button>
        </form>
      )}
    </details>
  )
}

interface ThumbBarProps extends Acting {
  /** Whether the runbooks that fit are shown. */
  readonly fixing: boolean
  onFix(this: void): void
}

/** Fixed at the thumb on a phone. */
export function ThumbBar({ answer: { incident, morning }, act, fixing, onFix }: ThumbBarProps): ReactNode {
  const { data: me } = useMe()
  const { data: runbooks } = useRunbooks(incident.id)
  const { zone } = useSettings()
  if (incident.resolvedAt !== null || me === undefined || !mayAct(me.role, 'operator')) return null
  const run = (verb: Act['verb'], body: Act['body'] = {}): void => act.mutate({ verb, body })
  const { acknowledgedBy, assignedTo, waitUntil } = incident
  const owner = acknowledgedBy === null ? null : (assignedTo ?? acknowledgedBy)
  return (
    <div className="thumb-bar">
      {act.error === null ? null : (
        <p className="form-problem" role="alert">
          {act.error.message}
        </p>
      )}
      <div className="thumb-buttons">
        {acknowledgedBy === null ? (
          <button type="button" className="solid" disabled={act.isPending} onClick={() => run('acknowledge')}>
            I have it
          </button>
        ) : owner === me.name ? null : (
          <button
            type="button"
            className="plain"
            disabled={act.isPending}
            onClick={() => run('assign', { to: me.name })}
          >
            Take it over
          </button>
        )}
        {runbooks === undefined || runbooks.offers.length === 0 ? null : (
          <button type="button" className="plain" aria-expanded={fixing} onClick={onFix}>
            Run the fix
          </button>
        )}
        {waitUntil === morning ? null : (
          <button type="button" className="plain" disabled={act.isPending} onClick={() => run('wait')}>
            Wait until {timeOfDay(morning, zone).slice(0, 5)}
          </button>
        )}
      </div>
    </div>
  )
}
