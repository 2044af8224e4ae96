// Owns the time line of one session: lanes, its buffer and bitrate, and the CPU of the edges that fed it, on one axis.
import { type ReactNode, useEffect, useMemo } from 'react'
import type { ViewerSessionAnswer } from '#wire'
import { useServers } from '../api/use-control-room.tsx'
import type { ChartMark } from '../charts/chart-options.ts'
import { type Cursor, CursorContext } from '../charts/cursor.tsx'
import { cpu } from '../charts/expressions.ts'
import { seriesColour } from '../charts/palette.ts'
import { TimeChart } from '../charts/time-chart.tsx'
import { useFeed } from '../charts/use-feed.ts'
import { useWindow } from '../pages/use-window.ts'
import { ZoneSwitch } from '../parts/moment.tsx'
import { useSilence } from '../parts/shell.tsx'
import { inOrder } from '../server-order.ts'
import { EmptyLanes, SessionLanes } from './session-lanes.tsx'
import { withSaid } from './session-line.ts'

const MARGIN_S = 3
const SPAN_S_MIN = 20
/** One that goes on grows in steps of this. */
const GROWS_S = 5
/** Of the picture's width: names that are nearer would lie on each other. */
const NAMES_APART = 0.12
const NAMES_APART_PHONE = 0.4
const PHONE_PX = 760

export function SessionChart({
  answer,
  cursor,
}: {
  readonly answer: ViewerSessionAnswer
  readonly cursor: Cursor
}): ReactNode {
  const { session } = answer
  const page = useWindow()
  const silentMs = useSilence()
  const servers = inOrder(useServers().data ?? []).map(({ id }) => id)
  const edges = useMemo(
    () => [...new Set(session.edges.map(({ id }) => id))],
    [session.edges.map(({ id }) => id).join()],
  )
  const whole = wholeOf(answer)
  const zoomed = page.window.kind === 'fixed' ? page.window : null
  const feed = useFeed({
    queries: useMemo(() => [cpu(`instance=~"${edges.join('|')}"`)], [edges]),
    queriesKey: `session ${session.sid} ${edges.join()}`,
    window: zoomed ?? whole,
    widthPx: 900,
    paused: false,
  })
  const grid = useMemo(() => (feed.grid === null ? null : withSaid(feed.grid, answer)), [feed.grid, answer])
  const { fromS, toS } = zoomed ?? whole
  const marks = useMemo(() => marksOf(answer, toS - fromS), [answer, toS - fromS])
  useEffect(() => cursor.rest(null), [cursor])
  const common = {
    grid,
    silentMs,
    live: false,
    named: false,
    onZoom: page.zoom,
    onBack: page.back,
  }
  const nothingSaid = session.estimated
    ? 'This player tells nothing of it.'
    : 'The player has not told of it.'
  return (
    <CursorContext value={cursor}>
      <section className="panel charts session-chart" aria-label="Time line">
        <div className="toolbar">
          <h2>Time line</h2>
          <p className="toolbar-note">
            {answer.complete ? '' : 'Its oldest part was summed up and is not shown. '}
            Drag to zoom. Times in <ZoneSwitch />
          </p>
          {zoomed === null ? null : (
            <button type="button" className="plain" onClick={page.back}>
              Whole session <kbd>Esc</kbd>
            </button>
          )}
        </div>
        {feed.problem !== null && silentMs === 0 ? (
          <p className="form-problem" role="alert">
            The charts are not fed: {feed.problem}
          </p>
        ) : null}
        {grid === null ? <EmptyLanes /> : <SessionLanes answer={answer} grid={grid} servers={servers} />}
        <TimeChart
          {...common}
          title="Buffer"
          note="as the player said with its answers and reports"
          unit="seconds"
          series={[{ key: 'buffer', label: 'buffer', colour: '--series-1', joined: true }]}
          height={130}
          floorMax={4}
          marks={marks}
          nothing={grid === null || grid.columns.has('buffer') ? null : nothingSaid}
        />
        <TimeChart
          {...common}
          title="Bitrate"
          note="of what is shown"
          unit="bits"
          series={[{ key: 'bitrate', label: 'bitrate', colour: '--series-3' }]}
          height={96}
          floorMax={100_000}
          stepped
          marks={marks.map(({ atMs, colour }) => ({ atMs, colour }))}
          nothing={grid === null || grid.columns.has('bitrate') ? null : nothingSaid}
        />
        <TimeChart
          {...common}
          title="CPU"
          note={edges.length === 1 ? `of ${edges[0]}, cores` : 'of the edges that fed it, cores'}
          unit="cores"
          series={edges.map(id => ({ key: `cpu/${id}`, label: id, colour: seriesColour(id, servers) }))}
          height={120}
          floorMax={0.2}
          showTimes
          marks={marks.map(({ atMs, colour }) => ({ atMs, colour }))}
          nothing={
            edges.length === 0
              ? 'No edge is known to have fed it.'
              : grid === null || edges.some(id => grid.columns.has(`cpu/${id}`))
                ? null
                : 'Nothing was measured on its edges in this time.'
          }
        />
      </section>
    </CursorContext>
  )
}

/** From the first that is known of it: a player may have told late what it went through before. */
function wholeOf({ now, session, timeline }: ViewerSessionAnswer): {
  readonly kind: 'fixed'
  readonly fromS: number
  readonly toS: number
} {
  const firstMs = Math.min(session.startedAt, timeline[0]?.at ?? Number.POSITIVE_INFINITY)
  const fromS = Math.floor(firstMs / 1000) - MARGIN_S
  const endS = Math.ceil((session.endedAt === null ? now : session.lastAt) / 1000)
  const grownS = session.endedAt === null ? Math.ceil(endS / GROWS_S) * GROWS_S : endS + MARGIN_S
  return { kind: 'fixed', fromS, toS: Math.max(grownS, fromS + SPAN_S_MIN) }
}

/** The long ones have their names, as far as there is room. */
function marksOf({ session: { stalls } }: ViewerSessionAnswer, spanS: number): ChartMark[] {
  const named: number[] = []
  const apartMs = spanS * 1000 * (innerWidth <= PHONE_PX ? NAMES_APART_PHONE : NAMES_APART)
  for (const { at } of stalls.toSorted((a, b) => b.seconds - a.seconds)) {
    if (named.every(other => Math.abs(other - at) >= apartMs)) named.push(at)
  }
  return stalls.map(({ at, blame }) => ({
    atMs: at,
    colour: '--degraded',
    ...(named.includes(at) ? { label: blame === 'unknown' ? 'stall' : `stall: ${blame}` } : {}),
  }))
}
