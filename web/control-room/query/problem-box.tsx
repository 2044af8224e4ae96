// Owns how a failed query is told: what kind of failure, in words, and the place in the expression.
import type { ReactNode } from 'react'
import { problemOf } from './ask.ts'

export interface ProblemBoxProps {
  readonly error: Error
  readonly expr: string
  readonly goTo: (at: number) => void
}

export function ProblemBox({ error, expr, goTo }: ProblemBoxProps): ReactNode {
  const { title, text, at } = problemOf(error)
  return (
    <div className="problem query-problem" role="alert">
      <h2>{title}</h2>
      {at === null ? (
        <p>{text}</p>
      ) : (
        <>
          <Excerpt expr={expr} at={at} />
          <p>
            At character {at + 1}: {text}.{' '}
            <button type="button" className="plain" onClick={() => goTo(at)}>
              Go there
            </button>
          </p>
        </>
      )}
    </div>
  )
}

const BEFORE_MAX = 48
const AFTER_MAX = 32

/** The line with the place, and a mark below it. */
function Excerpt({ expr, at }: { readonly expr: string; readonly at: number }): ReactNode {
  const start = Math.max(expr.lastIndexOf('\n', Math.max(0, at - 1)) + 1, at - BEFORE_MAX)
  const newline = expr.indexOf('\n', at)
  const end = Math.min(newline === -1 ? expr.length : newline, at + AFTER_MAX)
  return (
    <pre aria-hidden="true">
      {start > 0 ? '…' : ''}
      {expr.slice(start, at)}
      <mark>{expr.slice(at, Math.max(at + 1, Math.min(end, endOfWord(expr, at)))) || ' '}</mark>
      {expr.slice(Math.max(at + 1, Math.min(end, endOfWord(expr, at))), end)}
      {end < expr.length ? '…' : ''}
    </pre>
  )
}

function endOfWord(expr: string, at: number): number {
  return at + (/^[\w:]+/.exec(expr.slice(at))?.[0].length ?? 1)
}
