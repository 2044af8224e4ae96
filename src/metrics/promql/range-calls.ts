// Owns what calls with a range vector share: which function fills a row, and rows that are taken for samples again.
// It refuses nothing; the evaluator decides what is called.
import { METRIC_NAME } from '../labels.ts'
import type { CallExpr, Expr } from './ast.ts'
import { EXTRAPOLATIONS, extrapolate } from './extrapolate.ts'
import { type Grid, instantRow, type Row } from './frame.ts'
import type { QueryMeter } from './meter.ts'
import { RANGE_FUNCTIONS, type RangeFunction } from './range-functions.ts'
import { slide, type Windows } from './slide.ts'
import type { LoadedSamples, SelectedSeries } from './source.ts'

/** Fills a row with one number a window. */
export type FillRow = (row: Row, samples: LoadedSamples, windows: Windows, meter: QueryMeter) => void

export function slider(apply: RangeFunction): FillRow {
  return (row, samples, windows, meter) => slide(row, samples, windows, apply, meter)
}

export const PRESENT: FillRow = slider(() => 1)

export function overWindows(name: string): FillRow | null {
  const extrapolation = EXTRAPOLATIONS.get(name)
  if (extrapolation !== undefined) {
    return (row, samples, windows, meter) => extrapolate(row, samples, windows, extrapolation, meter)
  }
  const apply = RANGE_FUNCTIONS.get(name)
  return apply === undefined ? null : slider(apply)
}

/** Keeps what one series gave at an instant, and clears the row for the next one. */
export function takeInstant(rows: Row[], labels: Row['labels'], scratch: Row): void {
  if (scratch.present[0] === 0) return
  rows.push(instantRow(labels, scratch.values[0] ?? 0))
  scratch.present[0] = 0
}

/** Series of one name are still different ones without it. */
export function isOfOneName({ args }: CallExpr): boolean {
  let range = args.find(one => isRange(one))
  while (range?.kind === 'paren') range = range.inner
  return (
    range?.kind === 'range' &&
    range.selector.matchers.some(
      ({ name, operator, value }) => name === METRIC_NAME && operator === '=' && value !== '',
    )
  )
}

export function isRange(expr: Expr): boolean {
  return expr.kind === 'paren' ? isRange(expr.inner) : expr.kind === 'range' || expr.kind === 'subquery'
}

export function toSamples({ labels, values, present }: Row, grid: Grid): SelectedSeries {
  let length = 0
  for (const here of present) length += here
  const times = new Float64Array(length)
  const kept = new Float64Array(length)
  let at = 0
  for (let step = 0; step < present.length; step += 1) {
    if (present[step] === 0) continue
    times[at] = grid.startMs + step * grid.stepMs
    kept[at] = values[step] ?? 0
    at += 1
  }
  return { labels, load: () => ({ times, values: kept }) }
}
