// Owns binary operators between scalars and vectors in all pairings but two vectors, which match-vectors.ts joins.
// It refuses operators that operators.ts does not know.
import { withoutName } from '../labels.ts'
import type { BinaryExpr } from './ast.ts'
import type { Context } from './evaluate.ts'
import { distinct, type Frame, instantRow, newRow, type Row, vector } from './frame.ts'
import { matchVectors } from './match-vectors.ts'
import type { QueryMeter } from './meter.ts'
import { dropsName, pairOperator } from './operators.ts'
import type { Steps } from './steps.ts'
import { unsupportedFault } from './syntax-fault.ts'

export function* binary(
  expr: BinaryExpr,
  [left, right]: readonly [Frame, Frame],
  count: number,
  { meter, shared }: Pick<Context, 'meter' | 'shared'>,
): Steps<Frame> {
  if (left.kind === 'vector' && right.kind === 'vector') {
    return vector(yield* matchVectors(expr, [left.rows, right.rows], count, { meter, shared }))
  }
  const operate = pairOperator(expr)
  if (left.kind === 'scalar' && right.kind === 'scalar') {
    // A scalar comparison always has bool, so that there is a number for each step.
    return {
      kind: 'scalar',
      values: left.values.map((value, at) => operate(value, right.values[at] ?? 0, value) ?? 0),
    }
  }
  if (left.kind === 'vector' && right.kind === 'scalar') {
    const other = right.values
    return yield* withScalar(expr, left.rows, meter, (value, step) => operate(value, other[step] ?? 0, value))
  }
  if (left.kind === 'scalar' && right.kind === 'vector') {
    const other = left.values
    return yield* withScalar(expr, right.rows, meter, (value, step) =>
      operate(other[step] ?? 0, value, value),
    )
  }
  throw unsupportedFault('an operator on strings', expr.position)
}

function* withScalar(
  expr: BinaryExpr,
  rows: readonly Row[],
  meter: QueryMeter,
  operate: (value: number, step: number) => number | null,
): Steps<Frame> {
  const unnamed = dropsName(expr)
  const out: Row[] = []
  for (const { labels, values, present } of rows) {
    if (present.length === 1) {
      meter.work(1)
      const value = present[0] === 1 ? operate(values[0] ?? 0, 0) : null
      if (value !== null) out.push(instantRow(unnamed ? withoutName(labels) : labels, value))
      if (meter.isSliceOver) yield
      continue
    }
    const row = newRow(unnamed ? withoutName(labels) : labels, present.length)
    meter.samples(present.length)
    for (let step = 0; step < present.length; step += 1) {
      if (present[step] === 0) continue
      const value = operate(values[step] ?? 0, step)
      if (value === null) continue
      row.present[step] = 1
      row.values[step] = value
    }
    meter.work(present.length)
    out.push(row)
    if (meter.isSliceOver) yield
  }
  return vector(unnamed ? yield* distinct(out, meter) : out)
}
