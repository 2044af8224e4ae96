// Owns the fleet page: who is well, what the chosen servers do on one axis of time, why the others are not well.
import { type ReactNode, useEffect, useMemo, useState } from 'react'
import { useSearchParams } from 'wouter'
import { mayAct, type ServerView } from '#wire'
import {
  type ServerChange,
  useAlerts,
  useHistory,
  useMarks,
  useMe,
  useServers,
} from '../api/use-control-room.tsx'
import type { ChartSeries } from '../charts/chart-options.ts'
import type { ChartSpec } from '../charts/chart-spec.ts'
import { Cursor, CursorContext } from '../charts/cursor.tsx'
import {
  controlCpu,
  cpu,
  hostCpu,
  instances,
  throughput,
  watching,
  watchingEstimated,
} from '../charts/expressions.ts'
import { type Grid, newest } from '../charts/grid.ts'
import { changeMarks, EventLane, eventMarks } from '../charts/marks.tsx'
import { seriesColour } from '../charts/palette.ts'
import type { FeedState } from '../charts/series-feed.ts'
import { useFeed } from '../charts/use-feed.ts'
import { ALL_SHOWN_MAX, narrowed, readFilter, TILES_MAX, worstFirst } from '../fleet-filter.ts'
import { Loading, Problem } from '../parts/answers.tsx'
import { Changes, EvidencePanel } from '../parts/evidence.tsx'
import { FleetTools } from '../parts/fleet-tools.tsx'
import { Link } from '../parts/link.tsx'
import { ZoneSwitch } from '../parts/moment.tsx'
import { useSilence } from '../parts/shell.tsx'
import { Tile, type TileFigure } from '../parts/tile.tsx'
import { Toolbar } from '../parts/toolbar.tsx'
import { TryItStrip } from '../parts/try-it.tsx'
import { inOrder } from '../server-order.ts'
import { TakeAlong } from '../take-along/take-along.tsx'
import { chosenServers, toggleServer } from '../url-state.ts'
import { estimatedWords, WATCHING_DEFINITION } from '../viewers/viewer-words.ts'
import { ChartWithShare } from '../viewers/watching-chart.tsx'
import { useWindow } from './use-window.ts'

const TIMES_HEIGHT = 22
const HOST_HEIGHT = 46
const CHANGES_MAX = 12
/** Panels of evidence; more push the changes off the screen. */
const EVIDENCE_MAX = 6
const HISTORIES_MAX = 20

export function FleetPage(): ReactNode {
  const servers = useServers()
  if (servers.data === undefined) {
    return (
      <div className="page">
        {servers.error === null ? (
          <Loading what="the fleet" />
        ) : (
          <Problem error={servers.error} what="The fleet" />
        )}
      </div>
    )
  }
  return <Fleet servers={servers.data} />
}

