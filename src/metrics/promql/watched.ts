// Owns what a condition looks at: of `a / b > 0.9` the left side and the bound, so that a chart can show how close it
// came also where it did not hold. What is no comparison is its own value.
import type { BinaryExpr, Expr } from './ast.ts'
import { exprText } from './format-query.ts'
import { parseQuery } from './parse.ts'

export interface Watched {
  /** PromQL. */
  readonly text: string
  /** Null: it is compared with something that moves, or with nothing. */
  readonly bound: number | null
}

const COMPARISONS: ReadonlySet<string> = new Set(['==', '!=', '>', '<', '>=', '<='])

/** Throws metrics-promql-syntax or -unsupported, as a query does. */
export function watchedBy(text: string): Watched {
  const expr = parseQuery(text)
  const found = comparisonIn(expr)
  if (found === null) return { text: exprText(expr), bound: null }
  const { left, right } = found
  // A number on the left is compared with what is looked at on the right.
  const leftBound = boundOf(left)
  return leftBound === null
    ? { text: exprText(left), bound: boundOf(right) }
    : { text: exprText(right), bound: leftBound }
}

/** The first one: the left side of `and`, `or` and `unless` says what it is about. */
function comparisonIn(expr: Expr): BinaryExpr | null {
  if (expr.kind === 'paren') return comparisonIn(expr.inner)
  if (expr.kind !== 'binary') return null
  if (COMPARISONS.has(expr.operator) && !expr.bool) return expr
  return ['and', 'or', 'unless'].includes(expr.operator) ? comparisonIn(expr.left) : null
}

function boundOf(expr: Expr): number | null {
  if (expr.kind === 'paren') return boundOf(expr.inner)
  if (expr.kind === 'negate') {
    const inner = boundOf(expr.inner)
    return inner === null ? null : -inner
  }
  return expr.kind === 'number' ? expr.value : null
}
