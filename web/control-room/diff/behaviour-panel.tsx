// Owns how both behaved in the last hour: each metric as two bars on one scale, farthest apart first.
import type { ReactNode } from 'react'
import type { BehaviourDifference, BehaviourFigures, DiffAnswer } from '#wire'
import { figureText } from '../units.ts'
import { apartText } from './diff-words.ts'

const TONES = { far: 'degraded', some: 'moving', near: 'resting', unknown: 'resting' } as const

export function BehaviourPanel({ answer }: { readonly answer: DiffAnswer }): ReactNode {
  const { a, b, behaviour } = answer
  const names = [a.name, b.name] as const
  return (
    <section className="panel behaviour" aria-label="Behaviour">
      <header>
        <h2>Last hour</h2>
        <span className="quiet">medians of minutes, farthest apart first</span>
      </header>
      {behaviour.metrics.length === 0 ? (
        <p className="quiet">Nothing was measured on either in the last hour.</p>
      ) : (
        <ul>
          {behaviour.metrics.map(metric => (
            <li key={metric.id}>
              <p className="behaviour-head">
                <b title={metric.note}>{metric.title}</b>
                <span data-tone={TONES[metric.apart]} data-apart={metric.apart}>
                  {apartText(metric, names)}
                </span>
              </p>
              <Bar name={names[0]} figures={metric.a} metric={metric} colour="--series-1" />
              <Bar name={names[1]} figures={metric.b} metric={metric} colour="--series-2" />
            </li>
          ))}
        </ul>
      )}
      <p className="quiet behaviour-key">
        The dark part of a bar ends at the median; the light part spans the middle half of the minutes.
      </p>
    </section>
  )
}

interface BarProps {
  readonly name: string
  readonly figures: BehaviourFigures | null
  readonly metric: BehaviourDifference
  readonly colour: string
}

function Bar({ name, figures, metric, colour }: BarProps): ReactNode {
  const { a, b, unit } = metric
  const top = Math.max(
    ...[a, b].flatMap(side => (side === null ? [] : [Math.abs(side.high), Math.abs(side.low)])),
    Number.MIN_VALUE,
  )
  const share = (value: number): string => `${Math.min(100, (Math.abs(value) / top) * 100)}%`
  return (
    <p className="behaviour-bar">
      <span className="behaviour-name">{name}</span>
      <span className="behaviour-track" style={{ color: `var(${colour})` }} aria-hidden="true">
        {figures === null ? null : (
          <>
            <i
              style={{ width: share(Math.max(Math.abs(figures.low), Math.abs(figures.high))), opacity: 0.35 }}
            />
            <i style={{ width: share(figures.median) }} />
          </>
        )}
      </span>
      <span className="behaviour-value" title={figures === null ? '' : `${figures.n} minutes`}>
        {figures === null ? 'not measured' : figureText(figures.median, unit)}
        {figures === null ? null : <small> {figures.n} min</small>}
      </span>
    </p>
  )
}
