// Owns what is compared: the metric, or PromQL, and the servers. All of it stands in the URL.
import { type ReactNode, useEffect, useRef } from 'react'
import type { ServerView } from '#wire'
import { seriesColour } from '../charts/palette.ts'
import { StateIcon } from '../parts/state.tsx'
import { ExpressionField, type FieldHandle } from '../query/expression-field.tsx'
import { COMPARE_METRICS, type CompareMetric, PROMQL } from './metrics.ts'
import '../query/query.css'
import './compare.css'

export interface CompareToolsProps {
  readonly servers: readonly ServerView[]
  readonly chosen: readonly string[]
  /** Null: PromQL. */
  readonly metric: CompareMetric | null
  readonly expr: string
  /** A place in the expression that is asked for. */
  readonly goTo: number | null
  readonly choose: (name: 'metric' | 'expr', value: string) => void
  readonly toggle: (id: string) => void
}

export function CompareTools(props: CompareToolsProps): ReactNode {
  const { servers, chosen, metric, choose, toggle } = props
  const ids = servers.map(({ id }) => id)
  return (
    <div className="compare-tools">
      <label className="compare-metric">
        Metric
        <select value={metric?.id ?? PROMQL} onChange={event => choose('metric', event.target.value)}>
          {COMPARE_METRICS.map(({ id, title, note }) => (
            <option key={id} value={id}>
              {title}: {note}
            </option>
          ))}
          <option value={PROMQL}>PromQL: one series a server</option>
        </select>
      </label>
      <div className="compare-servers" role="group" aria-label="Servers">
        {servers.map(({ id, state }) => (
          <button key={id} type="button" aria-pressed={chosen.includes(id)} onClick={() => toggle(id)}>
            <i style={{ background: `var(${seriesColour(id, ids)})` }} />
            {id}
            {state === 'healthy' ? null : (
              <>
                <StateIcon state={state} />
                <span className="visually-hidden">, {state}</span>
              </>
            )}
          </button>
        ))}
      </div>
      {metric === null ? <Expression {...props} /> : null}
    </div>
  )
}

function Expression({ expr, goTo, choose }: CompareToolsProps): ReactNode {
  const field = useRef<FieldHandle>(null)
  useEffect(() => {
    if (goTo !== null) field.current?.focus(goTo)
  }, [goTo])
  const run = (): void => {
    const text = field.current?.text().trim() ?? ''
    if (text !== '') choose('expr', text)
  }
  return (
    <form
      className="expression"
      onSubmit={event => {
        event.preventDefault()
        run()
      }}
    >
      <ExpressionField ref={field} initial={expr} onRun={run} onText={() => undefined} onStep={() => null} />
      <button type="submit" className="solid">
        Compare
      </button>
    </form>
  )
}
