// Owns the charts of what viewers went through: one line a part, each figure on the same axis of time.
import { type ReactNode, useMemo, useState } from 'react'
import { Cursor, CursorContext } from '../charts/cursor.tsx'
import { TimeChart } from '../charts/time-chart.tsx'
import { useFeed } from '../charts/use-feed.ts'
import type { PageWindow } from '../pages/use-window.ts'
import { ZoneSwitch } from '../parts/moment.tsx'
import { useSilence } from '../parts/shell.tsx'
import { type Breakdown, type Cut, chartWindowS, FIGURES } from './figures.ts'
import { partName } from './viewer-words.ts'

const HEIGHT = 150
const DRAWN = FIGURES

export interface ExperienceChartsProps {
  readonly page: PageWindow
  readonly cut: Cut
  readonly by: Breakdown
  /** Those that are drawn, each with its colour. */
  readonly lines: readonly { readonly name: string; readonly colour: string }[]
}

export function ExperienceCharts({ page, cut, by, lines }: ExperienceChartsProps): ReactNode {
  const [cursor] = useState(() => new Cursor())
  const silentMs = useSilence()
  const cutKey = JSON.stringify(cut)
  const feed = useFeed({
    queries: useMemo(
      () =>
        DRAWN.map(({ id, expr }) => ({
          key: (labels: Readonly<Record<string, string>>) => `${id}/${labels[by.label] ?? ''}`,
          expr: (stepS: number) => expr({ cut, by, windowS: chartWindowS(stepS) }),
        })),
      [cutKey, by],
    ),
    queriesKey: `${cutKey} ${by.id}`,
    window: page.feed,
    widthPx: 600,
    paused: false,
  })
  return (
    <CursorContext value={cursor}>
      <section className="panel charts felt-charts" aria-label="Over time">
        <div className="toolbar">
          <h2>Over time</h2>
          <p className="toolbar-note">
            Sums over {feed.grid === null ? 'a minute or more' : windowWords(chartWindowS(feed.grid.stepS))}{' '}
            each. Drag to zoom. Times in <ZoneSwitch />
          </p>
          {page.window.kind === 'fixed' ? (
            <button type="button" className="plain" onClick={page.back}>
              Back to live <kbd>Esc</kbd>
            </button>
          ) : null}
        </div>
        {feed.problem !== null && silentMs === 0 ? (
          <p className="form-problem" role="alert">
            The charts are not fed: {feed.problem}
          </p>
        ) : null}
        <div className="chart-grid">
          {DRAWN.map(({ id, title, note, unit, floorMax }) => {
            const series = lines.map(({ name, colour }) => ({
              key: `${id}/${name}`,
              label: partName(name),
              colour,
            }))
            const isEmpty = feed.grid !== null && !series.some(({ key }) => feed.grid?.columns.has(key))
            return (
              <TimeChart
                key={id}
                title={title}
                note={note}
                unit={unit}
                floorMax={floorMax}
                series={series}
                height={HEIGHT}
                showTimes
                named={false}
                nothing={isEmpty ? 'Nothing to make it of in this time.' : null}
                grid={feed.grid}
                silentMs={silentMs}
                live={false}
                onZoom={page.zoom}
                onBack={page.back}
              />
            )
          })}
        </div>
      </section>
    </CursorContext>
  )
}

function windowWords(seconds: number): string {
  return seconds < 120 ? `${seconds} s` : seconds < 7200 ? `${seconds / 60} min` : `${seconds / 3600} h`
}
