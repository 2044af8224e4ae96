// Owns how one drill is told: what it is judged by on top, each mark with what came and what was wanted, then what
// happened. One that goes on shows how far each hurt server is.
import type { ReactNode } from 'react'
import { type DrillMark, type DrillTarget, type DrillView, mayAct } from '#wire'
import { useMe } from '../api/use-control-room.tsx'
import { useStopDrill } from '../api/use-drills.ts'
import { Problem } from '../parts/answers.tsx'
import { ConfirmButton } from '../parts/confirm-button.tsx'
import { Link } from '../parts/link.tsx'
import { Lasting, Moment } from '../parts/moment.tsx'
import { StateIcon } from '../parts/state.tsx'
import { toneOf } from '../parts/tone.ts'
import { drillFigures, drillIcons, drillTitles, stagesOf } from './drill-words.ts'
import './drills.css'

export function LiveDrill({ drill }: { readonly drill: DrillView }): ReactNode {
  const { id, kind, text, startedAt, targets } = drill
  const { title } = drillTitles[kind]
  const stop = useStopDrill(id)
  const { data: me } = useMe()
  const may = me !== undefined && mayAct(me.role, 'admin')
  return (
    <section className="panel drill" aria-label={`Drill: ${title}`}>
      <DrillHead drill={drill} />
      <p className="run-stands" role="status" data-tone={toneOf('draining')}>
        <StateIcon state="draining" />
        <span>
          <strong>goes on</strong>: {text}
        </span>
      </p>
      <div className="drill-acts">
        <span>
          Begun <Moment at={startedAt} />, <Lasting from={startedAt} to={null} /> ago
        </span>
        {may ? (
          <ConfirmButton
            verb="Stop and undo"
            what="the drill"
            warning="Its faults are undone now; it is not scored as passed."
            onConfirm={() => stop.mutate()}
          />
        ) : null}
      </div>
      {stop.error === null ? null : <Problem error={stop.error} what="That" />}
      <div className="drill-targets">
        {targets.map(target => (
          <Progress key={target.server} target={target} />
        ))}
      </div>
      <Canaries drill={drill} />
      <Incidents drill={drill} />
      <Happened drill={drill} open />
    </section>
  )
}

function Progress({ target }: { readonly target: DrillTarget }): ReactNode {
  const stages = stagesOf(target)
  const next = stages.findIndex(({ at }) => at === null)
  const { injectedAt } = target
  return (
    <section aria-label={target.server}>
      <h3>
        <Link href={`/servers/${target.server}`}>{target.server}</Link>
      </h3>
      <ol className="run-steps">
        {stages.map(({ title, at }, place) => {
          const icon = at !== null ? 'healthy' : place === next ? 'draining' : 'maintenance'
          const word = at !== null ? 'done' : place === next ? 'next' : 'waiting'
          return (
            <li
              key={place}
              data-state={word}
              data-tone={toneOf(icon)}
              aria-current={place === next ? 'step' : undefined}
            >
              <StateIcon state={icon} />
              <div>
                <b>{title}</b>
              </div>
              <span className="run-step-when">
                <b>{word}</b>
                {at === null || injectedAt === null || place === 0 ? null : (
                  <span>after {((at - injectedAt) / 1000).toFixed(1)} s</span>
                )}
              </span>
            </li>
          )
        })}
      </ol>
    </section>
  )
}

/** One that has ended. `open`: its marks are shown; else they come when it is opened. */
export function DrillReport({
  drill,
  open,
}: {
  readonly drill: DrillView
  readonly open: boolean
}): ReactNode {
  const { kind, startedAt, score, state } = drill
  if (open)
    return (
      <section className="panel drill" aria-label={`Drill: ${drillTitles[kind].title}`}>
        <DrillHead drill={drill} />
        <Report drill={drill} />
      </section>
    )
  return (
    <details className="panel drill">
      <summary data-tone={toneOf(drillIcons[state])}>
        <StateIcon state={drillIcons[state]} />
        <b>{drillTitles[kind].title}</b>
        <span className="drill-word">
          {state}
          {score === null ? '' : `, ${score.points} of ${score.of}`}
        </span>
        <Moment at={startedAt} />
      </summary>
      <Report drill={drill} />
    </details>
  )
}

