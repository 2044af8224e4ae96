// Owns the binary operators on two numbers. It refuses operators that it does not know.
// Arithmetic is that of IEEE 754, as in Go.
import type { BinaryExpr } from './ast.ts'
import { unsupportedFault } from './syntax-fault.ts'

type Operator = (left: number, right: number) => number

/** C's pow, which Go follows: 1 to any power is 1, and -1 to an infinite one as well; ECMAScript gives NaN for both. */
function power(left: number, right: number): number {
  if (left === 1) return 1
  if (left === -1 && (right === Infinity || right === -Infinity)) return 1
  return left ** right
}

const ARITHMETIC: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ['+', (left, right) => left + right],
  ['-', (left, right) => left - right],
  ['*', (left, right) => left * right],
  ['/', (left, right) => left / right],
  ['%', (left, right) => left % right],
  ['^', power],
  ['atan2', Math.atan2],
])

const COMPARISON: ReadonlyMap<string, (left: number, right: number) => boolean> = new Map<
  string,
  (left: number, right: number) => boolean
>([
  ['==', (left, right) => left === right],
  ['!=', (left, right) => left !== right],
  ['<', (left, right) => left < right],
  ['<=', (left, right) => left <= right],
  ['>', (left, right) => left > right],
  ['>=', (left, right) => left >= right],
])

/** Gives the value of a pair, or null when a comparison drops it. `kept` is what a comparison keeps. */
export type PairOperator = (left: number, right: number, kept: number) => number | null

export function pairOperator({ operator, bool, position }: BinaryExpr): PairOperator {
  const arithmetic = ARITHMETIC.get(operator)
  if (arithmetic !== undefined) return arithmetic
  const compares = COMPARISON.get(operator)
  if (compares === undefined) throw unsupportedFault(`operator ${operator}`, position)
  if (bool) return (left, right) => (compares(left, right) ? 1 : 0)
  return (left, right, kept) => (compares(left, right) ? kept : null)
}

/** Arithmetic and bool comparisons make a new quantity, which has no name. */
export function dropsName({ operator, bool }: BinaryExpr): boolean {
  return bool || ARITHMETIC.has(operator)
}
