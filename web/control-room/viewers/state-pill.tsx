// Owns the state of a session as a word with its tone, and the mark of an estimate.
import type { ReactNode } from 'react'
import type { SessionView } from '#wire'
import { toneOfState } from './viewer-words.ts'

type Told = Pick<SessionView, 'state' | 'estimated' | 'attempt'>

export function StatePill({ session }: { readonly session: Told }): ReactNode {
  const { state, estimated, attempt } = session
  const word =
    attempt === 'exit' ? 'left before start' : attempt === 'failure' ? 'start failed' : (state as string)
  return (
    <span className="session-state">
      <span className="state-badge" data-tone={attempt === 'failure' ? 'unreachable' : toneOfState(state)}>
        <i aria-hidden="true" />
        {word}
      </span>
      {estimated ? (
        <span className="estimate-mark" title="The player tells nothing: estimated from its requests">
          estimated
        </span>
      ) : null}
    </span>
  )
}
