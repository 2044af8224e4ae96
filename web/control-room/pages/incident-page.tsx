// Owns the page of one incident, made for a phone at night: whether to get up, whom it hurts, why, who has it; what
// proves it stands below.
import { type FormEvent, type ReactNode, useState } from 'react'
import { type IncidentAnswer, type IncidentView, mayAct } from '#wire'
import { useFleetNow, useMe, useServers } from '../api/use-control-room.tsx'
import { type Act, useAct, useIncident } from '../api/use-incidents.ts'
import { IncidentChart } from '../incidents/incident-chart.tsx'
import {
  confidenceText,
  countText,
  lostText,
  toneOfIncident,
  verdictText,
} from '../incidents/incident-words.ts'
import { Loading, Problem } from '../parts/answers.tsx'
import { ConfirmButton } from '../parts/confirm-button.tsx'
import { Link } from '../parts/link.tsx'
import { Lasting, Moment, ZoneSwitch } from '../parts/moment.tsx'
import { StateIcon } from '../parts/state.tsx'
import { useSettings } from '../settings.tsx'
import { timeOfDay } from '../time-format.ts'
import '../incidents/incidents.css'

const TEXT_MAX = 4000
const CHIPS_MAX = 12
const SHOWN_CHANGES = 8

export function IncidentPage({ id }: { readonly id: string }): ReactNode {
  const answer = useIncident(id)
  const act = useAct(id)
  if (answer.data === undefined) {
    return (
      <div className="page">
        {answer.error === null ? (
          <Loading what="the incident" />
        ) : (
          <Problem error={answer.error} what="The incident" />
        )}
        <p>
          <Link href="/incidents">All incidents</Link>
        </p>
      </div>
    )
  }
  const { incident } = answer.data
  return (
    <div className="page incident-page" data-tone={toneOfIncident(incident)}>
      <Head incident={incident} />
      <div className="incident-body">
        <div>
          <VerdictPanel incident={incident} />
          <CausePanel incident={incident} />
          <Doing answer={answer.data} />
          <ThumbBar answer={answer.data} act={act} />
          <IncidentChart incident={incident} now={answer.data.now} />
        </div>
        <div>
          <Evidence incident={incident} />
          <Changes answer={answer.data} />
          <Timeline answer={answer.data} act={act} />
        </div>
      </div>
    </div>
  )
}

function Head({ incident }: { readonly incident: IncidentView }): ReactNode {
  const { id, title, openedAt, resolvedAt, severity } = incident
  return (
    <header className="incident-head">
      <p className="quiet">
        <Link href="/incidents">Incidents</Link> / {id}, {severity}; since <Moment at={openedAt} />,{' '}
        {resolvedAt === null ? 'open for' : 'resolved after'} <Lasting from={openedAt} to={resolvedAt} />{' '}
        <ZoneSwitch />
      </p>
      <h1>{title}</h1>
    </header>
  )
}

