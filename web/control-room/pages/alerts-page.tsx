// Owns the list of alerts: firing first, then pending, then those resolved in the last hour.
import type { ReactNode } from 'react'
import type { AlertView } from '#wire'
import { useAlerts, useServers } from '../api/use-control-room.tsx'
import { Empty, Loading, Problem } from '../parts/answers.tsx'
import { Link } from '../parts/link.tsx'
import { Lasting, Moment, ZoneSwitch } from '../parts/moment.tsx'

const GROUPS = [
  { state: 'firing', title: 'Firing', tone: 'unreachable' },
  { state: 'pending', title: 'Pending: true now, but not for long enough to fire', tone: 'moving' },
  { state: 'resolved', title: 'Resolved in the last hour', tone: 'resting' },
] as const

export function AlertsPage(): ReactNode {
  const alerts = useAlerts()
  return (
    <div className="page">
      <header className="page-head">
        <h1>Alerts</h1>
        <p className="quiet">
          By <Link href="/rules">these rules</Link>, told to{' '}
          <Link href="/notifications">these receivers</Link>, but for <Link href="/silences">silences</Link>;
          mended by <Link href="/runbooks">runbooks</Link>. Times in <ZoneSwitch />
        </p>
      </header>
      {alerts.data === undefined ? (
        alerts.error === null ? (
          <Loading what="the alerts" />
        ) : (
          <Problem error={alerts.error} what="The alerts" />
        )
      ) : (
        <Groups alerts={alerts.data} />
      )}
    </div>
  )
}

function Groups({ alerts }: { readonly alerts: readonly AlertView[] }): ReactNode {
  const active = alerts.some(alert => alert.state !== 'resolved')
  return (
    <>
      {active ? null : <AllQuiet />}
      {GROUPS.map(({ state, title, tone }) => {
        const inGroup = alerts
          .filter(alert => alert.state === state)
          .sort((a, b) => weight(b) - weight(a) || b.activeAt - a.activeAt)
        if (inGroup.length === 0) return null
        return (
          <section key={state} className="alert-group" aria-label={title}>
            <h2>
              {title} <span>{inGroup.length}</span>
            </h2>
            <ul>
              {inGroup.map(alert => (
                <Alert key={alert.id} alert={alert} tone={state === 'firing' ? toneOf(alert) : tone} />
              ))}
            </ul>
          </section>
        )
      })}
    </>
  )
}

/** Critical first. */
function weight({ labels }: AlertView): number {
  return labels['severity'] === 'critical' ? 1 : 0
}

function toneOf(alert: AlertView): string {
  return weight(alert) > 0 ? 'unreachable' : 'degraded'
}

function AllQuiet(): ReactNode {
  const servers = useServers()
  const names = (servers.data ?? []).map(server => server.id)
  return (
    <Empty title="Nothing is firing">
      <p>
        {names.length === 0
          ? 'Servers that join the fleet are watched from then on.'
          : `${names.join(', ')}: their agents, their answers to the others’ probes, their load and their viewers are watched, each second.`}
      </p>
    </Empty>
  )
}

/** The rule and the server stand beside it; the job says nothing about the cause. */
const SAID_ELSEWHERE: ReadonlySet<string> = new Set(['instance', 'alertname', 'job'])

function Alert({ alert, tone }: { readonly alert: AlertView; readonly tone: string }): ReactNode {
  const { rule, state, labels, annotations, activeAt, firedAt, resolvedAt } = alert
  const instance = labels['instance']
  const others = Object.entries(labels).filter(([name]) => !SAID_ELSEWHERE.has(name))
  return (
    <li className="alert" data-tone={tone} data-state={state}>
      <div className="alert-head">
        <h3>{rule}</h3>
        {instance === undefined ? null : <Link href={`/servers/${instance}`}>{instance}</Link>}
        <ul className="chips">
          {others.map(([name, value]) => (
            <li key={name}>
              {name} <b>{value}</b>
            </li>
          ))}
        </ul>
      </div>
      <p className="alert-summary">{annotations['summary'] ?? annotations['description'] ?? ''}</p>
      <p className="alert-times">
        <span className="state-badge" data-tone={tone}>
          {state}
        </span>
        {state === 'resolved' && resolvedAt !== null ? (
          <>
            at <Moment at={resolvedAt} />, after <Lasting from={firedAt ?? activeAt} to={resolvedAt} />
          </>
        ) : (
          <>
            since <Moment at={firedAt ?? activeAt} />, for <Lasting from={firedAt ?? activeAt} to={null} />
          </>
        )}
      </p>
    </li>
  )
}
