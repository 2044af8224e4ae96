// Owns the page of one server: its state and evidence, its history, and everything measured on it.
import { type ReactNode, useEffect, useMemo, useState } from 'react'
import { mayAct, type ServerView, type UserRole } from '#wire'
import { ChecksPanel } from '../admission/checks-panel.tsx'
import { type ServerChange, useHistory, useMarks, useMe, useServers } from '../api/use-control-room.tsx'
import { Cursor, CursorContext } from '../charts/cursor.tsx'
import { serverQueries } from '../charts/expressions.ts'
import type { Grid } from '../charts/grid.ts'
import { changeMarks, eventMarks } from '../charts/marks.tsx'
import { seriesColour } from '../charts/palette.ts'
import { TimeChart } from '../charts/time-chart.tsx'
import { type BandLine, BandSwitch, useBandSwitch, useBands } from '../charts/use-band.tsx'
import { useFeed } from '../charts/use-feed.ts'
import { AboutPanel } from '../orders/about-panel.tsx'
import { OrdersPanel } from '../orders/orders-panel.tsx'
import { Empty, Loading, Problem } from '../parts/answers.tsx'
import { Changes, Witnesses } from '../parts/evidence.tsx'
import { Link } from '../parts/link.tsx'
import { Age, Lasting, Moment, ZoneSwitch } from '../parts/moment.tsx'
import { RefusedPanel } from '../parts/refused-panel.tsx'
import { useSilence } from '../parts/shell.tsx'
import { StateBadge } from '../parts/state.tsx'
import { toneOf } from '../parts/tone.ts'
import { Toolbar } from '../parts/toolbar.tsx'
import { WhatChanged } from '../parts/what-changed.tsx'
import { AroundThen } from '../past/around-then.tsx'
import { AtCursor } from '../past/at-cursor.tsx'
import { OrderThen } from '../past/order-then.tsx'
import { usePast } from '../past/past-context.tsx'
import { inOrder } from '../server-order.ts'
import { TakeAlong } from '../take-along/take-along.tsx'
import type { Unit } from '../units.ts'
import { affectedHref } from '../viewers/affected-href.ts'
import { Defined } from '../viewers/defined.tsx'
import { FeltChart, feltSpec } from '../viewers/felt-chart.tsx'
import { estimatedWords, WATCHING_DEFINITION } from '../viewers/viewer-words.ts'
import { ChartWithShare } from '../viewers/watching-chart.tsx'
import { useWindow } from './use-window.ts'

const CHART_HEIGHT = 150
const CHANGES_MAX = 40

interface ChartPlan {
  readonly key: string
  readonly title: string
  readonly note: string
  readonly unit: Unit
  readonly floorMax: number
  /** What it means that there is no value in the window. */
  readonly absent?: string
  /** Roles that have it; all where it is left out. */
  readonly roles?: readonly string[]
}

const CHARTS: readonly ChartPlan[] = [
  {
    key: 'answer',
    title: 'Answer',
    absent: 'It gave the control room no answer in this window.',
    note: 'HTTP, from the control room',
    unit: 'seconds',
    floorMax: 0.05,
    roles: ['foreign'],
  },
  {
    key: 'start',
    title: 'Start',
    absent: 'It could not be played from in this window.',
    note: 'until a segment came, from the control room',
    unit: 'seconds',
    floorMax: 0.5,
    roles: ['foreign'],
  },
  {
    key: 'host-cpu',
    title: 'Host CPU',
    note: 'cores, all its processes',
    unit: 'cores',
    floorMax: 0.2,
    roles: ['foreign', 'host'],
  },
  {
    key: 'host-memory',
    title: 'Host memory',
    note: 'not available to others',
    unit: 'bytes',
    floorMax: 1,
    roles: ['foreign', 'host'],
  },
  {
    key: 'host-sent',
    title: 'Host network',
    note: 'sent, without loopback',
    unit: 'bits',
    floorMax: 1_000_000,
    roles: ['foreign', 'host'],
  },
  {
    key: 'host-clock',
    title: 'Clock offset',
    note: 'its clock minus fleet time',
    unit: 'seconds',
    floorMax: 0.01,
    roles: ['foreign', 'host'],
  },
  { key: 'cpu', title: 'CPU', note: 'cores, whole process group', unit: 'cores', floorMax: 0.2 },
  { key: 'memory', title: 'Memory', note: 'resident, whole process group', unit: 'bytes', floorMax: 1 },
  {
    key: 'loop',
    title: 'Event loop',
    note: 'how late timers fire, 99 of 100',
    unit: 'seconds',
    floorMax: 0.005,
  },
  {
    key: 'requests',
    title: 'Requests',
    note: 'per second',
    unit: 'perSecond',
    floorMax: 1,
    roles: ['edge', 'origin'],
  },
  {
    key: 'throughput',
    title: 'Throughput',
    note: 'sent',
    unit: 'bits',
    floorMax: 1_000_000,
    roles: ['edge'],
  },
  { key: 'watching', title: 'Viewers', note: 'watching now', unit: 'count', floorMax: 4, roles: ['edge'] },
  {
    key: 'hits',
    title: 'Hit ratio',
    absent: 'No media was asked for in this window.',
    note: 'answered without the origin',
    unit: 'percent',
    floorMax: 1,
    roles: ['edge'],
  },
  {
    key: 'errors',
    title: 'Error ratio',
    absent: 'No answer in this window failed, or none was given.',
    note: '5xx of all answers',
    unit: 'percent',
    floorMax: 0.01,
    roles: ['edge', 'origin'],
  },
]

