// Owns the page of drills: beginning one, what it does now, and how the past ones went.
import { type ReactNode, useState } from 'react'
import { type DrillKind, type DrillsAnswer, type DrillView, mayAct } from '#wire'
import { useMe } from '../api/use-control-room.tsx'
import { useBeginDrill, useDrills, useStopDrill } from '../api/use-drills.ts'
import { Empty, Loading, Problem } from '../parts/answers.tsx'
import { Link } from '../parts/link.tsx'
import { Moment } from '../parts/moment.tsx'
import '../runbooks/runbooks.css'

const kinds: readonly { readonly kind: DrillKind; readonly title: string; readonly text: string }[] = [
  {
    kind: 'leap-second-2012',
    title: 'The night of 30 June 2012',
    text: 'One edge freezes; on another, timers fire early and programs spin. The third carries everybody. About three minutes.',
  },
  { kind: 'edge-frozen', title: 'A frozen edge', text: 'One edge freezes and is mended by restart-edge.' },
  {
    kind: 'clock-step',
    title: 'A clock that jumps',
    text: 'The clock of one agent is put forward by 1.5 s, and back once it was found.',
  },
  {
    kind: 'leap-flag-bogus',
    title: 'A leap second that nobody plans',
    text: 'A time source of one agent announces one. It has to be found, explained and refused; nobody is moved.',
  },
]

export function DrillsPage(): ReactNode {
  const { data, error } = useDrills()
  return (
    <div className="page">
      <header className="page-head">
        <h1>Drills</h1>
      </header>
      {data === undefined ? (
        error === null ? (
          <Loading what="drills" />
        ) : (
          <Problem error={error} what="Drills" />
        )
      ) : (
        <>
          <Begin answer={data} />
          <h2>Drills so far</h2>
          {data.drills.length === 0 ? (
            <Empty title="Nothing was rehearsed yet">
              <p>A drill hurts marked servers of the local fleet, and undoes everything.</p>
            </Empty>
          ) : (
            data.drills.map(drill => <One key={drill.id} drill={drill} />)
          )}
        </>
      )}
    </div>
  )
}

function Begin({ answer }: { readonly answer: DrillsAnswer }): ReactNode {
  const { data: me } = useMe()
  const begin = useBeginDrill()
  const [ring, setRing] = useState(false)
  const may = me !== undefined && mayAct(me.role, 'admin')
  const problem =
    answer.problem ?? (answer.targets.length === 0 ? 'No server is marked as a drill target.' : null)
  const why = problem ?? (may ? null : 'Admins begin drills.')
  return (
    <>
      <p>{why ?? `May be hurt: ${answer.targets.join(', ')}. The clock of this machine is never touched.`}</p>
      <div className="runbook-list">
        {kinds.map(({ kind, title, text }) => (
          <section key={kind} className="panel runbook" aria-label={title}>
            <h3>
              {title} <small>{kind}</small>
            </h3>
            <p>{text}</p>
            {why !== null ? null : (
              <button
                type="button"
                className="plain"
                disabled={begin.isPending}
                onClick={() => begin.mutate({ drill: kind, ring })}
              >
                Begin this drill
              </button>
            )}
          </section>
        ))}
      </div>
      {why !== null ? null : (
        <p>
          <label>
            <input type="checkbox" checked={ring} onChange={event => setRing(event.target.checked)} /> Ring
            people as on a real night
          </label>
        </p>
      )}
      {begin.error === null ? null : <Problem error={begin.error} what="The drill" />}
    </>
  )
}

function One({ drill }: { readonly drill: DrillView }): ReactNode {
  const { id, kind, state, text, startedAt, by, incidents, log, score, ring } = drill
  return (
    <section className="panel run-server" aria-label={`Drill ${kind}`}>
      <h3>
        {kind} <small data-state={state}>{state}</small>
      </h3>
      <p>
        <Moment at={startedAt} /> by {by}
        {ring ? '; it rang' : '; nobody was to be rung'}. {text}
      </p>
      {state === 'running' ? <Stop id={id} /> : null}
      {incidents.map(incident => (
        <p key={incident.id}>
          <Link href={`/incidents/${incident.id}`}>{incident.title}</Link>: {incident.causeText}
        </p>
      ))}
      {score === null ? null : (
        <>
          <ol>
            {score.marks.map(({ name, ok, text: said }) => (
              <li key={name} data-state={ok ? 'done' : 'failed'}>
                <strong>{name}</strong> {ok ? '' : '(wrong) '}
                {said}
              </li>
            ))}
          </ol>
          <p>
            Viewer-minutes lost:{' '}
            {score.viewerMinutesLost === null ? 'not measured' : score.viewerMinutesLost.toFixed(2)}
          </p>
        </>
      )}
      <details open={state === 'running'}>
        <summary>What happened</summary>
        <ol>
          {log.map(line => (
            <li key={`${line.at} ${line.text}`}>
              {((line.at - startedAt) / 1000).toFixed(1)} s: {line.text}
            </li>
          ))}
        </ol>
      </details>
    </section>
  )
}

function Stop({ id }: { readonly id: string }): ReactNode {
  const stop = useStopDrill(id)
  const { data: me } = useMe()
  if (me === undefined || !mayAct(me.role, 'admin')) return null
  return (
    <p>
      <button type="button" className="plain" disabled={stop.isPending} onClick={() => stop.mutate()}>
        Stop and undo
      </button>
    </p>
  )
}
