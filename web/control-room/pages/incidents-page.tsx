// Owns the list of incidents: open ones first, the worst first, then those of the last week.
import type { ReactNode } from 'react'
import type { IncidentView } from '#wire'
import { useIncidents } from '../api/use-incidents.ts'
import { countText, inListOrder, toneOfIncident, verdictText } from '../incidents/incident-words.ts'
import { Empty, Loading, Problem } from '../parts/answers.tsx'
import { Link } from '../parts/link.tsx'
import { Lasting, Moment, ZoneSwitch } from '../parts/moment.tsx'
import { useSettings } from '../settings.tsx'
import '../incidents/incidents.css'

export function IncidentsPage(): ReactNode {
  const incidents = useIncidents()
  return (
    <div className="page incidents-page">
      <header className="page-head">
        <h1>Incidents</h1>
        <p className="quiet">
          From <Link href="/alerts">these alerts</Link>, but for <Link href="/silences">silences</Link>. Times
          in <ZoneSwitch />
        </p>
      </header>
      {incidents.data === undefined ? (
        incidents.error === null ? (
          <Loading what="the incidents" />
        ) : (
          <Problem error={incidents.error} what="The incidents" />
        )
      ) : (
        <Lists incidents={inListOrder(incidents.data)} />
      )}
    </div>
  )
}

function Lists({ incidents }: { readonly incidents: readonly IncidentView[] }): ReactNode {
  const open = incidents.filter(({ resolvedAt }) => resolvedAt === null)
  const over = incidents.filter(({ resolvedAt }) => resolvedAt !== null)
  return (
    <>
      {open.length === 0 ? (
        <Empty title="Nothing is open">
          <p>
            When alerts fire, those with one likely cause become one incident, with a verdict: sleep, or get
            up.
          </p>
        </Empty>
      ) : (
        <List title="Open" incidents={open} />
      )}
      {over.length === 0 ? null : <List title="Resolved in the last week" incidents={over} />}
    </>
  )
}

function List({
  title,
  incidents,
}: {
  readonly title: string
  readonly incidents: readonly IncidentView[]
}): ReactNode {
  return (
    <section className="incident-list" aria-label={title}>
      <h2>
        {title} <span>{incidents.length}</span>
      </h2>
      <ul>
        {incidents.map(incident => (
          <li key={incident.id}>
            <Row incident={incident} />
          </li>
        ))}
      </ul>
    </section>
  )
}

function Row({ incident }: { readonly incident: IncidentView }): ReactNode {
  const { id, title, openedAt, resolvedAt, verdict, viewers, assignedTo } = incident
  const { zone } = useSettings()
  return (
    <Link href={`/incidents/${id}`} className="incident-row" data-tone={toneOfIncident(incident)}>
      <span className="state-badge" data-tone={toneOfIncident(incident)}>
        {resolvedAt === null ? verdictText(verdict, zone) : 'Resolved'}
      </span>
      <strong>{title}</strong>
      <span className="incident-row-facts">
        <b>{id}</b>
        <span>
          {resolvedAt === null ? 'for ' : 'after '}
          <Lasting from={openedAt} to={resolvedAt} />, since <Moment at={openedAt} />
        </span>
        <span>
          {resolvedAt === null
            ? `${countText(viewers.hurtNow)} hurt now`
            : `${countText(viewers.peak)} hurt at most`}
        </span>
        <span>
          {assignedTo === null ? (resolvedAt === null ? 'nobody has it' : '') : `${assignedTo} has it`}
        </span>
      </span>
    </Link>
  )
}
