// Owns the back-test of one rule: how far back, how far it is, and what it would have told, on one axis of time.
import { type ReactNode, useMemo, useState } from 'react'
import type { BackTestResult, BackTestSet, RuleCheckAnswer } from '#wire'
import type { ChartSeries } from '../charts/chart-options.ts'
import { Cursor, CursorContext } from '../charts/cursor.tsx'
import { TimeChart } from '../charts/time-chart.tsx'
import { Moment } from '../parts/moment.tsx'
import { lineLook } from '../query/chosen-series.ts'
import { shortNames } from '../query/series-name.ts'
import { duration, setDuration } from '../time-format.ts'
import { BOUND, gridOf, marksOf, placeOf, summary, type View } from './back-test-words.ts'
import { useBackTest } from './use-rule-desk.ts'

const CHART_HEIGHT = 240
const LISTED_MAX = 20
const SPANS = [
  { name: '1 h', ms: 3_600_000 },
  { name: '1 d', ms: 86_400_000 },
  { name: '7 d', ms: 7 * 86_400_000 },
  { name: '15 d', ms: 15 * 86_400_000 },
] as const

export interface BackTestPanelProps {
  readonly name: string
  readonly text: string
  /** Empty while the text would not be taken. */
  readonly rules: RuleCheckAnswer['rules']
}

export function BackTestPanel({ name, text, rules }: BackTestPanelProps): ReactNode {
  const alerting = rules.filter(({ kind }) => kind === 'alert')
  const [asked, setAsked] = useState('')
  const [rangeMs, setRangeMs] = useState<number>(SPANS[1].ms)
  const { answer, error, start, cancel } = useBackTest()
  const rule = alerting.find(one => one.name === asked) ?? alerting[0]
  const running = answer?.state === 'running'
  return (
    <section className="panel back-test" aria-label="Back-test">
      <header>
        <h2>Back-test</h2>
        <span className="quiet">what it would have told, by what is stored</span>
      </header>
      <div className="back-test-tools">
        <label>
          <span className="visually-hidden">Rule</span>
          <select
            value={rule?.name ?? ''}
            disabled={rule === undefined || running}
            onChange={event => setAsked(event.target.value)}
          >
            {alerting.length === 0 ? <option value="">no alert yet</option> : null}
            {alerting.map(one => (
              <option key={`${one.line}`} value={one.name}>
                {one.name}
              </option>
            ))}
          </select>
        </label>
        <div className="segments" role="group" aria-label="How far back">
          {SPANS.map(span => (
            <button
              key={span.name}
              type="button"
              aria-pressed={rangeMs === span.ms}
              onClick={() => setRangeMs(span.ms)}
            >
              {span.name}
            </button>
          ))}
        </div>
        {running ? (
          <button type="button" className="plain" onClick={cancel}>
            Cancel
          </button>
        ) : (
          <button
            type="button"
            className="plain"
            disabled={rule === undefined}
            onClick={() => rule !== undefined && start({ name, text, line: rule.line, rangeMs })}
          >
            Back-test
          </button>
        )}
        {running ? (
          <progress value={answer.progress} max={1} aria-label="Back-test">
            {Math.round(answer.progress * 100)} %
          </progress>
        ) : null}
      </div>
      {rule === undefined ? <p className="quiet">There is no alerting rule in this text yet.</p> : null}
      {error === null ? null : (
        <p className="form-problem" role="alert">
          {error.message}
        </p>
      )}
      {answer?.state === 'failed' ? (
        <p className="form-problem" role="alert">
          It could not be evaluated: {answer.problem}
        </p>
      ) : null}
      {answer?.result == null ? null : <Result key={answer.id} result={answer.result} />}
    </section>
  )
}

