// Owns the comparison of parts: a line for each edge, region, class or player, every figure with what it is of.
import type { ReactNode } from 'react'
import { figureText } from '../units.ts'
import { type Breakdown, type BreakdownId, countWords, FEW, FIGURES, type ViewerFigure } from './figures.ts'
import type { ExperienceRow } from './use-experience.ts'
import { partName, ratioText, shareText } from './viewer-words.ts'

export interface ExperienceTableProps {
  readonly rows: readonly ExperienceRow[]
  readonly by: Breakdown
  readonly only: (by: BreakdownId, name: string) => void
  /** Name of a CSS variable; null: not drawn below. */
  readonly colourOf: (name: string) => string | null
}

export function ExperienceTable({ rows, by, only, colourOf }: ExperienceTableProps): ReactNode {
  return (
    <section className="panel table-panel experience-table" aria-label={`By ${by.name.toLowerCase()}`}>
      <table>
        <thead>
          <tr>
            <th scope="col">{by.name}</th>
            {FIGURES.map(({ id, title }) => (
              <th key={id} scope="col" className="number">
                {title}
              </th>
            ))}
            <th scope="col" className="number">
              Estimated
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(row => {
            const colour = colourOf(row.name)
            return (
              <tr key={row.name}>
                <th scope="row">
                  {colour === null ? null : (
                    <i className="row-colour" style={{ background: `var(${colour})` }} aria-hidden="true" />
                  )}
                  <button
                    type="button"
                    className="zone-switch"
                    onClick={() => only(by.id, row.name)}
                    title={`Only ${partName(row.name)}`}
                  >
                    {partName(row.name)}
                  </button>
                </th>
                {FIGURES.map(figure => (
                  <Cell key={figure.id} figure={figure} row={row} />
                ))}
                <td className="number" data-label="Estimated">
                  {row.estimatedShare === null ? '–' : shareText(row.estimatedShare)}
                  <small>of sessions</small>
                </td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </section>
  )
}

function Cell({ figure, row }: { readonly figure: ViewerFigure; readonly row: ExperienceRow }): ReactNode {
  const value = row.figures[figure.id] ?? null
  const n = row.counts[figure.of] ?? 0
  return (
    <td className="number" data-label={figure.title} data-few={n < FEW[figure.of]}>
      {valueText(figure, value)}
      <small>{countWords(figure.of, n)}</small>
    </td>
  )
}

export function valueText({ unit }: Pick<ViewerFigure, 'unit'>, value: number | null): string {
  return unit === 'percent' && value !== null ? ratioText(value) : figureText(value, unit)
}
