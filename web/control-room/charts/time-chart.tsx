// Owns one chart: a title with its legend, and a uPlot canvas that follows the page's grid.
import {
  type PointerEvent,
  type ReactNode,
  type RefObject,
  useContext,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { useSettings } from '../settings.tsx'
import { age } from '../time-format.ts'
import { figure, figureText } from '../units.ts'
import {
  type ChartBand,
  type ChartMark,
  type ChartSeries,
  chartOptions,
  showCursor,
} from './chart-options.ts'
import type { ChartSpec } from './chart-spec.ts'
import { type Cursor, CursorContext, useCursorTime } from './cursor.tsx'
import { type Column, type Grid, isStale, newest, times, valueAt } from './grid.ts'

export interface TimeChartProps extends Omit<ChartSpec, 'key'> {
  readonly grid: Grid | null
  readonly marks?: readonly ChartMark[]
  /** False where the page has a list of its own beside the chart. */
  readonly headed?: boolean
  /** Age that is added to every figure because the control room is silent, in ms. */
  readonly silentMs: number
  /** False while a past window is shown: nothing there is stale. */
  readonly live: boolean
  readonly onZoom: (fromS: number, toS: number) => void
  readonly onBack: () => void
  /** What is normal, behind the line. */
  readonly band?: ChartBand | null | undefined
}

const NO_MARKS: readonly ChartMark[] = []

export function TimeChart(props: TimeChartProps): ReactNode {
  const { title, note, unit, grid, series, height } = props
  const { nothing = series.length === 0 ? 'Choose a server above to draw its line.' : null } = props
  const summary = series.map(({ label, key }) => {
    const last = grid === null ? null : newest(grid, key)
    return `${label} ${figureText(last?.value ?? null, unit)}`
  })
  return (
    <section className="chart" aria-label={title}>
      {props.headed === false ? null : (
        <header className="chart-head">
          <h3>
            {title} <small>{note}</small>
          </h3>
          <Legend {...props} />
        </header>
      )}
      <div
        className="chart-canvas"
        style={{ height }}
        role="img"
        aria-label={`${title} over time. Now: ${summary.join(', ')}${props.band == null ? '' : `. Behind it: ${props.band.text}`}`}
        onDoubleClick={props.onBack}
      >
        <Canvas {...props} />
        {grid === null ? <p className="chart-wait">Loading…</p> : null}
        {grid === null || nothing === null ? null : <p className="chart-wait">{nothing}</p>}
      </div>
    </section>
  )
}

function Canvas(props: TimeChartProps): ReactNode {
  const {
    unit,
    grid,
    series,
    height,
    floorMax,
    stepped = false,
    showTimes = false,
    named = true,
    axisFrom = 'zero',
    marks = NO_MARKS,
  } = props
  const host = useRef<HTMLDivElement>(null)
  const chart = useRef<uPlot | null>(null)
  const latest = useRef(props)
  latest.current = props
  const { zone, shown } = useSettings()
  const cursor = useContext(CursorContext)
  const [width, setWidth] = useState(0)
  useWidth(host, setWidth)

  const seriesKey = JSON.stringify(series)
  // A layout effect: in the frame in which the page changes its colours, its charts do.
  useLayoutEffect(() => {
    const place = host.current
    if (place === null || width === 0) return undefined
    const made = new uPlot(
      chartOptions(
        {
          series: latest.current.series,
          unit,
          zone,
          stepped,
          showTimes,
          named,
          floorMax,
          axisFrom,
          cursor,
          marks: () => latest.current.marks ?? NO_MARKS,
          onZoom: (fromS, toS) => latest.current.onZoom(fromS, toS),
          band: () => latest.current.band ?? null,
        },
        { width, height },
      ),
      dataOf(latest.current.grid, latest.current.series),
      place,
    )
    chart.current = made
    return () => {
      chart.current = null
      made.destroy()
    }
  }, [seriesKey, unit, zone, shown, stepped, showTimes, named, floorMax, axisFrom, cursor, width, height])

  useEffect(() => {
    chart.current?.setData(dataOf(grid, series))
    if (chart.current !== null) showCursor(chart.current, cursor.timeS)
  }, [grid, marks, series, cursor, props.band])
  useEffect(
    () =>
      cursor.subscribe(() => {
        if (chart.current !== null) showCursor(chart.current, cursor.timeS)
      }),
    [cursor],
  )
  return <div ref={host} className="chart-host" {...touchOf(chart, cursor)} />
}

/** A finger that goes sideways moves the cursor, and it stays there; up and down is for the page. */
function touchOf(
  chart: RefObject<uPlot | null>,
  cursor: Cursor,
): { onPointerDown: (event: PointerEvent) => void; onPointerMove: (event: PointerEvent) => void } {
  const follow = (event: PointerEvent): void => {
    const plot = chart.current
    if (event.pointerType !== 'touch' || plot === null) return
    const left = event.clientX - plot.over.getBoundingClientRect().left
    if (left < 0 || left > plot.over.clientWidth) return
    cursor.rest(plot.data[0][plot.posToIdx(left)] ?? null)
  }
  return { onPointerDown: follow, onPointerMove: follow }
}

function useWidth(host: React.RefObject<HTMLDivElement | null>, setWidth: (width: number) => void): void {
  useEffect(() => {
    const place = host.current
    if (place === null) return undefined
    const observer = new ResizeObserver(() => setWidth(Math.floor(place.clientWidth)))
    observer.observe(place)
    return () => observer.disconnect()
  }, [host, setWidth])
}

export function dataOf(grid: Grid | null, series: readonly ChartSeries[]): uPlot.AlignedData {
  if (grid === null) return [[], ...series.map(() => [])]
  const empty: Column = Array.from({ length: grid.length }, () => null)
  return [times(grid), ...series.map(({ key }) => (grid.columns.get(key) ?? empty).map(drawable))]
}

/** What is not a number has no place in the picture: a hole. */
function drawable(cell: number | null): number | null {
  return cell !== null && Number.isFinite(cell) ? cell : null
}

function Legend({ grid, series, unit, silentMs, live, named }: TimeChartProps): ReactNode {
  const timeS = useCursorTime()
  return (
    <ul className="legend" data-single={named === false && series.length === 1}>
      {series.map(entry => {
        const last = grid === null ? null : newest(grid, entry.key)
        const pointed = timeS !== null && grid !== null
        const value = pointed ? valueAt(grid, entry.key, timeS) : (last?.value ?? null)
        const ageMs = (last?.ageS ?? 0) * 1000 + silentMs
        const stale =
          live && !pointed && (last === null || grid === null || isStale(ageMs / 1000, grid.stepS))
        const text = figure(value, unit)
        return (
          <li key={entry.key} data-stale={stale} data-unit={unit}>
            <i style={{ background: `var(${entry.colour})` }} data-context={entry.context === true} />
            <span className="legend-name">{entry.label}</span>
            <span className="legend-value">
              <b>{text.value}</b> {text.unit}
            </span>
            <span className="legend-age">{stale && last !== null ? `${age(ageMs)} old` : ''}</span>
          </li>
        )
      })}
    </ul>
  )
}
