// Owns what a server sent that the control room did not take, in words. It shows nothing while all was taken.
import type { ReactNode } from 'react'
import type { ServerView } from '#wire'
import { grouped } from '../units.ts'
import { Moment, ZoneSwitch } from './moment.tsx'

export function RefusedPanel({ server }: { readonly server: ServerView }): ReactNode {
  const { refused = [] } = server
  if (refused.length === 0) return null
  return (
    <section className="panel refused" aria-label="Not taken">
      <header>
        <h2>Not taken</h2>
        <span className="quiet">sent by it in the last day</span>
        <ZoneSwitch />
      </header>
      <ul>
        {refused.map(({ reason, text, detail, count, at }) => (
          <li key={reason}>
            <p>
              <b>{grouped(count)}</b> × {text}
            </p>
            <small>
              last <Moment at={at} />
              {detail === null ? '' : `: ${detail}`}
            </small>
          </li>
        ))}
      </ul>
    </section>
  )
}
