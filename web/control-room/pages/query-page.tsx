// Owns asking the metrics store by hand: one PromQL expression, as a table of now or a graph over time.
import { useQuery } from '@tanstack/react-query'
import { type FormEvent, type ReactNode, useState } from 'react'
import { useSearchParams } from 'wouter'
import { type Labels, queryInstant } from '../api/prometheus.ts'
import { useClient } from '../api/use-control-room.tsx'
import type { ChartSeries } from '../charts/chart-options.ts'
import { Cursor, CursorContext } from '../charts/cursor.tsx'
import { TimeChart } from '../charts/time-chart.tsx'
import { useFeed } from '../charts/use-feed.ts'
import { Empty, Loading } from '../parts/answers.tsx'
import { useSilence } from '../parts/shell.tsx'
import { Toolbar } from '../parts/toolbar.tsx'
import { figureText } from '../units.ts'
import { useWindow } from './use-window.ts'

const LINES_MAX = 12 // more cannot be told apart; the table has them all
const GRAPH_HEIGHT = 380
const TABLE_EVERY_MS = 2_000
const EXAMPLES = [
  { text: 'CPU of each server', expr: 'rate(vitrine_server_cpu_seconds_total[3s])' },
  { text: 'Viewers on each edge', expr: 'vitrine_fleet_watching' },
  { text: 'Requests a second', expr: 'sum by (instance) (rate(vitrine_edge_requests_total[10s]))' },
  { text: 'Probes that fail', expr: 'vitrine_probe_success == 0' },
] as const

type View = 'graph' | 'table'

export function QueryPage(): ReactNode {
  const [search, setSearch] = useSearchParams()
  const expr = search.get('expr') ?? ''
  const view: View = search.get('view') === 'table' ? 'table' : 'graph'
  const ask = (next: string): void =>
    setSearch(before => {
      const changed = new URLSearchParams(before)
      changed.set('expr', next)
      return changed
    })
  const show = (next: View): void =>
    setSearch(
      before => {
        const changed = new URLSearchParams(before)
        changed.set('view', next)
        return changed
      },
      { replace: true },
    )
  return (
    <div className="page">
      <header className="page-head">
        <h1>Query</h1>
        <div className="segments" role="group" aria-label="Show as">
          {(['graph', 'table'] as const).map(name => (
            <button key={name} type="button" aria-pressed={view === name} onClick={() => show(name)}>
              {name === 'graph' ? 'Graph' : 'Table'}
            </button>
          ))}
        </div>
      </header>
      <ExpressionForm key={expr} expr={expr} ask={ask} />
      {expr === '' ? (
        <Examples ask={ask} />
      ) : view === 'graph' ? (
        <Graph expr={expr} />
      ) : (
        <Table expr={expr} />
      )}
    </div>
  )
}

function ExpressionForm({
  expr,
  ask,
}: {
  readonly expr: string
  readonly ask: (expr: string) => void
}): ReactNode {
  const [text, setText] = useState(expr)
  const submit = (event?: FormEvent): void => {
    event?.preventDefault()
    if (text.trim() !== '') ask(text.trim())
  }
  return (
    <form className="expression" onSubmit={submit}>
      <label className="visually-hidden" htmlFor="expression">
        PromQL expression
      </label>
      <textarea
        id="expression"
        rows={2}
        spellCheck={false}
        autoCapitalize="none"
        placeholder="sum by (instance) (rate(vitrine_edge_sent_bytes_total[3s])) * 8"
        value={text}
        onChange={event => setText(event.target.value)}
        onKeyDown={event => {
          if (event.key !== 'Enter' || event.shiftKey) return
          event.preventDefault()
          submit()
        }}
      />
      <button type="submit" className="solid" disabled={text.trim() === ''}>
        Run
      </button>
    </form>
  )
}

