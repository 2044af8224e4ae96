// Owns the top of an incident's page: whether to get up, whom it hurts, why; and what this is judged by.
import type { ReactNode } from 'react'
import type { IncidentAnswer, IncidentView } from '#wire'
import { useServers } from '../api/use-control-room.tsx'
import { Link } from '../parts/link.tsx'
import { Lasting, Moment, ZoneSwitch } from '../parts/moment.tsx'
import { StateIcon } from '../parts/state.tsx'
import { useSettings } from '../settings.tsx'
import { timeOfDay } from '../time-format.ts'
import {
  confidenceText,
  countText,
  hurtPath,
  lostText,
  toneOfIncident,
  verdictText,
} from './incident-words.ts'

const CHIPS_MAX = 12

export function VerdictPanel({ answer }: { readonly answer: IncidentAnswer }): ReactNode {
  const { incident, hurt } = answer
  const { id, title, severity, openedAt, verdict, resolvedAt, viewers } = incident
  const { zone } = useSettings()
  const figures = [
    { label: 'hurt now', value: countText(viewers.hurtNow) },
    { label: 'trend', value: hurt.trend ?? '–' },
    { label: 'at most', value: countText(viewers.peak) },
    { label: 'moved', value: countText(viewers.moved) },
  ]
  return (
    <section className="panel verdict" data-tone={toneOfIncident(incident)} aria-label="Verdict">
      <p className="verdict-word" role="status">
        {resolvedAt === null ? verdictText(verdict, zone) : 'It is over'}
      </p>
      <h1>{title}</h1>
      <p className="verdict-facts">
        {id}, {severity}; since <Moment at={openedAt} />,{' '}
        {resolvedAt === null ? 'open for' : 'resolved after'} <Lasting from={openedAt} to={resolvedAt} />{' '}
        <ZoneSwitch />
      </p>
      {resolvedAt === null ? <p>{verdict.reason}</p> : null}
      <dl className="verdict-figures">
        {figures.map(({ label, value }) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <HurtLine recent={hurt.recent} trend={hurt.trend} />
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

/** Viewers hurt in the last minutes. */
function HurtLine({ recent, trend }: IncidentAnswer['hurt']): ReactNode {
  const { zone } = useSettings()
  const [first] = recent
  const last = recent.at(-1)
  if (first === undefined || last === undefined || recent.length < 2) return null
  const most = Math.max(...recent.map(({ value }) => value))
  const span = `${timeOfDay(first.at, zone).slice(0, 5)} to ${timeOfDay(last.at, zone).slice(0, 5)}`
  const words = `Viewers hurt from ${span}: ${countText(first.value)} first, ${countText(most)} at most, ${countText(last.value)} now${trend === null ? '' : `, ${trend}`}`
  return (
    <svg className="hurt-line" viewBox="0 0 320 36" preserveAspectRatio="none" role="img" aria-label={words}>
      <path className="floor" d="M0 35H320" />
      <path d={hurtPath(recent, 320, 36)} />
    </svg>
  )
}

export function CausePanel({ incident }: { readonly incident: IncidentView }): ReactNode {
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
