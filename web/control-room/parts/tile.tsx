// Owns one server's tile: its state, why, since when, and three figures; a click puts its line in the charts.
import type { ReactNode } from 'react'
import type { ServerView } from '#wire'
import { isStale } from '../charts/grid.ts'
import { figure, type Unit } from '../units.ts'
import { Link } from './link.tsx'
import { Age } from './moment.tsx'
import { StateBadge } from './state.tsx'
import { toneOf } from './tone.ts'

export interface TileFigure {
  readonly label: string
  readonly value: number | null
  readonly ageS: number | null
  readonly unit: Unit
  /** On hover: what it counts. */
  readonly definition?: string
  /** Beside it, small; empty: nothing. */
  readonly note?: string
}

export interface TileProps {
  readonly server: ServerView
  readonly figures: readonly TileFigure[]
  readonly stepS: number
  readonly colour: string
  readonly chosen: boolean
  readonly onToggle: () => void
}

export function Tile({ server, figures, stepS, colour, chosen, onToggle }: TileProps): ReactNode {
  const { id, region, role, state, reason, since } = server
  const place = role === 'edge' ? region : role === 'foreign' ? `${region}, not ours` : role
  return (
    <article className="tile" data-tone={toneOf(state)} data-chosen={chosen} data-role={role}>
      <i className="tile-line" style={{ background: `var(${colour})` }} />
      <header>
        <h3>
          <Link href={`/servers/${id}`} title={`Everything about ${id}`}>
            {id}
            <svg viewBox="0 0 16 16" aria-hidden="true">
              <path d="M6 3.500 10.500 8 6 12.500" />
            </svg>
          </Link>
        </h3>
        <StateBadge state={state} />
      </header>
      <p className="tile-reason">
        <span title={reason}>{reason === '' ? place : reason}</span>
        <span className="tile-since" title={`${state} for this long`}>
          <Age at={since} />
        </span>
      </p>
      <dl>
        {figures.map(entry => (
          <TileValue key={entry.label} entry={entry} stepS={stepS} />
        ))}
      </dl>
      <button type="button" className="tile-button" aria-pressed={chosen} onClick={onToggle}>
        <span className="visually-hidden">
          {id}: {chosen ? 'take its line out of the charts' : 'draw its line in the charts'}
        </span>
      </button>
    </article>
  )
}

function TileValue({ entry, stepS }: { readonly entry: TileFigure; readonly stepS: number }): ReactNode {
  const { value, unit } = figure(entry.value, entry.unit)
  const stale = entry.value === null || (entry.ageS !== null && isStale(entry.ageS, stepS))
  return (
    <div data-stale={stale}>
      <dt title={entry.definition}>{entry.label}</dt>
      <dd>
        <b>{value}</b> {entry.unit === 'cores' ? null : <span>{unit}</span>}
        {stale || entry.note === undefined || entry.note === '' ? null : <small>{entry.note}</small>}
        {stale && entry.value !== null && entry.ageS !== null ? (
          <em>{Math.round(entry.ageS)} s old</em>
        ) : null}
      </dd>
    </div>
  )
}
