// Owns how many watch, by one thing: a line and a bar each, the largest first, with the share of estimates.
import type { ReactNode } from 'react'
import type { WatchingPart } from '#wire'
import { Link } from '../parts/link.tsx'
import { grouped } from '../units.ts'
import { estimatedWords, partName, shareText } from './viewer-words.ts'

/** More lines are a list to search in, and that is the page of sessions. */
const SHOWN_MAX = 8

export interface PartsPanelProps {
  readonly title: string
  readonly parts: readonly WatchingPart[]
  readonly watching: number
  /** Where a name leads; null: nowhere. */
  readonly hrefOf?: (name: string) => string | null
}

export function PartsPanel({ title, parts, watching, hrefOf }: PartsPanelProps): ReactNode {
  const shown = parts.slice(0, SHOWN_MAX)
  const rest = parts.slice(SHOWN_MAX)
  const restSum = rest.reduce((sum, part) => sum + part.watching, 0)
  return (
    <section className="panel parts-panel" aria-label={title}>
      <header>
        <h2>{title}</h2>
      </header>
      {shown.length === 0 ? <p className="quiet">Nobody is watching.</p> : null}
      <ul>
        {shown.map(part => {
          const href = hrefOf?.(part.name) ?? null
          return (
            <li key={part.name}>
              <span className="part-name">
                {href === null ? partName(part.name) : <Link href={href}>{part.name}</Link>}
              </span>
              <b>{grouped(part.watching)}</b>
              <i className="part-bar" aria-hidden="true">
                <i style={{ width: `${watching === 0 ? 0 : (part.watching / watching) * 100}%` }} />
              </i>
              <small>
                {shareText(watching === 0 ? 0 : part.watching / watching)}, {estimatedWords(part)}
              </small>
            </li>
          )
        })}
      </ul>
      {rest.length === 0 ? null : (
        <p className="parts-rest">
          {rest.length} more with {grouped(restSum)} together
        </p>
      )}
    </section>
  )
}
