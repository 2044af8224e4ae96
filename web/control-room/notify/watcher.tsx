// Owns how the page Notifications says who would ring if the control room died.
import type { ReactNode } from 'react'
import type { WatcherView } from '#wire'
import { Moment } from '../parts/moment.tsx'

export function Watcher({ watcher }: { readonly watcher: WatcherView }): ReactNode {
  const { problem, holders, receivers, edges, afterSeconds, last } = watcher
  const usable = receivers.filter(one => one.problem === null).map(({ name }) => name)
  const here = holders.filter(({ connected }) => connected).length
  const isReady = problem === null && here >= 2
  return (
    <section className="alert-group" aria-label="If the control room dies">
      <h2>
        If the control room dies <span>{holders.length}</span>
      </h2>
      <ul className="notify-list">
        <li className="notify-row">
          <span className="state-badge" data-tone={isReady ? 'healthy' : 'degraded'}>
            {isReady ? 'Watched' : 'Not watched'}
          </span>
          <div>
            {problem === null ? (
              <p>
                When more than half of {edges} edges have not heard it for {afterSeconds} s, one of{' '}
                {holders.map(({ id, connected }) => (connected ? id : `${id} (away)`)).join(', ') || 'nobody'}{' '}
                tells {usable.join(', ')}, once.
              </p>
            ) : (
              <p>Nobody would be told: {problem}.</p>
            )}
            {receivers
              .filter(one => one.problem !== null)
              .map(one => (
                <p key={one.name} data-tone="degraded">
                  {one.name}: {one.problem}.
                </p>
              ))}
            <p className="notify-dim">
              {last === null ? (
                'It has not been told yet.'
              ) : (
                <>
                  Last told <Moment at={last.at} /> to {last.receivers.join(', ')}, over{' '}
                  <Moment at={last.closedAt} />.
                </>
              )}{' '}
              Each edge shows its last wall at <code>/wall</code>.
            </p>
          </div>
        </li>
      </ul>
    </section>
  )
}
