// Owns what proves an incident's cause, or speaks against it: evidence, changes before it, others that show the sign.
import { type ReactNode, useState } from 'react'
import type { IncidentAnswer, IncidentView } from '#wire'
import { Link } from '../parts/link.tsx'
import { Lasting, Moment } from '../parts/moment.tsx'
import { StateIcon } from '../parts/state.tsx'
import { countText } from './incident-words.ts'

const SHOWN_CHANGES = 8

export function Evidence({ incident: { cause } }: { readonly incident: IncidentView }): ReactNode {
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

export function Changes({ answer: { changes, incident } }: { readonly answer: IncidentAnswer }): ReactNode {
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

/** Perhaps the next ones. */
export function Showing({ answer: { showing, incident } }: { readonly answer: IncidentAnswer }): ReactNode {
  if (incident.resolvedAt !== null) return null
  return (
    <section className="panel incident-showing" aria-label="Others that show the sign">
      <h2>Others that show the sign and still serve</h2>
      {showing.length === 0 ? <p className="quiet">None.</p> : null}
      <ul>
        {showing.map(({ server, state, sign, viewers, since }) => (
          <li key={server}>
            <Link href={`/servers/${server}`}>
              <StateIcon state={state} />
              {server}
            </Link>
            <span>
              {sign}{' '}
              <span className="quiet">
                {since === null ? null : (
                  <>
                    since <Moment at={since} />,{' '}
                  </>
                )}
                {countText(viewers)} watch
              </span>
            </span>
          </li>
        ))}
      </ul>
    </section>
  )
}
