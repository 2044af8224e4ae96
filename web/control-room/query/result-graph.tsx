// Owns the answer over time: a chart of the chosen series, and the list of all of them to choose from.
import { type ReactNode, type RefObject, useEffect, useMemo, useRef, useState } from 'react'
import type { Labels } from '../api/prometheus.ts'
import type { ChartSeries } from '../charts/chart-options.ts'
import type { ChartSpec } from '../charts/chart-spec.ts'
import { Cursor, CursorContext, useCursorTime } from '../charts/cursor.tsx'
import { type Grid, isStale, newest, valueAt } from '../charts/grid.ts'
import { TimeChart } from '../charts/time-chart.tsx'
import { BandSwitch, useBandSwitch, useBands } from '../charts/use-band.tsx'
import { useFeed } from '../charts/use-feed.ts'
import type { PageWindow } from '../pages/use-window.ts'
import { Empty } from '../parts/answers.tsx'
import { useSilence } from '../parts/shell.tsx'
import { Toolbar } from '../parts/toolbar.tsx'
import { TakeAlong } from '../take-along/take-along.tsx'
import { age } from '../time-format.ts'
import { LINES_MAX, lineLook, notNumbers, ranked } from './chosen-series.ts'
import { ProblemBox } from './problem-box.tsx'
import type { ResultProps } from './result-table.tsx'
import { selectorText, shortNames, valueText } from './series-name.ts'

const GRAPH_HEIGHT = 360
/** The filter reaches the others. */
const LISTED_MAX = 100

export interface ResultGraphProps extends ResultProps {
  readonly page: PageWindow
}

export function ResultGraph({ expr, goTo, page }: ResultGraphProps): ReactNode {
  const [paused, setPaused] = useState(false)
  const [cursor] = useState(() => new Cursor())
  const labels = useRef(new Map<string, Labels>())
  const drawn = useRef<ChartSpec | null>(null)
  const silentMs = useSilence()
  const feed = useFeed({
    queries: [{ expr: () => expr, key: found => keep(labels.current, found) }],
    queriesKey: expr,
    window: page.feed,
    widthPx: 1_000,
    paused,
    keepsNotNumbers: true,
  })
  const bands = useBandSwitch()
  const { grid } = feed
  const live = !paused && page.window.kind === 'live'
  if (feed.error !== null && silentMs === 0) return <ProblemBox error={feed.error} expr={expr} goTo={goTo} />
  return (
    <CursorContext value={cursor}>
      <section className="panel charts" aria-label="Graph">
        <Toolbar page={page} paused={paused} setPaused={setPaused} title="Graph">
          <BandSwitch {...bands} />
          <TakeAlong
            sheet={() => ({
              title: expr,
              name: 'query',
              words: null,
              grid,
              charts: drawn.current === null ? [] : [drawn.current],
              marks: [],
            })}
          />
        </Toolbar>
        {grid !== null && grid.columns.size === 0 ? (
          <Empty title="No series in this window">
            <p>The expression is understood, and nothing matches it. A wider range may have some.</p>
          </Empty>
        ) : (
          <Drawn {...{ grid, page, silentMs, live, drawn, expr, banded: bands.on }} labels={labels.current} />
        )}
      </section>
    </CursorContext>
  )
}

function keep(all: Map<string, Labels>, found: Labels): string {
  const key = selectorText(found)
  all.set(key, found)
  return key
}

interface DrawnProps {
  readonly grid: Grid | null
  readonly labels: ReadonlyMap<string, Labels>
  readonly page: PageWindow
  readonly silentMs: number
  readonly live: boolean
  /** What is drawn now, for those who take it along. */
  readonly drawn: RefObject<ChartSpec | null>
  readonly expr: string
  readonly banded: boolean
}

function Drawn({ grid, labels, page, silentMs, live, drawn, expr, banded }: DrawnProps): ReactNode {
  const [asked, setAsked] = useState<readonly string[] | null>(null)
  const keys = useMemo(() => (grid === null ? [] : ranked(grid)), [grid])
  // The set is decided once, so that lines do not change places while values do.
  const [first, setFirst] = useState<readonly string[]>([])
  const start = first.length === 0 || keys.length !== first.length ? keys : first
  if (start !== first) setFirst(start)
  // A place keeps its look: a line that is taken away leaves a hole, and the next one that is chosen fills it.
  const places = asked ?? start.slice(0, LINES_MAX)
  const names = useMemo(() => new Map(named(keys, labels)), [keys, labels])
  const series: ChartSeries[] = places.flatMap((key, place) =>
    key === '' ? [] : [{ key, label: names.get(key) ?? key, ...lineLook(place) }],
  )
  // One band, of the first line that is drawn.
  const [line] = series
  const normal = useBands(
    banded && line !== undefined,
    line === undefined ? [] : [{ key: line.key, expr: () => expr, labels: labels.get(line.key) ?? {} }],
    grid,
  )
  const own = line === undefined ? undefined : normal.get(line.key)
  const band =
    own === undefined || line === undefined
      ? null
      : {
          ...own,
          text: series.length === 1 ? own.text : own.text.replace(/^normal:/, `normal of ${line.label}:`),
        }
  const spec = {
    title: 'Answer',
    note: '',
    unit: 'plain',
    series,
    height: GRAPH_HEIGHT,
    floorMax: 0,
    axisFrom: 'values',
    showTimes: true,
  } as const
  useEffect(() => {
    drawn.current = { key: 'answer', ...spec }
  })
  return (
    <>
      <TimeChart
        {...spec}
        grid={grid}
        headed={false}
        nothing={nothingToSee(grid, series)}
        named={series.length <= 8}
        band={band}
        silentMs={silentMs}
        live={live}
        onZoom={page.zoom}
        onBack={page.back}
      />
      {grid === null ? null : (
        <SeriesList
          {...{ grid, keys: start, names, series, silentMs, live }}
          draw={setAsked}
          toggle={key => setAsked(toggled(places, key))}
          chosen={asked !== null}
        />
      )}
    </>
  )
}