export function ServerPage({ id }: { readonly id: string }): ReactNode {
  const past = usePast()
  const servers = useServers()
  if (servers.data === undefined) {
    return (
      <div className="page">
        {servers.error === null ? (
          <Loading what="the server" />
        ) : (
          <Problem error={servers.error} what="The server" />
        )}
      </div>
    )
  }
  const server = servers.data.find(other => other.id === id)
  if (server === undefined) {
    return (
      <div className="page">
        <Empty
          title={`There ${past === null ? 'is' : 'was'} no server “${id}”${past === null ? '' : ' at that moment'}`}
        >
          <p>
            The fleet {past === null ? 'has' : 'had'} {servers.data.map(other => other.id).join(', ')}.{' '}
            <Link href="/">To the fleet</Link>
          </p>
        </Empty>
      </div>
    )
  }
  return <Server server={server} servers={inOrder(servers.data)} />
}

function Server({
  server,
  servers,
}: {
  readonly server: ServerView
  readonly servers: readonly ServerView[]
}): ReactNode {
  const ids = servers.map(({ id }) => id)
  const page = useWindow()
  const [paused, setPaused] = useState(false)
  const past = usePast()
  const [cursor] = useState(() => new Cursor())
  // The page's own moment is where the cursor is while nobody points.
  useEffect(() => cursor.rest(past === null ? null : Math.floor(past / 1000)), [cursor, past])
  const silentMs = useSilence()
  const feed = useFeed({
    queries: useMemo(() => serverQueries(server.id, server.role), [server.id, server.role]),
    queriesKey: `${server.id}/${server.role}`,
    window: page.feed,
    widthPx: 600,
    paused,
  })
  const bands = useBandSwitch()
  const lines = useMemo(() => bandLines(server.id, server.role), [server.id, server.role])
  const normal = useBands(bands.on, lines, feed.grid)
  const history = useHistory([server.id])
  const changed = useMarks(server.id)
  const marks = useMemo(
    () => [...eventMarks(history.data ?? [], []), ...changeMarks(changed.data ?? [])],
    [history.data, changed.data],
  )
  const colour = seriesColour(server.id, ids)
  const specs = CHARTS.filter(plan => isShown(plan, server)).map(plan => ({
    key: plan.key,
    title: plan.title,
    note: plan.note,
    unit: plan.unit,
    floorMax: plan.floorMax,
    series: [{ key: plan.key, label: server.id, colour }],
    height: CHART_HEIGHT,
    stepped: plan.key === 'watching',
    showTimes: true,
    named: false,
    nothing: nothingToSee(feed.grid, plan, server),
  }))
  const common = {
    grid: feed.grid,
    marks,
    silentMs,
    live: !paused && past === null && page.window.kind === 'live',
    onZoom: page.zoom,
    onBack: page.back,
  }
  return (
    <CursorContext value={cursor}>
      <div className="page server-page">
        <ServerHead server={server} />
        <WitnessColumns server={server} />
        <AroundThen server={server.id} />
        <div className="server-body">
          <section className="panel charts" aria-label="Charts">
            <Toolbar page={page} paused={paused} setPaused={setPaused} title="Measured">
              <BandSwitch {...bands} />
              <TakeAlong
                sheet={() => ({
                  title: `Everything measured on ${server.id}`,
                  name: server.id,
                  words: null,
                  grid: feed.grid,
                  charts:
                    server.role === 'edge' ? [feltSpec(server.id, colour, CHART_HEIGHT), ...specs] : specs,
                  marks,
                })}
              />
            </Toolbar>
            {feed.problem !== null && silentMs === 0 ? (
              <p className="form-problem" role="alert">
                The charts are not fed: {feed.problem}
              </p>
            ) : null}
            {server.role === 'edge' ? (
              <>
                <FeltChart {...{ ...common, server: server.id, colour, height: CHART_HEIGHT }} />
                <p className="felt-link">
                  <Link href={affectedHref(page.feed, { edge: server.id })}>
                    Who was affected in this window
                  </Link>
                </p>
              </>
            ) : null}
            {server.role === 'edge'
              ? specs
                  .filter(({ key }) => key === 'cpu')
                  .map(({ key, ...spec }) => (
                    <TimeChart key={key} {...spec} {...common} band={normal.get(key)} />
                  ))
              : null}
            <div className="chart-grid">
              {specs
                .filter(({ key }) => server.role !== 'edge' || key !== 'cpu')
                .map(({ key, ...spec }) => (
                  <ChartWithShare key={key} {...spec} {...common} band={normal.get(key)} />
                ))}
            </div>
            {server.role === 'foreign' ? null : <AtCursor server={server.id} grid={feed.grid} />}
          </section>
          <ServerSide server={server} servers={servers} changes={history.data} />
        </div>
      </div>
    </CursorContext>
  )
}

