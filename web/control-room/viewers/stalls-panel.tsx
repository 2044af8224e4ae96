// Owns the stalls of a session: when, how long, whom they are laid to, and why, in words.
import type { ReactNode } from 'react'
import type { SessionView } from '#wire'
import type { Cursor } from '../charts/cursor.tsx'
import { Link } from '../parts/link.tsx'
import { useSettings } from '../settings.tsx'
import { timeOfDay } from '../time-format.ts'
import { figureText } from '../units.ts'
import { BLAMES } from './viewer-words.ts'

export function StallsPanel({
  session,
  cursor,
}: {
  readonly session: SessionView
  readonly cursor: Cursor
}): ReactNode {
  const { zone } = useSettings()
  const { stalls, estimated } = session
  return (
    <section className="panel stalls-panel" aria-label="Stalls">
      <header>
        <h2>Stalls</h2>
        <span className="quiet">{stalls.length === 0 ? '' : stalls.length}</span>
      </header>
      {stalls.length === 0 ? (
        <p className="quiet">
          {estimated ? 'None that its requests would show.' : 'None after the first frame.'}
        </p>
      ) : (
        <ol>
          {stalls.map(({ at, seconds, edge, blame, evidence }) => (
            <li key={at} data-blame={blame}>
              <button
                type="button"
                className="zone-switch"
                title="Show this moment above"
                onClick={() => cursor.rest(Math.round(at / 1000))}
              >
                {timeOfDay(at, zone)}
              </button>
              <b>{figureText(seconds, 'seconds')}</b>
              <p>
                <strong>{BLAMES[blame]}</strong>
                {edge === null ? null : (
                  <>
                    {' '}
                    on <Link href={`/servers/${edge}?at=${Math.round(at)}`}>{edge} at that moment</Link>
                  </>
                )}
                <span>{evidence}</span>
              </p>
            </li>
          ))}
        </ol>
      )}
    </section>
  )
}
