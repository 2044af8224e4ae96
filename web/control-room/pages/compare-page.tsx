// Owns comparing servers: one metric as one line a server, the viewers below on the same axis, and the moment at
// which the lines part, in words and on the chart.
import { type ReactNode, useMemo, useRef, useState } from 'react'
import { useSearchParams } from 'wouter'
import type { ServerView } from '#wire'
import type { Labels } from '../api/prometheus.ts'
import { useAlerts, useHistory, useMarks, useServers } from '../api/use-control-room.tsx'
import type { ChartSpec } from '../charts/chart-spec.ts'
import { Cursor, CursorContext } from '../charts/cursor.tsx'
import { instances, watching, watchingEstimated } from '../charts/expressions.ts'
import type { Grid } from '../charts/grid.ts'
import { changeMarks, EventLane, eventMarks } from '../charts/marks.tsx'
import { seriesColour } from '../charts/palette.ts'
import { BandSwitch, useBandSwitch, useBands } from '../charts/use-band.tsx'
import { useFeed } from '../charts/use-feed.ts'
import { CompareTools } from '../compare/compare-tools.tsx'
import { type CompareMetric, readMetric } from '../compare/metrics.ts'
import { findParting, type Parting } from '../compare/parting.ts'
import { partingMarks, partingText } from '../compare/parting-words.ts'
import { Loading, Problem } from '../parts/answers.tsx'
import { Link } from '../parts/link.tsx'
import { useSilence } from '../parts/shell.tsx'
import { Toolbar } from '../parts/toolbar.tsx'
import { ProblemBox } from '../query/problem-box.tsx'
import { selectorText } from '../query/series-name.ts'
import { inOrder } from '../server-order.ts'
import { useSettings } from '../settings.tsx'
import { TakeAlong } from '../take-along/take-along.tsx'
import { chosenServers, toggleServer } from '../url-state.ts'
import { ChartWithShare } from '../viewers/watching-chart.tsx'
import { type PageWindow, useWindow } from './use-window.ts'

const METRIC_HEIGHT = 320
const VIEWERS_HEIGHT = 170

export function ComparePage(): ReactNode {
  const servers = useServers()
  return (
    <div className="page compare-page">
      <header className="page-head">
        <h1>Compare</h1>
      </header>
      {servers.data !== undefined ? (
        <Compare servers={inOrder(servers.data).filter(({ role }) => role !== 'control')} />
      ) : servers.error === null ? (
        <Loading what="the servers" />
      ) : (
        <Problem error={servers.error} what="The fleet" />
      )}
    </div>
  )
}

function Compare({ servers }: { readonly servers: readonly ServerView[] }): ReactNode {
  const [search, setSearch] = useSearchParams()
  const [goTo, setGoTo] = useState<number | null>(null)
  const ids = servers.map(({ id }) => id)
  const chosen = chosenServers(search, ids)
  const metric = readMetric(search)
  const expr = search.get('expr') ?? ''
  return (
    <>
      <CompareTools
        servers={servers}
        chosen={chosen}
        metric={metric}
        expr={expr}
        goTo={goTo}
        choose={(name, value) =>
          setSearch(before => {
            const next = new URLSearchParams(before)
            next.set(name, value)
            if (name === 'expr') next.set('metric', 'promql')
            return next
          })
        }
        toggle={id => setSearch(before => toggleServer(before, id, chosen), { replace: true })}
      />
      {metric === null && expr === '' ? (
        <p className="quiet">
          Any PromQL with one series a server: the label <code>instance</code> tells which one it is.
        </p>
      ) : (
        <Graph key={metric?.id ?? expr} {...{ ids, chosen, metric, expr }} goTo={at => setGoTo(at)} />
      )}
    </>
  )
}

interface GraphProps {
  readonly ids: readonly string[]
  readonly chosen: readonly string[]
  readonly metric: CompareMetric | null
  readonly expr: string
  readonly goTo: (at: number) => void
}