function VerdictPanel({ incident }: { readonly incident: IncidentView }): ReactNode {
  const { verdict, resolvedAt, viewers } = incident
  const { zone } = useSettings()
  const trend = verdict.inputs.find(({ name }) => name.startsWith('Trend'))
  const figures = [
    { label: 'hurt now', value: countText(viewers.hurtNow) },
    { label: 'trend', value: trend === undefined || trend.missing ? '–' : trend.text },
    { label: 'at most', value: countText(viewers.peak) },
    { label: 'moved', value: countText(viewers.moved) },
  ]
  return (
    <section className="panel verdict" data-tone={toneOfIncident(incident)} aria-label="Verdict">
      <p className="verdict-word" role="status">
        {resolvedAt === null ? verdictText(verdict, zone) : 'It is over'}
      </p>
      <p>
        {resolvedAt === null
          ? verdict.reason
          : `Viewers lost ${lostText(viewers.lostViewerSeconds)} together.`}
      </p>
      <dl className="verdict-figures">
        {figures.map(({ label, value }) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <details className="verdict-inputs">
        <summary>What this is judged by</summary>
        <dl>
          {verdict.inputs.map(({ name, text, missing }) => (
            <div key={name} data-missing={missing || undefined}>
              <dt>{name}</dt>
              <dd>{text}</dd>
            </div>
          ))}
          <div>
            <dt>Viewers’ time lost</dt>
            <dd>{lostText(viewers.lostViewerSeconds)}</dd>
          </div>
        </dl>
      </details>
    </section>
  )
}

function CausePanel({ incident }: { readonly incident: IncidentView }): ReactNode {
  const { cause, servers: ids } = incident
  const servers = useServers()
  const shown = ids.slice(0, CHIPS_MAX)
  return (
    <section className="panel incident-cause" aria-label="Cause">
      <header>
        <h2>Cause</h2>
        <span className="quiet">{confidenceText(cause.confidence)}</span>
      </header>
      <p>{cause.text}</p>
      {ids.length === 0 ? null : (
        <ul className="server-chips" aria-label="Servers">
          {shown.map(id => {
            const state = servers.data?.find(server => server.id === id)?.state ?? 'unknown'
            return (
              <li key={id}>
                <Link href={`/servers/${id}`}>
                  <StateIcon state={state} />
                  {id}
                  <span className="visually-hidden">, {state}</span>
                </Link>
              </li>
            )
          })}
          {ids.length > shown.length ? <li className="quiet">and {ids.length - shown.length} more</li> : null}
        </ul>
      )}
    </section>
  )
}

/** What Vitrine did, who was rung, who has it. */
function Doing({ answer }: { readonly answer: IncidentAnswer }): ReactNode {
  const { incident, timeline } = answer
  const { acknowledgedBy, acknowledgedAt, assignedTo, waitUntil } = incident
  const told = timeline.filter(({ kind }) => kind === 'notified')
  const last = told.at(-1)
  const moved = timeline.findLast(({ kind }) => kind === 'steering')
  return (
    <section className="panel incident-doing" aria-label="What is being done">
      <ul>
        <li>
          {acknowledgedBy === null || acknowledgedAt === null ? (
            <b>Nobody has it yet.</b>
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
          {last === undefined ? (
            'Nobody was told yet.'
          ) : (
            <>
              <Moment at={last.at} /> {last.text}
              {told.length > 1 ? ` (told ${told.length} times)` : ''}
            </>
          )}
        </li>
        {moved === undefined ? null : (
          <li>
            <Moment at={moved.at} /> Steering: {moved.text}
          </li>
        )}
      </ul>
    </section>
  )
}

/** Fixed at the thumb on a phone. */
function ThumbBar({
  answer: { incident, morning },
  act,
}: {
  readonly answer: IncidentAnswer
  readonly act: ReturnType<typeof useAct>
}): ReactNode {
  const { data: me } = useMe()
  const { zone } = useSettings()
  if (incident.resolvedAt !== null || me === undefined || !mayAct(me.role, 'operator')) return null
  const run = (verb: Act['verb'], body: Act['body'] = {}): void => act.mutate({ verb, body })
  const { acknowledgedBy, id } = incident
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
        ) : (
          <button
            type="button"
            className="plain"
            disabled={act.isPending}
            onClick={() => run('assign', { to: me.name })}
          >
            Take it over
          </button>
        )}
        <button type="button" className="plain" disabled={act.isPending} onClick={() => run('wait')}>
          Wait until {timeOfDay(morning, zone).slice(0, 5)}
        </button>
        <ConfirmButton
          verb="It is over"
          what={id}
          warning="It is resolved by you; alerts that still fire open nothing until they have ended."
          onConfirm={() => run('resolve')}
        />
      </div>
    </div>
  )
}

function Evidence({ incident: { cause } }: { readonly incident: IncidentView }): ReactNode {
  const sides = [
    { title: 'For it', list: cause.for, none: 'Nothing was found yet.' },
    { title: 'Against it', list: cause.against, none: 'Nothing speaks against it.' },
  ]
  return (
    <section className="panel incident-evidence" aria-label="Evidence">
      {sides.map(({ title, list, none }) => (
        <div key={title}>
          <h2>{title}</h2>
          {list.length === 0 ? <p className="quiet">{none}</p> : null}
          <ul>
            {list.map(text => (
              <li key={text}>{text}</li>
            ))}
          </ul>
        </div>
      ))}
    </section>
  )
}

function Changes({ answer: { changes, incident } }: { readonly answer: IncidentAnswer }): ReactNode {
  const [all, setAll] = useState(false)
  return (
    <section className="panel incident-changes" aria-label="What changed before">
      <h2>What changed in the 24 hours before</h2>
      {changes.length === 0 ? <p className="quiet">Nothing that anybody told of.</p> : null}
      <ol>
        {changes.slice(0, all ? changes.length : SHOWN_CHANGES).map(mark => (
          <li key={mark.id}>
            <span className="quiet">
              <Lasting from={mark.at} to={incident.openedAt} /> before
            </span>
            <span>
              <b>{mark.server ?? 'the whole fleet'}</b> {mark.kind}: {mark.text}
            </span>
          </li>
        ))}
      </ol>
      {changes.length > SHOWN_CHANGES ? (
        <button type="button" className="plain" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? 'Show fewer' : `Show all ${changes.length}`}
        </button>
      ) : null}
    </section>
  )
}

function Timeline({
  answer: { timeline },
  act,
}: {
  readonly answer: IncidentAnswer
  readonly act: ReturnType<typeof useAct>
}): ReactNode {
  const { data: me } = useMe()
  const now = useFleetNow()
  const [text, setText] = useState('')
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (text.trim() === '') return
    act.mutate({ verb: 'comment', body: { text: text.trim() } }, { onSuccess: () => setText('') })
  }
  return (
    <section className="panel incident-timeline" aria-label="Timeline">
      <header>
        <h2>Timeline</h2>
        <CopyLink />
      </header>
      {me === undefined || !mayAct(me.role, 'operator') ? null : (
        <form onSubmit={submit}>
          <label>
            <span className="visually-hidden">Note</span>
            <input
              type="text"
              placeholder="A note for those who read this later"
              value={text}
              maxLength={TEXT_MAX}
              onChange={event => setText(event.target.value)}
            />
          </label>
          <button type="submit" className="plain" disabled={text.trim() === '' || act.isPending}>
            Note
          </button>
        </form>
      )}
      <ol>
        {timeline.toReversed().map(({ id, at, kind, by, text: what }, place) => (
          <li
            key={id === 0 ? `${kind} ${at} ${place}` : id}
            data-kind={kind}
            data-fresh={now !== null && now - at < 5000 ? '' : undefined}
          >
            <Moment at={at} />
            <span>
              <b>{kind.replaceAll('-', ' ')}</b> {what}
              {by === 'vitrine' || what.includes(by) ? null : <i> {by}</i>}
            </span>
          </li>
        ))}
      </ol>
    </section>
  )
}

function CopyLink(): ReactNode {
  const [copied, setCopied] = useState<'no' | 'yes' | 'failed'>('no')
  const copy = (): void => {
    navigator.clipboard
      .writeText(location.href)
      .then(() => setCopied('yes'))
      .catch(() => setCopied('failed'))
  }
  return (
    <button type="button" className="plain" onClick={copy}>
      {copied === 'yes' ? 'Copied' : copied === 'failed' ? 'Copy the address above' : 'Copy link'}
    </button>
  )
}
