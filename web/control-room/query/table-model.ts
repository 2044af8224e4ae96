// Owns how an instant answer becomes rows and columns: labels that differ stand in columns, those that are the same
// in every row are said once. Pure.
import type { Labels } from '../api/prometheus.ts'
import { selectorText } from './series-name.ts'

/** More columns than this do not fit beside a value; the labels then stand together in one. */
export const LABEL_COLUMNS_MAX = 6

export interface TableInput {
  readonly labels: Labels
  readonly value: number
}

export interface TableModel<Row extends TableInput> {
  /** The same in every row. */
  readonly shared: Labels
  /** Names of the labels with a column each; null: too many, one column has them all. */
  readonly columns: readonly string[] | null
  readonly rows: readonly Row[]
}

/** Which column, and which way round; `value`, `age`, `series`, or a label as `label:NAME`. */
export interface Sorting {
  readonly by: string
  readonly down: boolean
}

export function tableOf<Row extends TableInput>(rows: readonly Row[]): TableModel<Row> {
  const names = [...new Set(rows.flatMap(({ labels }) => Object.keys(labels)))]
  const differing = names.filter(name => rows.some(({ labels }) => labels[name] !== rows[0]?.labels[name]))
  const alone = rows.length === 1
  const columns = alone ? names : differing
  const shared = Object.fromEntries(
    names.filter(name => !columns.includes(name)).map(name => [name, rows[0]?.labels[name] ?? '']),
  )
  columns.sort((a, b) => rank(a) - rank(b) || a.localeCompare(b))
  return columns.length > LABEL_COLUMNS_MAX
    ? { shared: alone ? {} : shared, columns: null, rows }
    : { shared, columns, rows }
}

function rank(name: string): number {
  return name === '__name__' ? 0 : name === 'instance' ? 1 : 2
}

export function sorted<Row extends TableInput & { readonly ageS: number | null }>(
  rows: readonly Row[],
  { by, down }: Sorting,
): Row[] {
  const sign = down ? -1 : 1
  const label = by.startsWith('label:') ? by.slice('label:'.length) : null
  return [...rows].sort((a, b) => {
    if (by === 'value') return numbers(a.value, b.value, sign)
    if (by === 'age') return numbers(a.ageS ?? Number.NaN, b.ageS ?? Number.NaN, sign)
    const left = label === null ? selectorText(a.labels) : (a.labels[label] ?? '')
    const right = label === null ? selectorText(b.labels) : (b.labels[label] ?? '')
    return sign * left.localeCompare(right, 'en', { numeric: true })
  })
}

/** What is not a number stands at the end, whichever way round. */
function numbers(a: number, b: number, sign: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
  return a === b ? 0 : sign * (a < b ? -1 : 1)
}

/**
 * A metric with its matchers and nothing more: only of these can the store tell when each value was measured.
 * Anything else is computed at the moment that was asked for.
 */
export function isPlainSelector(expr: string): boolean {
  return /^\s*[A-Za-z_:][\w:]*\s*(?:\{[^{}]*\})?\s*$/.test(expr)
}