function toggled(places: readonly string[], key: string): string[] {
  if (places.includes(key)) return places.map(other => (other === key ? '' : other))
  const hole = places.indexOf('')
  if (hole !== -1) return places.with(hole, key)
  return places.length < LINES_MAX ? [...places, key] : [...places.slice(1), key]
}

function nothingToSee(grid: Grid | null, series: readonly ChartSeries[]): string | null {
  if (grid === null) return null
  if (series.length === 0) return 'Choose a series below to draw its line.'
  const seen = series.some(({ key }) =>
    grid.columns.get(key)?.some(cell => cell !== null && Number.isFinite(cell)),
  )
  return seen ? null : 'No value in this window is a number.'
}

function named(keys: readonly string[], labels: ReadonlyMap<string, Labels>): [string, string][] {
  const short = shortNames(keys.map(key => labels.get(key) ?? {}))
  return keys.map((key, index) => [key, short[index] ?? key])
}

interface SeriesListProps {
  readonly grid: Grid
  readonly keys: readonly string[]
  readonly names: ReadonlyMap<string, string>
  readonly series: readonly ChartSeries[]
  readonly silentMs: number
  readonly live: boolean
  readonly chosen: boolean
  readonly draw: (keys: readonly string[]) => void
  readonly toggle: (key: string) => void
}

function SeriesList(props: SeriesListProps): ReactNode {
  const { grid, keys, names, series, chosen, draw } = props
  const [filter, setFilter] = useState('')
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean)
  const matching = keys.filter(key => words.every(word => key.toLowerCase().includes(word)))
  const odd = notNumbers(grid)
  return (
    <div className="series-list">
      <div className="series-tools">
        <p role="status">
          {series.length === keys.length
            ? `${keys.length} series`
            : `${series.length} of ${keys.length} series are drawn${chosen ? '' : ', those with the highest newest value'}`}
          {odd.cells === 0
            ? ''
            : `. ${odd.cells} values in ${odd.series} series are NaN or infinite: they are holes in the graph`}
        </p>
        {series.length === keys.length && keys.length <= 6 ? null : (
          <>
            <input
              type="search"
              aria-label="Filter the series"
              placeholder="Filter: words of labels"
              value={filter}
              onChange={event => setFilter(event.target.value)}
            />
            <button
              type="button"
              className="plain"
              disabled={matching.length === 0}
              onClick={() => draw(matching.slice(0, LINES_MAX))}
            >
              Draw {filter === '' ? 'the first' : 'these'} {Math.min(LINES_MAX, matching.length)}
            </button>
          </>
        )}
      </div>
      <ul aria-label="Series">
        {matching.slice(0, LISTED_MAX).map(key => (
          <SeriesEntry
            key={key}
            id={key}
            name={names.get(key) ?? key}
            look={series.find(entry => entry.key === key)}
            {...props}
          />
        ))}
      </ul>
      {matching.length === 0 ? <p className="quiet">No series has these words.</p> : null}
      {matching.length > LISTED_MAX ? (
        <p className="quiet">
          The first {LISTED_MAX} of {matching.length} are listed. Filter to see others.
        </p>
      ) : null}
    </div>
  )
}

interface EntryProps extends SeriesListProps {
  readonly id: string
  readonly name: string
  readonly look: ChartSeries | undefined
}

function SeriesEntry({ id, name, look, toggle, grid, silentMs, live }: EntryProps): ReactNode {
  const timeS = useCursorTime()
  const last = newest(grid, id)
  const value = timeS === null ? (last?.value ?? null) : valueAt(grid, id, timeS)
  const ageMs = (last?.ageS ?? 0) * 1000 + silentMs
  const stale = timeS === null && live && isStale(ageMs / 1000, grid.stepS)
  return (
    <li data-stale={stale}>
      <button type="button" aria-pressed={look !== undefined} title={id} onClick={() => toggle(id)}>
        <svg viewBox="0 0 18 6" aria-hidden="true">
          {look === undefined ? null : (
            <line
              x1="0"
              x2="18"
              y1="3"
              y2="3"
              stroke={`var(${look.colour})`}
              strokeDasharray={look.dash?.map(part => part * 0.7).join(' ')}
            />
          )}
        </svg>
        <span>{name}</span>
        <b>{value === null ? 'no value' : valueText(Number(value.toPrecision(6)))}</b>
        <small>{stale ? `${age(ageMs)} old` : ''}</small>
      </button>
    </li>
  )
}
