// Owns the list of versions of the steering table, newest first: when, how long, and what differed in words.
import type { ReactNode } from 'react'
import type { SteeringVersion } from '#wire'
import { Lasting, Moment } from '../parts/moment.tsx'

export interface VersionListProps {
  readonly versions: readonly SteeringVersion[]
  readonly chosen: number
  readonly choose: (version: number) => void
}

export function VersionList({ versions, chosen, choose }: VersionListProps): ReactNode {
  return (
    <ol className="versions">
      {versions.map(({ version, at, until, changes }) => (
        <li key={version} data-chosen={version === chosen}>
          <button type="button" aria-pressed={version === chosen} onClick={() => choose(version)}>
            <span className="version-number">{version}</span>
            <span className="version-when">
              <Moment at={at} />
              <small>
                {until === null ? 'holds for ' : 'held '}
                <Lasting from={at} to={until} />
              </small>
            </span>
            <span className="version-what">
              {changes.length === 0 ? (
                <span className="quiet">the same edges in another form</span>
              ) : (
                changes.map(text => (
                  <span key={text} data-lost={/ → 0[,:]| left the table$/.test(text)}>
                    {text}
                  </span>
                ))
              )}
            </span>
          </button>
        </li>
      ))}
    </ol>
  )
}