/** Charts of one line; what viewers felt has two, measured and estimated. */
function bandLines(id: string, role: string): BandLine[] {
  return serverQueries(id, role).flatMap(query => {
    const key = query.key({ instance: id })
    return key === null || key.includes('/') ? [] : [{ key, expr: query.expr, labels: { instance: id } }]
  })
}

/** Of a foreign server without an agent nothing is known from inside. */
function isShown({ key, roles }: ChartPlan, { role, agentSeen }: ServerView): boolean {
  if (roles === undefined) return role !== 'foreign' && role !== 'host'
  return roles.includes(role) && (role !== 'foreign' || agentSeen !== null || !key.startsWith('host-'))
}

/** An empty chart says why it is empty: nothing happened, or nobody measures. */
function nothingToSee(grid: Grid | null, plan: ChartPlan, server: ServerView): string | null {
  if (grid === null || grid.columns.has(plan.key)) return null
  if (plan.absent !== undefined) return plan.absent
  return server.agentSeen === null && server.role !== 'control'
    ? `Nothing is measured yet: the agent beside ${server.id} was never heard. See its log.`
    : 'No samples in this window. Choose a wider one.'
}

const WITNESS_KINDS = [
  { kind: 'inside', title: 'Inside', who: 'its agent', none: 'Its agent has not been heard.' },
  {
    kind: 'outside',
    title: 'Outside',
    who: 'the control room and other edges',
    none: 'Nobody has looked at it from outside.',
  },
  {
    kind: 'viewers',
    title: 'Viewers',
    who: 'what they go through',
    none: 'Nothing is known from its viewers.',
  },
] as const

/** Side by side: where they disagree, it is seen. */
function WitnessColumns({ server }: { readonly server: ServerView }): ReactNode {
  if (server.role === 'control') return null
  return (
    <section className="panel witness-columns" data-tone={toneOf(server.state)} aria-label="Evidence">
      {WITNESS_KINDS.map(({ kind, title, who, none }) => {
        // Who plays a little from it looks from outside as well.
        const words = server.evidence.filter(
          word => (word.kind === 'playing' ? 'outside' : word.kind) === kind,
        )
        return (
          <div key={kind}>
            <h2>
              {title} <small>{who}</small>
            </h2>
            {words.length === 0 ? (
              <p className="quiet">
                {server.role === 'foreign' && kind !== 'outside'
                  ? 'Not ours: looked at from outside only.'
                  : server.role === 'host' && kind !== 'inside'
                    ? 'Nothing of ours runs there but an agent.'
                    : none}
              </p>
            ) : (
              <Witnesses evidence={words} kinds={false} />
            )}
          </div>
        )
      })}
    </section>
  )
}