function Result({ result }: { readonly result: BackTestResult }): ReactNode {
  const whole: View = { fromMs: result.from, toMs: result.to }
  const [view, setView] = useState(whole)
  const [cursor] = useState(() => new Cursor())
  const { watched, shown, sets } = result
  const grid = useMemo(() => gridOf(result, view), [result, view])
  const marks = useMemo(() => marksOf(shown), [shown])
  const names = shortNames(watched.series.map(({ labels }) => labels))
  const series: ChartSeries[] = [
    ...watched.series.map((_, place) => ({
      key: String(place),
      label: names[place] ?? String(place),
      ...lineLook(place),
    })),
    ...(watched.bound === null
      ? []
      : [{ key: BOUND, label: 'bound', colour: '--unreachable', context: true }]),
  ]
  return (
    <CursorContext value={cursor}>
      <p className="back-test-said" role="status">
        <strong>{summary(result)}</strong>
      </p>
      {result.notes.map(note => (
        <p key={note} className="back-test-note">
          {note}
        </p>
      ))}
      <code className="back-test-text">{watched.text}</code>
      <TimeChart
        title="What it looks at"
        note={watched.cut ? `the ${watched.series.length} that fired longest` : ''}
        unit="plain"
        series={series}
        height={CHART_HEIGHT}
        floorMax={0}
        axisFrom="values"
        showTimes
        named={false}
        nothing={watched.series.length === 0 ? 'Nothing is stored of this.' : null}
        grid={grid}
        marks={marks}
        silentMs={0}
        live={false}
        onZoom={(fromS, toS) =>
          setView({ fromMs: Math.max(whole.fromMs, fromS * 1000), toMs: Math.min(whole.toMs, toS * 1000) })
        }
        onBack={() => setView(whole)}
      />
      {view.fromMs === whole.fromMs && view.toMs === whole.toMs ? null : (
        <button type="button" className="plain back-test-whole" onClick={() => setView(whole)}>
          Show all of it
        </button>
      )}
      {shown.length === 0 ? null : <Lanes shown={shown} sets={sets} view={view} />}
      <Moments shown={shown} />
    </CursorContext>
  )
}

function Lanes({
  shown,
  sets,
  view,
}: {
  readonly shown: readonly BackTestSet[]
  readonly sets: number
  readonly view: View
}): ReactNode {
  const names = shortNames(shown.map(({ labels }) => labels))
  return (
    <>
      <p className="fire-key">
        <i data-state="pending" /> pending <i data-state="firing" /> firing
        {sets > shown.length ? (
          <span>
            , the {shown.length} label sets of {sets} that fired longest
          </span>
        ) : null}
      </p>
      <ol className="fire-lanes" aria-label="When it would have been pending and firing">
        {shown.map(({ labels, spans, alerts, firingMs }, place) => (
          <li key={JSON.stringify(labels)}>
            <p>
              <span>{names[place]}</span>
              <span className="quiet">
                {alerts === 0
                  ? 'pending alone'
                  : `fired ${alerts === 1 ? 'once' : `${alerts} times`}, ${duration(firingMs)}`}
              </span>
            </p>
            <div className="fire-lane">
              {spans.map(span => {
                const at = placeOf(span, view)
                return at === null ? null : (
                  <i
                    key={`${span.from}`}
                    data-state={span.state}
                    style={{ left: `${at.left}%`, width: `${at.width}%` }}
                  />
                )
              })}
            </div>
          </li>
        ))}
      </ol>
    </>
  )
}

function Moments({ shown }: { readonly shown: readonly BackTestSet[] }): ReactNode {
  const names = shortNames(shown.map(({ labels }) => labels))
  const moments = shown
    .flatMap(({ spans }, place) =>
      spans.filter(({ state }) => state === 'firing').map(span => ({ ...span, name: names[place] ?? '' })),
    )
    .toSorted((a, b) => b.from - a.from)
  if (moments.length === 0) return null
  return (
    <table className="table moments">
      <caption className="visually-hidden">Moments at which it would have fired, newest first</caption>
      <thead>
        <tr>
          <th scope="col">Would have fired</th>
          <th scope="col">For</th>
          <th scope="col">What</th>
        </tr>
      </thead>
      <tbody>
        {moments.slice(0, LISTED_MAX).map(({ from, to, name }) => (
          <tr key={`${from} ${name}`}>
            <td>
              <Moment at={from} />
            </td>
            <td>{to === null ? 'still' : setDuration(to - from)}</td>
            <td>{name}</td>
          </tr>
        ))}
        {moments.length > LISTED_MAX ? (
          <tr>
            <td colSpan={3} className="quiet">
              and {moments.length - LISTED_MAX} before
            </td>
          </tr>
        ) : null}
      </tbody>
    </table>
  )
}