function Fleet({ servers }: { readonly servers: readonly ServerView[] }): ReactNode {
  const [search, setSearch] = useSearchParams()
  const [paused, setPaused] = useState(false)
  const [all, setAll] = useState(false)
  const [cursor] = useState(() => new Cursor())
  const me = useMe()
  const page = useWindow()
  const silentMs = useSilence()
  const mayAdd = me.data !== undefined && mayAct(me.data.role, 'operator')
  const sorted = useMemo(() => inOrder(servers), [servers])
  const ids = sorted.map(server => server.id)
  const chosen = chosenServers(search, ids)
  const many = sorted.length > ALL_SHOWN_MAX
  const matches = many ? narrowed(worstFirst(sorted), readFilter(search)) : sorted
  const shown = many && !all ? matches.slice(0, TILES_MAX) : matches
  const hosts = hostsOf(sorted)
  const matching = instances(ids, [...new Set([...chosen, ...shown.map(({ id }) => id)])].sort())
  const feed = useFeed({
    queries: [
      cpu(matching),
      controlCpu(),
      watching(matching),
      watchingEstimated(matching),
      throughput(matching),
      ...hosts.map(host => hostCpu(host.agent)),
    ],
    queriesKey: `${matching}|${hosts.map(host => host.agent).join()}`,
    window: page.feed,
    widthPx: 1_000,
    paused,
  })
  const ill = worstFirst(sorted).filter(server => server.state !== 'healthy')
  // Of a large fleet those that matter now: a history is a question a server.
  const history = useHistory(
    many ? [...new Set([...ill.map(({ id }) => id), ...chosen])].slice(0, HISTORIES_MAX) : ids,
  )
  const alerts = useAlerts()
  const changed = useMarks(null)
  const marks = useMemo(
    () => [...eventMarks(history.data ?? [], alerts.data ?? []), ...changeMarks(changed.data ?? [])],
    [history.data, alerts.data, changed.data],
  )
  const told = ill.slice(0, EVIDENCE_MAX)
  const colourOf = (id: string): string => seriesColour(id, ids)
  const specs = specsOf({ chosen, hosts, colourOf, height: useChartHeight() })
  return (
    <CursorContext value={cursor}>
      <div className="fleet" data-silent={silentMs > 0}>
        <h1 className="visually-hidden">Fleet</h1>
        {many ? <FleetTools servers={sorted} matching={matches.length} /> : null}
        <section className="tiles" data-many={many} aria-label="Servers">
          {shown.map(server => (
            <Tile
              key={server.id}
              server={server}
              figures={tileFigures(server, feed.grid, silentMs).filter(
                entry => !many || entry.value !== null,
              )}
              stepS={feed.grid?.stepS ?? 1}
              colour={colourOf(server.id)}
              chosen={chosen.includes(server.id)}
              onToggle={() => setSearch(before => toggleServer(before, server.id, chosen), { replace: true })}
            />
          ))}
          {matches.length === 0 ? (
            <p className="quiet">No server has these words, this state and this region.</p>
          ) : null}
          {shown.length < matches.length ? (
            <button type="button" className="plain tiles-more" onClick={() => setAll(true)}>
              Show all {matches.length} servers
            </button>
          ) : null}
        </section>
        <div className="fleet-body">
          <section className="panel charts" aria-label="Charts">
            <Toolbar page={page} paused={paused} setPaused={setPaused} title="Load and viewers">
              <TakeAlong
                sheet={() => ({
                  title: `Load and viewers of ${chosen.join(', ')}`,
                  name: 'fleet',
                  words: null,
                  grid: feed.grid,
                  charts: specs,
                  marks,
                })}
              />
            </Toolbar>
            <FeedNote feed={feed} silent={silentMs > 0} />
            <EventLane marks={marks} grid={feed.grid} />
            {specs.map(({ key, ...spec }) => (
              <ChartWithShare
                key={key}
                {...spec}
                grid={feed.grid}
                marks={marks}
                silentMs={silentMs}
                live={!paused && page.window.kind === 'live'}
                onZoom={page.zoom}
                onBack={page.back}
              />
            ))}
          </section>
          {/* Before it is known whether faults can be tried here, nothing may stand in that place. */}
          <aside className="side" hidden={me.data === undefined && me.error === null}>
            {me.data?.tryIt === true ? <TryItStrip servers={sorted} colourOf={colourOf} /> : null}
            {told.map(server => (
              <EvidencePanel key={server.id} server={server} />
            ))}
            {ill.length > told.length ? (
              <p className="quiet">
                {ill.length - told.length} more are not healthy: their pages have the evidence.
              </p>
            ) : null}
            {mayAdd ? <AddEdgeLink /> : null}
            <RecentChanges changes={history.data} />
          </aside>
        </div>
      </div>
    </CursorContext>
  )
}

function AddEdgeLink(): ReactNode {
  return (
    <Link href="/add-edge" className="add-edge-link">
      Add an edge
    </Link>
  )
}

function RecentChanges({ changes }: { readonly changes: readonly ServerChange[] | undefined }): ReactNode {
  return (
    <section className="panel" aria-label="State changes">
      <header>
        <h2>State changes</h2>
        <ZoneSwitch />
      </header>
      {changes === undefined ? (
        <Loading what="the history" />
      ) : (
        <Changes changes={changes.filter(change => change.from !== null)} named max={CHANGES_MAX} />
      )}
    </section>
  )
}

function FeedNote({ feed, silent }: { readonly feed: FeedState; readonly silent: boolean }): ReactNode {
  if (feed.problem === null || silent) return null
  return (
    <p className="form-problem" role="alert">
      The charts are not fed: {feed.problem}
    </p>
  )
}

