// Owns aggregation over label sets, step by step. It refuses parameters that are no number of series.
import type { Labels } from '#base'
import { formatPlain } from '../format-number.ts'
import { keyOf, keyWithout, METRIC_NAME, onlyLabels, withLabel, withoutLabels } from '../labels.ts'
import { distinct, newRow, type Row } from './frame.ts'
import type { QueryMeter } from './meter.ts'
import type { PlaceMemo } from './place-memo.ts'
import { quantileOf } from './reduce.ts'
import { COLUMN_REDUCERS } from './reduce-columns.ts'
import { forEach, type Steps } from './steps.ts'
import { executionFault } from './syntax-fault.ts'

export interface Aggregation {
  readonly operator: string
  readonly labels: readonly string[]
  readonly without: boolean
  /** The scalar parameter at each step, for topk, bottomk, limitk and quantile. */
  readonly parameters: Float64Array | null
  /** The text parameter of count_values. */
  readonly text: string
  /** Of an expression that is evaluated each second: the group of the row at each place. */
  readonly groups: PlaceMemo<GroupKey> | null
}

export interface GroupKey {
  readonly key: string
  readonly labels: Labels
}

interface Group {
  readonly labels: Labels
  readonly members: Row[]
}

export function* aggregate(
  rows: readonly Row[],
  how: Aggregation,
  count: number,
  meter: QueryMeter,
): Steps<Row[]> {
  const results: Row[] = []
  for (const group of yield* groupRows(rows, how, meter)) {
    switch (how.operator) {
      case 'topk':
      case 'bottomk':
      case 'limitk':
        results.push(...(yield* selectExtremes(group, how, count, meter)))
        break
      case 'count_values':
        results.push(...(yield* countValues(group, how, count, meter)))
        break
      case 'quantile':
        results.push(yield* quantiles(group, how.parameters, count, meter))
        break
      default:
        results.push(yield* reduce(group, how.operator, count, meter))
    }
  }
  // Only a new label can make two groups one.
  return how.operator === 'count_values' ? yield* distinct(results, meter) : results
}

function* reduce({ labels, members }: Group, operator: string, count: number, meter: QueryMeter): Steps<Row> {
  const out = newRow(labels, count)
  meter.samples(count)
  const make = COLUMN_REDUCERS.get(operator)
  if (make === undefined) throw executionFault(`no aggregation ${operator}`)
  const reducer = make(out, members)
  for (const row of members) {
    reducer.add(row)
    meter.work(count)
    if (meter.isSliceOver) yield
  }
  reducer.finish()
  return out
}

function* quantiles(
  { labels, members }: Group,
  parameters: Float64Array | null,
  count: number,
  meter: QueryMeter,
): Steps<Row> {
  const out = newRow(labels, count)
  meter.samples(count)
  const scratch = new Float64Array(members.length)
  for (let step = 0; step < count; step += 1) {
    let length = 0
    for (const { values, present } of members) if (present[step] === 1) scratch[length++] = values[step] ?? 0
    meter.work(members.length * 4)
    if (meter.isSliceOver) yield
    if (length === 0) continue
    out.present[step] = 1
    out.values[step] = quantileOf(parameters?.[step] ?? Number.NaN, scratch, 0, length)
  }
  return out
}

function* groupRows(
  rows: readonly Row[],
  { operator, labels, without, text, groups: memo }: Aggregation,
  meter: QueryMeter,
): Steps<Group[]> {
  const groups = new Map<string, Group>()
  const made = new Map<string, GroupKey>()
  const dropped = new Set([...labels, METRIC_NAME])
  // count_values puts its own label in the place of one of that name before it groups.
  const replaced = operator === 'count_values' ? text : null
  if (replaced !== null) dropped.add(replaced)
  const kept = labels.filter(name => name !== replaced)
  const keyed = (own: Labels): GroupKey => {
    const key = without ? keyWithout(own, dropped) : keyOf(own, kept)
    let group = made.get(key)
    if (group === undefined) {
      group = { key, labels: without ? withoutLabels(own, dropped) : onlyLabels(own, kept) }
      made.set(key, group)
    }
    return group
  }
  let at = 0
  yield* forEach(rows, meter, row => {
    const { key, labels: own } = memo === null ? keyed(row.labels) : memo.of(at++, row.labels, keyed)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { labels: own, members: [row] })
    else group.members.push(row)
  })
  memo?.end(at)
  return [...groups.values()]
}

/**
 * topk and bottomk keep the series themselves; at one step they also order them. NaN comes last in both. limitk takes
 * the first series that have a value there, as they come.
 */
function* selectExtremes(
  { members }: Group,
  how: Aggregation,
  count: number,
  meter: QueryMeter,
): Steps<Row[]> {
  const chosen = new Map<Row, Row>()
  const direction = how.operator === 'topk' ? -1 : 1
  for (let step = 0; step < count; step += 1) {
    const k = seriesCount(how.parameters?.[step] ?? Number.NaN, how.operator)
    if (k < 1) continue
    const candidates = members.filter(row => row.present[step] === 1)
    meter.work(candidates.length * 4)
    if (meter.isSliceOver) yield
    if (how.operator !== 'limitk')
      candidates.sort((a, b) => direction * compare(a.values[step] ?? 0, b.values[step] ?? 0, direction))
    for (const row of candidates.slice(0, k)) {
      let out = chosen.get(row)
      if (out === undefined) {
        meter.samples(count)
        chosen.set(row, (out = newRow(row.labels, count)))
      }
      out.present[step] = 1
      out.values[step] = row.values[step] ?? 0
    }
  }
  return [...chosen.values()]
}

/** Ascending; NaN is put where `direction` makes it last. */
function compare(a: number, b: number, direction: number): number {
  if (Number.isNaN(a)) return Number.isNaN(b) ? 0 : direction
  if (Number.isNaN(b)) return -direction
  return a < b ? -1 : a > b ? 1 : 0
}

function seriesCount(parameter: number, operator: string): number {
  if (!(Math.abs(parameter) < 2 ** 63)) {
    throw executionFault(`${operator}: expected a number of series, got ${parameter}`)
  }
  return Math.trunc(parameter)
}

function* countValues(
  { labels, members }: Group,
  how: Aggregation,
  count: number,
  meter: QueryMeter,
): Steps<Row[]> {
  const name = how.text
  const isShown = !(how.without && how.labels.includes(name))
  const found = new Map<string, Row>()
  for (const { values, present } of members) {
    for (let step = 0; step < count; step += 1) {
      if (present[step] === 0) continue
      const text = isShown ? formatPlain(values[step] ?? 0) : ''
      let out = found.get(text)
      if (out === undefined) {
        meter.samples(count)
        found.set(text, (out = newRow(withLabel(labels, name, text), count)))
      }
      out.present[step] = 1
      out.values[step] = (out.values[step] ?? 0) + 1
    }
    meter.work(count)
    if (meter.isSliceOver) yield
  }
  return [...found.values()]
}
