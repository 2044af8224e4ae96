// Owns what happened around the moment that is looked back at: alerts that were on, and what had changed just before.
import type { ReactNode } from 'react'
import type { MarkView } from '#wire'
import { useAlerts, useMarks } from '../api/use-control-room.tsx'
import { Loading, Problem } from '../parts/answers.tsx'
import { Link } from '../parts/link.tsx'
import { Lasting, Moment } from '../parts/moment.tsx'
import { usePast } from './past-context.tsx'

const MARKS_MS = 3_600_000
const SHOWN_MAX = 8

/** Nothing in the present; `server`: of this one, else of the fleet. */
export function AroundThen({ server = null }: { readonly server?: string | null }): ReactNode {
  return usePast() === null ? null : <Around server={server} />
}

function Around({ server }: { readonly server: string | null }): ReactNode {
  const alerts = useAlerts()
  const on = (alerts.data ?? []).filter(({ labels }) => server === null || labels['instance'] === server)
  return (
    <section className="panel around" aria-label="Around that moment">
      <div>
        <h2>
          Alerts <small>pending or firing then</small>
        </h2>
        {alerts.error !== null ? (
          <Problem error={alerts.error} what="The alerts" />
        ) : alerts.data === undefined ? (
          <Loading what="the alerts" />
        ) : on.length === 0 ? (
          <p className="quiet">None was on. Those resolved more than 30 days ago are not kept.</p>
        ) : (
          <ul>
            {on.slice(0, SHOWN_MAX).map(({ id, rule, state, labels, activeAt, firedAt }) => (
              <li key={id}>
                <Moment at={firedAt ?? activeAt} />
                <span>
                  <b>{rule}</b> {state} for <Lasting from={firedAt ?? activeAt} to={null} />
                  {labels['instance'] === undefined || server !== null ? null : (
                    <>
                      {' on '}
                      <Link href={`/servers/${labels['instance']}`}>{labels['instance']}</Link>
                    </>
                  )}
                </span>
              </li>
            ))}
          </ul>
        )}
        <More count={on.length - SHOWN_MAX} />
      </div>
      {server === null ? <ChangedThen /> : null}
    </section>
  )
}

/** A server's own page has the list of its changes beside it. */
function ChangedThen(): ReactNode {
  const at = usePast() ?? 0
  const marks = useMarks(null)
  const near = (marks.data ?? []).filter(mark => at - mark.at <= MARKS_MS)
  return (
    <div>
      <h2>
        What changed <small>in the hour before</small>
      </h2>
      {marks.error !== null ? (
        <Problem error={marks.error} what="What changed" />
      ) : marks.data === undefined ? (
        <Loading what="what changed" />
      ) : near.length === 0 ? (
        <p className="quiet">Nothing was told to have changed.</p>
      ) : (
        <ul>
          {near.slice(0, SHOWN_MAX).map(mark => (
            <Mark key={mark.id} mark={mark} />
          ))}
        </ul>
      )}
      <More count={near.length - SHOWN_MAX} />
    </div>
  )
}

function Mark({ mark: { at, server, text, kind } }: { readonly mark: MarkView }): ReactNode {
  return (
    <li>
      <Moment at={at} />
      <span>
        {server === null ? kind : <Link href={`/servers/${server}`}>{server}</Link>} {text}
      </span>
    </li>
  )
}

function More({ count }: { readonly count: number }): ReactNode {
  return count <= 0 ? null : <p className="quiet">And {count} more.</p>
}