interface SpecsInput {
  readonly chosen: readonly string[]
  readonly hosts: readonly Host[]
  readonly colourOf: (id: string) => string
  readonly height: number
}

function specsOf({ chosen, hosts, colourOf, height }: SpecsInput): ChartSpec[] {
  const lines = (name: string): ChartSeries[] =>
    chosen.map(id => ({ key: `${name}/${id}`, label: id, colour: colourOf(id) }))
  const hostLines = hosts.map(({ agent, label }) => ({
    key: `host/${agent}`,
    label,
    colour: '--series-host',
    context: true,
  }))
  const edges = (name: string): ChartSeries[] => lines(name).filter(({ key }) => key !== `${name}/origin`)
  const host: ChartSpec = {
    key: 'host',
    title: 'Host',
    note: 'cores in use by all its processes',
    unit: 'cores',
    series: hostLines,
    height: HOST_HEIGHT,
    floorMax: 1,
  }
  return [
    {
      key: 'cpu',
      title: 'CPU',
      note: 'cores in use',
      unit: 'cores',
      series: lines('cpu'),
      height,
      floorMax: 0.1,
    },
    ...(hostLines.length === 0 ? [] : [host]),
    {
      key: 'watching',
      title: 'Viewers',
      note: 'watching now',
      unit: 'count',
      series: edges('watching'),
      height,
      floorMax: 4,
      stepped: true,
    },
    {
      key: 'throughput',
      title: 'Throughput',
      note: 'bit/s sent to viewers',
      unit: 'bits',
      series: edges('throughput'),
      height: height + TIMES_HEIGHT,
      floorMax: 1_000_000,
      showTimes: true,
    },
  ]
}

function tileFigures(server: ServerView, grid: Grid | null, silentMs: number): TileFigure[] {
  const at = (name: string): { value: number | null; ageS: number | null } => {
    const last = grid === null ? null : newest(grid, `${name}/${server.id}`)
    return { value: last?.value ?? null, ageS: last === null ? null : last.ageS + silentMs / 1000 }
  }
  const silentS = silentMs / 1000
  return [
    ...(server.role === 'edge'
      ? [
          {
            label: 'Watching',
            value: server.watching,
            ageS: silentS,
            unit: 'count' as const,
            definition: WATCHING_DEFINITION,
            note: estimatedWords({
              watching: server.watching ?? 0,
              estimated: server.watchingEstimated ?? 0,
            }),
          },
          { label: 'Throughput', ...at('throughput'), unit: 'bits' as const },
        ]
      : []),
    // Nobody measures a foreign server from inside.
    ...(server.role === 'foreign' || server.role === 'host'
      ? []
      : [{ label: 'CPU cores', ...at('cpu'), unit: 'cores' as const }]),
  ]
}

const ABOVE_CHARTS_PX = 496 // header, tiles, toolbar, event lane, heads of charts, the host's strip
const HEIGHT_PX_MIN = 112
const HEIGHT_PX_MAX = 260

/** Three charts fill what the window leaves below tiles and toolbar: on a wall they are tall. */
function useChartHeight(): number {
  const [windowHeight, setWindowHeight] = useState(innerHeight)
  useEffect(() => {
    const changed = (): void => setWindowHeight(innerHeight)
    addEventListener('resize', changed)
    return () => removeEventListener('resize', changed)
  }, [])
  const share = Math.floor((windowHeight - ABOVE_CHARTS_PX) / 3)
  return Math.min(HEIGHT_PX_MAX, Math.max(HEIGHT_PX_MIN, share))
}

interface Host {
  /** One agent of the host. */
  readonly agent: string
  readonly label: string
}

/** Hosts that several servers share: their CPU is drawn once, from one agent. */
export function hostsOf(servers: readonly ServerView[]): Host[] {
  const byHost = new Map<string, string[]>()
  for (const { hostId, id, agentSeen } of servers) {
    if (hostId !== '' && agentSeen !== null) byHost.set(hostId, [...(byHost.get(hostId) ?? []), id])
  }
  const shared = [...byHost.values()].filter(ids => ids.length > 1)
  return shared.flatMap(([agent], index) =>
    agent === undefined
      ? []
      : [{ agent, label: shared.length === 1 ? 'shared host' : `shared host ${index + 1}` }],
  )
}