function Examples({ ask }: { readonly ask: (expr: string) => void }): ReactNode {
  return (
    <Empty title="Ask the metrics store in PromQL">
      <ul className="examples">
        {EXAMPLES.map(({ text, expr }) => (
          <li key={expr}>
            <button type="button" className="plain" onClick={() => ask(expr)}>
              {text} <code>{expr}</code>
            </button>
          </li>
        ))}
      </ul>
    </Empty>
  )
}

function Graph({ expr }: { readonly expr: string }): ReactNode {
  const page = useWindow()
  const [paused, setPaused] = useState(false)
  const [cursor] = useState(() => new Cursor())
  const silentMs = useSilence()
  const feed = useFeed({
    queries: [{ expr: () => expr, key: nameOf }],
    queriesKey: expr,
    window: page.feed,
    widthPx: 1_000,
    paused,
  })
  const names = [...(feed.grid?.columns.keys() ?? [])].sort()
  const series: ChartSeries[] = names.slice(0, LINES_MAX).map((name, index) => ({
    key: name,
    label: shortest(name, names),
    colour: `--series-${(index % 6) + 1}`,
  }))
  return (
    <CursorContext value={cursor}>
      <section className="panel charts" aria-label="Graph">
        <Toolbar page={page} paused={paused} setPaused={setPaused} title="Graph" />
        {feed.problem === null ? null : (
          <p className="form-problem" role="alert">
            {feed.problem}
          </p>
        )}
        {feed.grid !== null && names.length === 0 && feed.problem === null ? (
          <Empty title="No series in this window">
            <p>The expression is understood, and nothing matches it.</p>
          </Empty>
        ) : (
          <TimeChart
            title=""
            note={names.length > LINES_MAX ? `the first ${LINES_MAX} of ${names.length} series` : ''}
            unit="plain"
            grid={feed.grid}
            series={series}
            height={GRAPH_HEIGHT}
            floorMax={0}
            showTimes
            named={false}
            silentMs={silentMs}
            live={!paused && page.window.kind === 'live'}
            onZoom={page.zoom}
            onBack={page.back}
          />
        )}
      </section>
    </CursorContext>
  )
}

function Table({ expr }: { readonly expr: string }): ReactNode {
  const client = useClient()
  const answer = useQuery({
    queryKey: ['instant', expr],
    queryFn: async () => {
      const nowMs = client.clock.at(performance.now())
      return queryInstant(client, expr, nowMs === null ? null : Math.floor(nowMs / 1000))
    },
    refetchInterval: TABLE_EVERY_MS,
  })
  if (answer.error !== null) {
    return (
      <p className="form-problem" role="alert">
        {answer.error.message}
      </p>
    )
  }
  if (answer.data === undefined) return <Loading what="the answer" />
  if (answer.data.length === 0) {
    return (
      <Empty title="No series now">
        <p>The expression is understood, and nothing matches it at this moment.</p>
      </Empty>
    )
  }
  return (
    <div className="panel table-panel">
      <table>
        <thead>
          <tr>
            <th scope="col">Series</th>
            <th scope="col" className="number">
              Value
            </th>
          </tr>
        </thead>
        <tbody>
          {answer.data.map(({ labels, value }) => (
            <tr key={nameOf(labels)}>
              <td>
                <code>{nameOf(labels)}</code>
              </td>
              <td className="number">
                <b>{figureText(value, 'plain')}</b>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** `name{label="value"}` */
function nameOf(labels: Labels): string {
  const { __name__: name = '', ...rest } = labels
  const pairs = Object.entries(rest).map(([label, value]) => `${label}="${value}"`)
  return pairs.length === 0 ? name || '{}' : `${name}{${pairs.join(', ')}}`
}

/** Legends show what differs: the instance alone where that is enough. */
function shortest(name: string, all: readonly string[]): string {
  const instance = /instance="([^"]+)"/.exec(name)?.[1]
  if (instance === undefined) return name
  const same = all.filter(other => other.includes(`instance="${instance}"`)).length
  return same === 1 ? instance : name
}