function Graph({ ids, chosen, metric, expr, goTo }: GraphProps): ReactNode {
  const page = useWindow()
  const { zone } = useSettings()
  const [paused, setPaused] = useState(false)
  const [cursor] = useState(() => new Cursor())
  const silentMs = useSilence()
  const { feed, several } = useCompareFeed({ ids, chosen, metric, expr, page, paused })
  const bands = useBandSwitch()
  // One band: of the first that was chosen. Bands of several lines would lie on each other.
  const [first = ''] = chosen
  const normal = useBands(
    bands.on && first !== '',
    [
      {
        key: first,
        labels: { instance: first },
        expr: stepS => (metric === null ? expr : metric.expr(instances(ids, [...chosen].sort()), stepS)),
      },
    ],
    feed.grid,
  )
  const own = normal.get(first)
  const band =
    own === undefined ? null : { ...own, text: own.text.replace(/^normal:/, `normal of ${first}:`) }
  const history = useHistory(chosen)
  const alerts = useAlerts()
  const { grid } = feed
  const parting = useMemo(() => partingOf(grid, chosen, metric?.matters ?? 0), [grid, chosen.join(), metric])
  const changed = useMarks(null)
  const events = useMemo(
    () => [
      ...eventMarks(history.data ?? [], alerts.data ?? []),
      ...changeMarks((changed.data ?? []).filter(({ server }) => server === null || chosen.includes(server))),
    ],
    [history.data, alerts.data, changed.data, chosen.join()],
  )
  const marks = useMemo(() => [...events, ...partingMarks(parting, zone)], [events, parting, zone])
  const title = `${metric?.title ?? 'Answer'} of ${listed(chosen)}`
  const specs = specsOf(chosen, ids, metric, expr)
  const words =
    grid === null
      ? null
      : partingText(parting, {
          unit: metric?.unit ?? 'plain',
          zone,
          untilMs: (grid.startS + grid.length * grid.stepS) * 1000,
        })
  if (feed.error !== null && metric === null && silentMs === 0) {
    return <ProblemBox error={feed.error} expr={expr} goTo={goTo} />
  }
  return (
    <CursorContext value={cursor}>
      <section className="panel charts" aria-label="Graph">
        <Toolbar page={page} paused={paused} setPaused={setPaused} title={title}>
          <BandSwitch {...bands} />
          <TakeAlong sheet={() => ({ title, name: nameOf(metric), words, grid, charts: specs, marks })} />
        </Toolbar>
        {feed.problem !== null && silentMs === 0 ? (
          <p className="form-problem" role="alert">
            The charts are not fed: {feed.problem}
          </p>
        ) : null}
        <p className="parting" data-found={parting.kind === 'found'}>
          {words ?? 'Looking for the moment at which the lines part…'}
        </p>
        {/* Heard when it is found, and not each second as the levels change. */}
        <p className="visually-hidden" role="status">
          {words?.split(': ')[0] ?? ''}
        </p>
        {several ? (
          <p className="form-problem" role="alert">
            This answer has several series a server, and one of them is drawn. Put{' '}
            <code>sum by (instance) ( … )</code> around it, or <code>max by (instance)</code>.
          </p>
        ) : null}
        {chosen.length < 2 ? null : (
          <p className="compare-differs">
            <Link href={`/diff?a=${chosen[0] ?? ''}&b=${chosen[1] ?? ''}`}>
              What differs between {chosen[0]} and {chosen[1]}
            </Link>
          </p>
        )}
        <EventLane marks={events} grid={grid} />
        {specs.map(({ key, ...spec }) => (
          <ChartWithShare
            key={key}
            {...spec}
            grid={grid}
            marks={key === 'viewers' ? marks.map(({ atMs, colour }) => ({ atMs, colour })) : marks}
            band={key === 'metric' ? band : null}
            silentMs={silentMs}
            live={!paused && page.window.kind === 'live'}
            onZoom={page.zoom}
            onBack={page.back}
          />
        ))}
      </section>
    </CursorContext>
  )
}

interface FeedProps extends Omit<GraphProps, 'goTo'> {
  readonly page: PageWindow
  readonly paused: boolean
}

function useCompareFeed({ ids, chosen, metric, expr, page, paused }: FeedProps): {
  feed: ReturnType<typeof useFeed>
  several: boolean
} {
  const matching = instances(ids, [...chosen].sort())
  // Which series stood for a server: with PromQL of any kind there may be several.
  const [seen] = useState(() => new Map<string, Set<string>>())
  const several = useRef(false)
  const column = (labels: Labels): string | null => {
    const { instance } = labels
    if (instance === undefined) return null
    const known = seen.get(instance) ?? new Set()
    seen.set(instance, known.add(selectorText(labels)))
    several.current ||= known.size > 1
    return `metric/${instance}`
  }
  const feed = useFeed({
    queries: [
      { expr: stepS => (metric === null ? expr : metric.expr(matching, stepS)), key: column },
      watching(matching),
      watchingEstimated(matching),
    ],
    queriesKey: `${metric?.id ?? expr}|${matching}`,
    window: page.feed,
    widthPx: 1_000,
    paused,
  })
  return { feed, several: several.current }
}

function specsOf(
  chosen: readonly string[],
  ids: readonly string[],
  metric: CompareMetric | null,
  expr: string,
): ChartSpec[] {
  const lines = (name: string): ChartSpec['series'] =>
    chosen.map(id => ({ key: `${name}/${id}`, label: id, colour: seriesColour(id, ids) }))
  const measured: ChartSpec = {
    key: 'metric',
    title: metric?.title ?? 'Answer',
    note: metric?.note ?? expr,
    unit: metric?.unit ?? 'plain',
    series: lines('metric'),
    height: METRIC_HEIGHT,
    floorMax: metric?.floorMax ?? 0,
    axisFrom: metric === null || metric.id === 'clock' ? 'values' : 'zero',
    stepped: metric?.stepped ?? false,
  }
  const viewers: ChartSpec = {
    key: 'viewers',
    title: 'Viewers',
    note: 'watching now',
    unit: 'count',
    series: lines('watching').filter(({ key }) => key !== 'watching/origin'),
    height: VIEWERS_HEIGHT,
    floorMax: 4,
    stepped: true,
    showTimes: true,
  }
  return metric?.id === 'viewers' ? [{ ...measured, showTimes: true }] : [measured, viewers]
}

function partingOf(grid: Grid | null, chosen: readonly string[], matters: number): Parting {
  if (grid === null) return { kind: 'none', why: 'too few samples' }
  const lines = chosen.map(id => ({ id, cells: grid.columns.get(`metric/${id}`) ?? [] }))
  return findParting({ lines, startS: grid.startS, stepS: grid.stepS, matters })
}

function listed(ids: readonly string[]): string {
  if (ids.length === 0) return 'no server'
  return ids.length === 1 ? (ids[0] ?? '') : `${ids.slice(0, -1).join(', ')} and ${ids.at(-1) ?? ''}`
}

function nameOf(metric: CompareMetric | null): string {
  return `compare-${metric?.id ?? 'promql'}`
}
