// Owns the syntax tree of a query: plain readonly objects with their place in the text.
// It refuses nothing; parse.ts builds only trees that make sense.
import type { Matcher } from '../matchers.ts'

export type ValueType = 'scalar' | 'vector' | 'matrix' | 'string'

/** `@`: a fixed instant, or one end of the query's range. */
export type AtModifier = number | 'start' | 'end'

interface Placed {
  /** Offset of the first character in the query. */
  readonly position: number
}

interface Shifted {
  readonly offsetMs: number
  readonly at: AtModifier | null
}

export interface NumberExpr extends Placed {
  readonly kind: 'number'
  readonly value: number
}
export interface StringExpr extends Placed {
  readonly kind: 'string'
  readonly text: string
}
export interface SelectorExpr extends Placed, Shifted {
  readonly kind: 'selector'
  readonly matchers: readonly Matcher[]
}
export interface RangeExpr extends Placed {
  readonly kind: 'range'
  readonly selector: SelectorExpr
  readonly rangeMs: number
}
export interface SubqueryExpr extends Placed, Shifted {
  readonly kind: 'subquery'
  readonly inner: Expr
  readonly rangeMs: number
  readonly stepMs: number | null
}
export interface CallExpr extends Placed {
  readonly kind: 'call'
  readonly name: string
  readonly args: readonly Expr[]
}
export interface AggregateExpr extends Placed {
  readonly kind: 'aggregate'
  readonly operator: string
  readonly parameter: Expr | null
  readonly inner: Expr
  /** Sorted. */
  readonly labels: readonly string[]
  readonly without: boolean
}
export interface NegateExpr extends Placed {
  readonly kind: 'negate'
  readonly inner: Expr
}
export interface ParenExpr extends Placed {
  readonly kind: 'paren'
  readonly inner: Expr
}

export type Cardinality = 'one-to-one' | 'many-to-one' | 'one-to-many'

export interface Matching {
  /** True for `on`, false for `ignoring` and for no clause at all. */
  readonly on: boolean
  /** Sorted. */
  readonly labels: readonly string[]
  readonly cardinality: Cardinality
  /** Labels that group_left or group_right takes over from the one side. */
  readonly include: readonly string[]
}

export interface BinaryExpr extends Placed {
  readonly kind: 'binary'
  readonly operator: string
  readonly left: Expr
  readonly right: Expr
  readonly bool: boolean
  readonly matching: Matching
}

export type Expr =
  | NumberExpr
  | StringExpr
  | SelectorExpr
  | RangeExpr
  | SubqueryExpr
  | CallExpr
  | AggregateExpr
  | NegateExpr
  | ParenExpr
  | BinaryExpr

export const COMPARISONS: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>='])
export const SET_OPERATORS: ReadonlySet<string> = new Set(['and', 'or', 'unless'])
/** Aggregations with a parameter, and its type. */
export const PARAMETERS: Readonly<Record<string, ValueType>> = {
  topk: 'scalar',
  bottomk: 'scalar',
  limitk: 'scalar',
  quantile: 'scalar',
  count_values: 'string',
}
