// Owns the page of the fleet's clocks: one sentence, the diagnosis, every server's offset on one chart, and the table.
import { type ReactNode, useEffect, useState } from 'react'
import type { ClocksAnswer } from '#wire'
import { useServers } from '../api/use-control-room.tsx'
import { Cursor, CursorContext } from '../charts/cursor.tsx'
import { clockOffset, instances } from '../charts/expressions.ts'
import { seriesColour } from '../charts/palette.ts'
import { TimeChart } from '../charts/time-chart.tsx'
import { useFeed } from '../charts/use-feed.ts'
import { ClockTable } from '../clocks/clock-table.tsx'
import { clocksSentence, worstClocksFirst } from '../clocks/clock-words.ts'
import { DiagnosisPanel } from '../clocks/diagnosis-panel.tsx'
import { useClocks } from '../clocks/use-clocks.ts'
import { Empty, Loading, Problem } from '../parts/answers.tsx'
import { Link } from '../parts/link.tsx'
import { ZoneSwitch } from '../parts/moment.tsx'
import { useSilence } from '../parts/shell.tsx'
import { Toolbar } from '../parts/toolbar.tsx'
import { AroundThen } from '../past/around-then.tsx'
import { usePast } from '../past/past-context.tsx'
import { inOrder } from '../server-order.ts'
import { TakeAlong } from '../take-along/take-along.tsx'
import { useWindow } from './use-window.ts'
import '../clocks/clocks.css'
import '../matrix/matrix.css'

const CHART_HEIGHT = 260
/** More lines cannot be told apart; the worst are among them. */
const LINES_MAX = 12

export function ClocksPage(): ReactNode {
  const clocks = useClocks()
  return (
    <div className="page">
      <header className="page-head">
        <h1>Clocks</h1>
        <p className="quiet">
          Each host’s clock against fleet time, which graphs, rules and sessions follow. Times in{' '}
          <ZoneSwitch />.
        </p>
      </header>
      {clocks.data !== undefined ? (
        <Clocks answer={clocks.data} />
      ) : clocks.error === null ? (
        <Loading what="the clocks" />
      ) : (
        <Problem error={clocks.error} what="The clocks" />
      )}
    </div>
  )
}

function Clocks({ answer }: { readonly answer: ClocksAnswer }): ReactNode {
  if (answer.servers.length === 0) {
    return (
      <Empty title={answer.past === undefined ? 'No server yet' : 'No server had joined by then'}>
        <p>
          <Link href="/add-edge">Add an edge</Link>: the agent beside it measures its clock.
        </p>
      </Empty>
    )
  }
  const { text, tone } = clocksSentence(answer)
  return (
    <>
      <p className="matrix-sentence" data-tone={tone} role="status">
        {text}
      </p>
      <DiagnosisPanel diagnosis={answer.diagnosis} />
      <Offsets answer={answer} />
      <ClockTable rows={answer.servers} />
      <AroundThen />
    </>
  )
}

function Offsets({ answer }: { readonly answer: ClocksAnswer }): ReactNode {
  const page = useWindow()
  const past = usePast()
  const silentMs = useSilence()
  const [paused, setPaused] = useState(false)
  const [cursor] = useState(() => new Cursor())
  useEffect(() => cursor.rest(past === null ? null : Math.floor(past / 1000)), [cursor, past])
  const all = inOrder(useServers().data ?? []).map(({ id }) => id)
  const measured = worstClocksFirst(answer.servers).filter(({ offsetS }) => offsetS !== null)
  const shown = measured.slice(0, LINES_MAX).map(({ id }) => id)
  // Lines keep their places while the order of the table changes.
  const drawn = all.filter(id => shown.includes(id))
  const apart = answer.servers.filter(({ outlier }) => outlier)
  const outliers = apart.map(({ name }) => name)
  const matching = instances(all, [...drawn].sort())
  const feed = useFeed({
    queries: [clockOffset(matching)],
    queriesKey: `clocks|${matching}`,
    window: page.feed,
    widthPx: 1000,
    paused,
  })
  const spec = {
    title: 'Clock offset',
    note: 'host’s clock minus fleet time',
    unit: 'seconds' as const,
    // Those that stand apart are the subject, the others are what they stand apart from.
    series: drawn.map(id => ({
      key: `clock/${id}`,
      label: id,
      colour: seriesColour(id, all),
      context: apart.length > 0 && !apart.some(row => row.id === id),
    })),
    height: CHART_HEIGHT,
    floorMax: 0.01,
    axisFrom: 'values' as const,
    showTimes: true,
    nothing: drawn.length === 0 ? 'No agent measures a clock against fleet time yet.' : null,
  }
  return (
    <CursorContext value={cursor}>
      <section className="panel charts" aria-label="Offsets">
        <Toolbar page={page} paused={paused} setPaused={setPaused} title="Offset to fleet time">
          <TakeAlong
            sheet={() => ({
              title: 'Clock offsets',
              name: 'clocks',
              words: null,
              grid: feed.grid,
              charts: [{ key: 'clock', ...spec }],
              marks: [],
            })}
          />
        </Toolbar>
        {feed.problem !== null && silentMs === 0 ? (
          <p className="form-problem" role="alert">
            The chart is not fed: {feed.problem}
          </p>
        ) : null}
        <p className="quiet clock-apart">
          {outliers.length === 0
            ? 'No clock stands apart from the others.'
            : `Apart from the others: ${outliers.join(', ')}.`}
          {measured.length > LINES_MAX ? ` ${measured.length - LINES_MAX} more are not drawn.` : ''}
        </p>
        <TimeChart
          {...spec}
          grid={feed.grid}
          silentMs={silentMs}
          live={!paused && past === null && page.window.kind === 'live'}
          onZoom={page.zoom}
          onBack={page.back}
        />
      </section>
    </CursorContext>
  )
}
