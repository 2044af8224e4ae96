// Owns asking the metrics store by hand: one PromQL expression, as a graph over time, as a table of now, or explained.
// The URL holds the expression, the range and the tab, so that a question can be sent to somebody.
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { useSearchParams } from 'wouter'
import { useClient } from '../api/use-control-room.tsx'
import { EXAMPLES } from '../query/examples.ts'
import { ExplainPanel } from '../query/explain-panel.tsx'
import { ExpressionField, type FieldHandle } from '../query/expression-field.tsx'
import { forgotten, type History, loadHistory, remembered, saveHistory } from '../query/history.ts'
import { HistoryList } from '../query/history-list.tsx'
import { ResultGraph } from '../query/result-graph.tsx'
import { ResultTable } from '../query/result-table.tsx'
import { useWindow } from './use-window.ts'
import '../query/query.css'

const TABS = [
  { id: 'graph', name: 'Graph' },
  { id: 'table', name: 'Table' },
  { id: 'explain', name: 'Explain' },
] as const
type Tab = (typeof TABS)[number]['id']

export function QueryPage(): ReactNode {
  const [search, setSearch] = useSearchParams()
  const expr = search.get('expr') ?? ''
  const tab = TABS.find(({ id }) => id === search.get('tab'))?.id ?? 'graph'
  const field = useRef<FieldHandle>(null)
  const [text, setText] = useState(expr)
  const { history, add, forget, forgetAll, step } = useHistoryOfRuns()
  // A link or the way back brings another expression.
  useEffect(() => {
    if (field.current !== null && field.current.text() !== expr) field.current.setText(expr)
  }, [expr])
  const change = (name: string, value: string, replace: boolean): void =>
    setSearch(
      before => {
        const changed = new URLSearchParams(before)
        changed.set(name, value)
        return changed
      },
      { replace },
    )
  const ask = (asked: string): void => {
    const trimmed = asked.trim()
    if (trimmed === '') return
    add(trimmed)
    field.current?.setText(trimmed)
    if (trimmed !== expr) change('expr', trimmed, false)
  }
  const goTo = (at: number): void => field.current?.focus(at)
  return (
    <div className="page query-page">
      <header className="page-head">
        <h1>Query</h1>
        {expr === '' ? null : <Tabs tab={tab} choose={id => change('tab', id, true)} />}
      </header>
      <form
        className="expression"
        onSubmit={event => {
          event.preventDefault()
          ask(field.current?.text() ?? '')
        }}
      >
        <ExpressionField
          ref={field}
          initial={expr}
          onRun={() => ask(field.current?.text() ?? '')}
          onText={setText}
          onStep={step}
        />
        <button type="submit" className="solid" disabled={text.trim() === ''}>
          Run
        </button>
      </form>
      {expr === '' ? <Examples ask={ask} /> : <Answer key={expr} {...{ expr, tab, goTo }} />}
      <HistoryList history={history} run={ask} forget={forget} forgetAll={forgetAll} />
    </div>
  )
}

function Tabs({ tab, choose }: { readonly tab: Tab; readonly choose: (tab: Tab) => void }): ReactNode {
  return (
    <div className="segments" role="group" aria-label="Show as">
      {TABS.map(({ id, name }) => (
        <button key={id} type="button" aria-pressed={tab === id} onClick={() => choose(id)}>
          {name}
        </button>
      ))}
    </div>
  )
}

interface AnswerProps {
  readonly expr: string
  readonly tab: Tab
  readonly goTo: (at: number) => void
}

function Answer({ expr, tab, goTo }: AnswerProps): ReactNode {
  const page = useWindow()
  switch (tab) {
    case 'graph':
      return <ResultGraph {...{ expr, goTo, page }} />
    case 'table':
      return <ResultTable {...{ expr, goTo }} />
    case 'explain':
      return <ExplainPanel {...{ expr, goTo, page }} />
    default:
      return tab satisfies never
  }
}

function Examples({ ask }: { readonly ask: (expr: string) => void }): ReactNode {
  return (
    <section className="examples" aria-label="Questions to begin with">
      <h2>Questions to begin with</h2>
      <ul>
        {EXAMPLES.map(({ question, expr }) => (
          <li key={expr}>
            <button type="button" onClick={() => ask(expr)}>
              <b>{question}</b> <code>{expr}</code>
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}

interface HistoryOfRuns {
  readonly history: History
  readonly add: (expr: string) => void
  readonly forget: (expr: string) => void
  readonly forgetAll: () => void
  /** To an older or a newer run; null at the end. */
  readonly step: (older: boolean) => string | null
}

function useHistoryOfRuns(): HistoryOfRuns {
  const client = useClient()
  const [history, setHistory] = useState<History>(loadHistory)
  const place = useRef(-1)
  const change = (next: History): void => {
    place.current = -1
    setHistory(next)
    saveHistory(next)
  }
  return {
    history,
    add: expr => change(remembered(history, { expr, atMs: client.clock.at(performance.now()) })),
    forget: expr => change(forgotten(history, expr)),
    forgetAll: () => change([]),
    step: older => {
      const next = place.current + (older ? 1 : -1)
      const entry = history[next]
      if (entry === undefined) return null
      place.current = next
      return entry.expr
    },
  }
}
