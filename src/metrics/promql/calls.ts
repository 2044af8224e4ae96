// Owns the calls whose arguments are evaluated before them: scalar, vector, sort, labels, histogram_quantile.
// It refuses names that it does not know.
import type { CallExpr } from './ast.ts'
import type { Context } from './evaluate.ts'
import { distinct, type Frame, type Row, vector } from './frame.ts'
import { type Bucket, histogramInstant, histogramQuantile } from './histogram.ts'
import { InstantFrame } from './instant-frame.ts'
import { labelJoin, labelReplace } from './label-functions.ts'
import type { QueryMeter } from './meter.ts'
import { PlaceMemo } from './place-memo.ts'
import { forEach, type Steps } from './steps.ts'
import { unsupportedFault } from './syntax-fault.ts'

export function* callWithVectors(
  expr: CallExpr,
  args: readonly Frame[],
  count: number,
  { meter, shared }: Pick<Context, 'meter' | 'shared'>,
): Steps<Frame> {
  switch (expr.name) {
    case 'pi':
      return { kind: 'scalar', values: new Float64Array(count).fill(Math.PI) }
    case 'vector':
      return vector([{ labels: {}, values: scalarOf(args[0]), present: new Uint8Array(count).fill(1) }])
    case 'scalar':
      return { kind: 'scalar', values: yield* onlyValue(rowsOf(args[0]), count, meter) }
    case 'sort':
      return vector(sorted(rowsOf(args[0]), 1))
    case 'sort_desc':
      return vector(sorted(rowsOf(args[0]), -1))
    case 'histogram_quantile': {
      if (shared !== null && args[1] instanceof InstantFrame)
        return histogramInstant(scalarOf(args[0])[0] ?? Number.NaN, args[1], shared.state(expr), meter)
      const buckets = shared?.memo<Bucket | null>(expr, 'buckets') ?? new PlaceMemo<Bucket | null>()
      return vector(yield* histogramQuantile(scalarOf(args[0]), [rowsOf(args[1]), buckets], count, meter))
    }
    case 'label_replace': {
      const [target = '', template = '', source = '', pattern = ''] = args.slice(1).map(textOf)
      return vector(
        yield* distinct(
          yield* labelReplace(rowsOf(args[0]), { target, template, source, pattern }, meter),
          meter,
        ),
      )
    }
    case 'label_join': {
      const [target = '', separator = '', ...sources] = args.slice(1).map(textOf)
      return vector(
        yield* distinct(yield* labelJoin(rowsOf(args[0]), [target, separator, sources], meter), meter),
      )
    }
    default:
      throw unsupportedFault(`function ${expr.name}`, expr.position)
  }
}

/** The value of the only series at each step, NaN where there is none or more than one. */
function* onlyValue(rows: readonly Row[], count: number, meter: QueryMeter): Steps<Float64Array> {
  const values = new Float64Array(count).fill(Number.NaN)
  const found = new Uint8Array(count)
  yield* forEach(rows, meter, row => {
    for (let step = 0; step < count; step += 1) {
      if (row.present[step] === 0 || found[step] === 2) continue
      found[step] = (found[step] ?? 0) + 1
      values[step] = found[step] === 1 ? (row.values[step] ?? Number.NaN) : Number.NaN
    }
  })
  return values
}

/** By the value at the first step: sorting has a meaning in instant queries alone. NaN comes last. */
function sorted(rows: readonly Row[], direction: number): Row[] {
  return [...rows].sort((a, b) => {
    const left = a.values[0] ?? 0
    const right = b.values[0] ?? 0
    if (Number.isNaN(left)) return Number.isNaN(right) ? 0 : 1
    if (Number.isNaN(right)) return -1
    return direction * (left < right ? -1 : left > right ? 1 : 0)
  })
}

function rowsOf(frame: Frame | undefined): readonly Row[] {
  return frame?.kind === 'vector' ? frame.rows : []
}

function scalarOf(frame: Frame | undefined): Float64Array {
  return frame?.kind === 'scalar' ? frame.values : new Float64Array(0)
}

function textOf(frame: Frame): string {
  return frame.kind === 'string' ? frame.text : ''
}
