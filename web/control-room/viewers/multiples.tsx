// Owns the small multiples of the last hour: how many watched, one small chart for each edge, region, class or player,
// all on one scale, so that they can be compared by eye.
import { type ReactNode, useMemo, useState } from 'react'
import { useServers } from '../api/use-control-room.tsx'
import { Cursor, CursorContext } from '../charts/cursor.tsx'
import { watching } from '../charts/expressions.ts'
import type { Grid } from '../charts/grid.ts'
import { seriesColour } from '../charts/palette.ts'
import type { FeedQuery } from '../charts/series-feed.ts'
import { TimeChart } from '../charts/time-chart.tsx'
import { useFeed } from '../charts/use-feed.ts'
import { ZoneSwitch } from '../parts/moment.tsx'
import { useSilence } from '../parts/shell.tsx'
import { inOrder } from '../server-order.ts'
import { BREAKDOWNS, type Breakdown, playingExpr } from './figures.ts'
import { partName } from './viewer-words.ts'

const HOUR_S = 3600
const SHOWN_MAX = 12
const HEIGHT = 96

export function Multiples(): ReactNode {
  const [by, setBy] = useState<Breakdown>(BREAKDOWNS[0])
  const [cursor] = useState(() => new Cursor())
  const silentMs = useSilence()
  const ids = inOrder(useServers().data ?? []).map(({ id }) => id)
  const feed = useFeed({
    queries: useMemo(() => [queryOf(by)], [by]),
    queriesKey: `multiples ${by.id}`,
    window: { kind: 'live', seconds: HOUR_S },
    widthPx: 420,
    paused: false,
  })
  const { shown, more, top } = chosen(feed.grid)
  return (
    <section className="panel charts multiples" aria-label="Last hour">
      <div className="toolbar">
        <h2>Last hour</h2>
        <p className="toolbar-note">
          {by.id === 'edge' ? 'Watching' : 'Watching or waiting for it, mean of half a minute'}. One scale.
          Times in <ZoneSwitch />
        </p>
        <div className="segments" role="group" aria-label="One chart for each">
          {BREAKDOWNS.map(breakdown => (
            <button
              key={breakdown.id}
              type="button"
              aria-pressed={breakdown.id === by.id}
              onClick={() => setBy(breakdown)}
            >
              {breakdown.short}
            </button>
          ))}
        </div>
      </div>
      {feed.problem !== null && silentMs === 0 ? (
        <p className="form-problem" role="alert">
          The charts are not fed: {feed.problem}
        </p>
      ) : null}
      {feed.grid !== null && shown.length === 0 ? (
        <p className="quiet">Nobody watched in the last hour.</p>
      ) : null}
      {feed.grid === null && feed.problem === null ? <p className="quiet">Loading the last hour…</p> : null}
      <CursorContext value={cursor}>
        <div className="multiples-grid">
          {shown.map((name, at) => (
            <TimeChart
              key={`${by.id}/${name}`}
              title={partName(name)}
              note=""
              unit="count"
              series={[
                {
                  key: name,
                  label: partName(name),
                  colour: by.id === 'edge' ? seriesColour(name, ids) : `--series-${(at % 6) + 1}`,
                },
              ]}
              height={HEIGHT}
              floorMax={top}
              stepped={by.id === 'edge'}
              showTimes
              named={false}
              grid={feed.grid}
              silentMs={silentMs}
              live
              onZoom={() => undefined}
              onBack={() => undefined}
            />
          ))}
        </div>
      </CursorContext>
      {more === 0 ? null : (
        <p className="quiet">
          {more} more {by.plural}, with fewer viewers, are not drawn.
        </p>
      )}
    </section>
  )
}

function queryOf(by: Breakdown): FeedQuery {
  return {
    key: labels => labels[by.label] ?? null,
    expr: stepS => (by.id === 'edge' ? watching('').expr(stepS) : playingExpr(by, stepS)),
  }
}

/** Those with most viewers in the hour, by name, so that charts keep their places; and a scale for all of them. */
function chosen(grid: Grid | null): { shown: string[]; more: number; top: number } {
  if (grid === null) return { shown: [], more: 0, top: 4 }
  const peaks = [...grid.columns]
    .map(([name, column]) => ({ name, peak: Math.max(0, ...column.map(cell => cell ?? 0)) }))
    .sort((a, b) => b.peak - a.peak)
  const shown = peaks.slice(0, SHOWN_MAX)
  const wanted = Math.max(4, (shown[0]?.peak ?? 0) * 1.15)
  const power = 10 ** Math.floor(Math.log10(wanted))
  const top = ([1, 1.5, 2, 3, 4, 5, 6, 8, 10].find(step => step * power >= wanted) ?? 10) * power
  return {
    shown: shown.map(({ name }) => name).sort(),
    more: peaks.length - shown.length,
    top,
  }
}