interface SideProps {
  readonly server: ServerView
  readonly servers: readonly ServerView[]
  readonly changes: readonly ServerChange[] | undefined
}

function ServerSide({ server, servers, changes }: SideProps): ReactNode {
  const { data: me } = useMe()
  const may = (role: UserRole): boolean => me !== undefined && mayAct(me.role, role)
  const past = usePast()
  const enrolled = server.role !== 'control' && past === null
  return (
    <aside className="side">
      {enrolled ? <OrdersPanel server={server} servers={servers} mayOrder={may('operator')} /> : null}
      {enrolled ? <AboutPanel server={server} mayTag={may('operator')} mayRetire={may('admin')} /> : null}
      {past === null ? <RefusedPanel server={server} /> : <OrderThen server={server} />}
      {server.role === 'edge' && past === null ? (
        <ChecksPanel server={server.id} mayCheck={may('operator')} brief />
      ) : null}
      <WhatChanged server={server.id} mayTell={past === null && may('operator')} />
      <section className="panel" aria-label="History">
        <header>
          <h2>History</h2>
          <ZoneSwitch />
        </header>
        {changes === undefined ? (
          <Loading what="the history" />
        ) : (
          <Changes changes={changes} named={false} max={CHANGES_MAX} />
        )}
      </section>
    </aside>
  )
}

function ServerHead({ server }: { readonly server: ServerView }): ReactNode {
  const {
    id,
    region,
    role,
    state,
    reason,
    since,
    version,
    url,
    pid,
    agentSeen,
    weight,
    sharePercent,
    watching,
    watchingEstimated,
    watchingSimulated = 0,
    tags,
    foreign,
  } = server
  const past = usePast()
  return (
    <header className="server-head">
      <div>
        <h1>{tags.name ?? id}</h1>
        <StateBadge state={state} />
        <span className="quiet">
          {state === 'unknown' ? null : (
            <>
              since <Moment at={since} /> <ZoneSwitch />, for <Lasting from={since} to={null} />
            </>
          )}
        </span>
      </div>
      <p className="server-reason">{reason}</p>
      <dl className="facts-row">
        {tags.name === undefined ? null : <Fact name="Id">{id}</Fact>}
        <Fact name="Role">{role}</Fact>
        <Fact name="Region">{region}</Fact>
        {role === 'edge' ? (
          <Fact name="Watching">
            <Defined definition={WATCHING_DEFINITION}>
              {inPart(watching, watchingEstimated ?? 0, watchingSimulated)}
            </Defined>
          </Fact>
        ) : null}
        {role === 'edge' ? (
          <Fact name="New viewers">
            {weight === null ? 'not known' : weight === 0 ? 'none' : `weight ${weight}`}
            {sharePercent !== null && sharePercent < 100 && weight !== null && weight > 0
              ? `, at most ${sharePercent} % of new sessions`
              : ''}{' '}
            <Link href="/steering">Steering</Link>
          </Fact>
        ) : null}
        {role === 'control' || (role === 'foreign' && agentSeen === null) ? null : (
          <Fact name="Agent heard">
            {agentSeen === null ? past === null ? 'never' : 'not known' : <Age at={agentSeen} />}
          </Fact>
        )}
        {foreign == null ? null : (
          <Fact name="New viewers">
            {foreign.weight === 0 ? 'none: only watched' : `weight ${foreign.weight}`}
          </Fact>
        )}
        {role === 'control' || (role === 'foreign' && agentSeen === null) ? null : (
          <Fact name="Clock">
            <Link href="/clocks">Against the others</Link>
          </Fact>
        )}
        {url === '' ? null : <Fact name="Address">{foreign?.url ?? url}</Fact>}
        {pid === null ? null : <Fact name="Process group">{pid}</Fact>}
        {version === '' ? null : <Fact name="Version">{version}</Fact>}
      </dl>
    </header>
  )
}

/** `30 (28 simulated, none estimated)` */
function inPart(watching: number | null, estimated: number, simulated: number): string {
  if (watching === null) return 'not known'
  const parts = [simulated === 0 ? '' : `${simulated} simulated`, estimatedWords({ watching, estimated })]
  const told = parts.filter(part => part !== '').join(', ')
  return told === '' ? String(watching) : `${watching} (${told})`
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }): ReactNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}
