// Owns aggregation over label sets, step by step. It refuses parameters that are no number of series.
import type { Labels } from '#base'
import { formatPlain } from '../format-number.ts'
import { labelsKey, METRIC_NAME, onlyLabels, withLabel, withoutLabels } from '../labels.ts'
import { newRow, type Row } from './frame.ts'
import type { QueryMeter } from './meter.ts'
import {
  countOf,
  deviationOf,
  maxOf,
  meanOf,
  minOf,
  quantileOf,
  type Reducer,
  sumOf,
  varianceOf,
} from './reduce.ts'
import { executionFault } from './syntax-fault.ts'

export interface Aggregation {
  readonly operator: string
  readonly labels: readonly string[]
  readonly without: boolean
  /** The scalar parameter at each step, for topk, bottomk, limitk and quantile. */
  readonly parameters: Float64Array | null
  /** The text parameter of count_values. */
  readonly text: string
}

const REDUCERS: ReadonlyMap<string, Reducer> = new Map<string, Reducer>([
  ['sum', sumOf],
  ['avg', meanOf],
  ['min', minOf],
  ['max', maxOf],
  ['count', countOf],
  ['group', () => 1],
  ['stddev', deviationOf],
  ['stdvar', varianceOf],
])

interface Group {
  readonly labels: Labels
  readonly members: Row[]
}

export function aggregate(rows: readonly Row[], how: Aggregation, count: number, meter: QueryMeter): Row[] {
  const groups = groupRows(rows, how)
  if (how.operator === 'topk' || how.operator === 'bottomk' || how.operator === 'limitk') {
    return groups.flatMap(group => selectExtremes(group, how, count, meter))
  }
  if (how.operator === 'count_values') return groups.flatMap(group => countValues(group, how, count, meter))
  const reducer = REDUCERS.get(how.operator)
  const scratch = new Float64Array(rows.length)
  return groups.map(({ labels, members }) => {
    const out = newRow(labels, count)
    meter.samples(count)
    for (let step = 0; step < count; step += 1) {
      let length = 0
      for (const { values, present } of members) {
        if (present[step] === 1) scratch[length++] = values[step] ?? 0
      }
      meter.work(members.length)
      if (length === 0) continue
      out.present[step] = 1
      out.values[step] =
        reducer === undefined
          ? quantileOf(how.parameters?.[step] ?? Number.NaN, scratch, 0, length)
          : reducer(scratch, 0, length)
    }
    return out
  })
}

function groupRows(rows: readonly Row[], { operator, labels, without, text }: Aggregation): Group[] {
  const groups = new Map<string, Group>()
  const dropped = new Set([...labels, METRIC_NAME])
  // count_values puts its own label in the place of one of that name before it groups.
  const replaced = operator === 'count_values' ? text : null
  if (replaced !== null) dropped.add(replaced)
  const kept = labels.filter(name => name !== replaced)
  for (const row of rows) {
    const own = without ? withoutLabels(row.labels, dropped) : onlyLabels(row.labels, kept)
    const key = labelsKey(own)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { labels: own, members: [row] })
    else group.members.push(row)
  }
  return [...groups.values()]
}

/**
 * topk and bottomk keep the series themselves; at one step they also order them. NaN comes last in both. limitk takes
 * the first series that have a value there, as they come.
 */
function selectExtremes({ members }: Group, how: Aggregation, count: number, meter: QueryMeter): Row[] {
  const chosen = new Map<Row, Row>()
  const direction = how.operator === 'topk' ? -1 : 1
  for (let step = 0; step < count; step += 1) {
    const k = seriesCount(how.parameters?.[step] ?? Number.NaN, how.operator)
    if (k < 1) continue
    const candidates = members.filter(row => row.present[step] === 1)
    meter.work(candidates.length * 4)
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

function countValues({ labels, members }: Group, how: Aggregation, count: number, meter: QueryMeter): Row[] {
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
  }
  return [...found.values()]
}