function DrillHead({ drill: { kind, state } }: { readonly drill: DrillView }): ReactNode {
  const { title } = drillTitles[kind]
  return (
    <header className="drill-head" data-tone={toneOf(drillIcons[state])}>
      <h2>{title}</h2>
      <small>{kind}</small>
    </header>
  )
}

function Report({ drill }: { readonly drill: DrillView }): ReactNode {
  const { state, score, by, startedAt, endedAt, ring, text, shortened } = drill
  // What went wrong is read first.
  const marks = score === null ? [] : score.marks.toSorted((a, b) => Number(a.ok) - Number(b.ok))
  return (
    <>
      <dl className="drill-figures">
        <div data-tone={toneOf(drillIcons[state])}>
          <dt>Score</dt>
          <dd>
            <b className="drill-points">
              <StateIcon state={drillIcons[state]} />
              {score === null ? state : `${score.points} of ${score.of}`}
            </b>
            <span>{score === null ? 'not scored' : state}</span>
          </dd>
        </div>
        {drillFigures(drill).map(({ label, value, note }) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>
              <b>{value}</b>
              <span>{note}</span>
            </dd>
          </div>
        ))}
      </dl>
      <p className="drill-said">
        Begun <Moment at={startedAt} /> by {by}
        {endedAt === null ? null : (
          <>
            , took <Lasting from={startedAt} to={endedAt} />
          </>
        )}
        ; {ring ? 'people were to be rung' : 'nobody was to be told'}.
        {state === 'stopped' || state === 'broken-off' || score === null ? ` ${text}` : null}
      </p>
      <Incidents drill={drill} />
      <Canaries drill={drill} />
      {marks.length === 0 ? null : (
        <ol className="run-steps drill-marks">
          {marks.map(mark => (
            <MarkLine key={mark.name} mark={mark} />
          ))}
        </ol>
      )}
      <Happened drill={drill} />
      {shortened.length === 0 ? null : (
        <details className="drill-more">
          <summary>Otherwise than on a real night ({shortened.length})</summary>
          <ul>
            {shortened.map(line => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        </details>
      )}
    </>
  )
}

function MarkLine({ mark: { name, ok, text, wanted } }: { readonly mark: DrillMark }): ReactNode {
  const icon = ok ? 'healthy' : 'unreachable'
  return (
    <li data-tone={toneOf(icon)}>
      <StateIcon state={icon} />
      <div>
        <b>{name}</b>
        <p>{text}</p>
      </div>
      <span className="run-step-when">
        {wanted === undefined ? null : <span>wanted {wanted}</span>}
        <b>{ok ? 'right' : 'wrong'}</b>
      </span>
    </li>
  )
}

function Incidents({ drill: { incidents } }: { readonly drill: DrillView }): ReactNode {
  return incidents.map(({ id, title, causeText }) => (
    <p key={id} className="drill-said">
      <Link href={`/incidents/${id}`}>
        {id}: {title}
      </Link>
      . {causeText}
    </p>
  ))
}

/** Of a run of one server nothing is claimed. */
function Canaries({ drill: { runs = [] } }: { readonly drill: DrillView }): ReactNode {
  return runs.map(({ id, runbook, servers, canary }) => (
    <p key={id} className="drill-said">
      <Link href={`/runs/${id}`}>Run of {runbook}</Link> on{' '}
      {canary === null
        ? servers.join(', ')
        : `${canary} first (canary), then on ${servers.filter(one => one !== canary).join(', ')}`}
      .
    </p>
  ))
}

function Happened({
  drill: { log, startedAt },
  open = false,
}: {
  readonly drill: DrillView
  readonly open?: boolean
}): ReactNode {
  return (
    <details className="drill-more" open={open}>
      <summary>What happened ({log.length})</summary>
      <ol className="drill-log">
        {log.map(({ at, text }) => (
          <li key={`${at} ${text}`}>
            <span>{((at - startedAt) / 1000).toFixed(1)} s</span>
            <Moment at={at} />
            <p>{text}</p>
          </li>
        ))}
      </ol>
    </details>
  )
}
