// Owns how many were affected of those who watched, and how many more than among their peers: measured or estimated.
import type { ReactNode } from 'react'
import type { AffectedCounts } from '#wire'
import { countText, lostText } from '../incidents/incident-words.ts'
import { grouped } from '../units.ts'
import { Defined } from './defined.tsx'
import { shareText } from './viewer-words.ts'

const DEFINITIONS = {
  Measured: 'Their players told what they went through.',
  Estimated: 'Their players told nothing: what they went through is estimated from what the edges answered.',
} as const

export interface AffectedCountedProps {
  readonly how: keyof typeof DEFINITIONS
  readonly counts: AffectedCounts
  /** Measured and estimated viewers together. */
  readonly all: number
  readonly truncated: boolean
  /** Who the peers are, in words; null: nobody's. */
  readonly peers: string | null
}

export function AffectedCounted({ how, counts, all, truncated, peers }: AffectedCountedProps): ReactNode {
  const { viewers, affected, couldNotStart, lostS, excess, expected } = counts
  return (
    <section className="panel affected-counted" aria-label={how}>
      <h2>
        <Defined definition={DEFINITIONS[how]}>{how}</Defined>
        <small>
          {grouped(viewers)} of {grouped(all)} viewers ({shareText(all === 0 ? 0 : viewers / all)})
        </small>
      </h2>
      {viewers === 0 ? (
        <p className="quiet">Nobody in this time.</p>
      ) : (
        <>
          <p className="affected-number">
            <b>
              {truncated ? '≥ ' : ''}
              {grouped(affected)}
            </b>
            <span>
              affected, {shareText(affected / viewers)} of {grouped(viewers)}
            </span>
          </p>
          <dl>
            <div>
              <dt>Lost to stalls</dt>
              <dd>{lostText(lostS)}</dd>
            </div>
            <div>
              <dt>Could not start</dt>
              <dd>{countText(couldNotStart)}</dd>
            </div>
            <div>
              <dt>
                <Defined definition="How many are affected beyond what would be if it had gone as with their peers.">
                  More than peers
                </Defined>
              </dt>
              <dd>
                {excess === null ? '–' : excess.toFixed(excess < 10 ? 1 : 0)}
                <small>{peersText(counts, expected, peers)}</small>
              </dd>
            </div>
          </dl>
        </>
      )}
    </section>
  )
}

function peersText(counts: AffectedCounts, expected: number | null, peers: string | null): string {
  if (peers === null) return 'name an edge or a region to compare'
  if (expected === null) return `too few ${peers} to compare (n=${counts.peers})`
  return `${counts.peersAffected} of ${grouped(counts.peers)} ${peers} were`
}
