// Owns the operators on vectors of one instant in columns: sums by group, comparisons with a number, and pairs.
// It refuses (null) what is rare or may fail: rows answer that, in aggregate.ts, binary.ts and match-vectors.ts, which
// say what is right. Plans are made of label sets once and kept as long as those are the same.
import type { Labels } from '#base'
import {
  keyOf,
  keyWithout,
  labelsKey,
  METRIC_NAME,
  onlyLabels,
  valueOf,
  withLabel,
  withoutLabels,
  withoutName,
} from '../labels.ts'
import type { AggregateExpr, BinaryExpr } from './ast.ts'
import { SET_OPERATORS } from './ast.ts'
import type { Frame } from './frame.ts'
import { InstantFrame, type InstantWriter, Planned } from './instant-frame.ts'
import { dropsName, pairOperator } from './operators.ts'

/** What is kept of one expression from round to round. */
export interface InstantState {
  readonly writer: InstantWriter
  readonly groups: Planned<GroupPlan>
  readonly names: Planned<readonly Labels[] | null>
  readonly pairs: Planned<PairPlan | null>
  readonly histograms: Planned<HistogramPlan>
}

/** Buckets of one histogram after the other, ascending by their upper bound. */
export interface HistogramPlan {
  readonly labels: readonly Labels[]
  /** Where the buckets of each histogram begin, and after the last one their number. */
  readonly starts: Int32Array
  readonly members: Int32Array
  readonly uppers: Float64Array
  readonly results: Float64Array
}

interface GroupPlan {
  readonly labels: readonly Labels[]
  /** Of each member. */
  readonly groupOf: Int32Array
  readonly counts: Float64Array
  readonly sums: Float64Array
  readonly lost: Float64Array
}

interface PairPlan {
  readonly labels: readonly Labels[]
  readonly many: Int32Array
  readonly one: Int32Array
}

const REDUCED: ReadonlySet<string> = new Set(['sum', 'avg', 'min', 'max', 'count', 'group'])

export function aggregateInstant(
  frame: InstantFrame,
  expr: AggregateExpr,
  state: InstantState,
): InstantFrame | null {
  const { operator } = expr
  if (!REDUCED.has(operator) || expr.parameter !== null) return null
  const { labels } = frame
  const plan = state.groups.of(labels, null, () => planGroups(labels, expr))
  const { sums } = plan
  if (operator === 'count') sums.set(plan.counts)
  else if (operator === 'group') sums.fill(1)
  else if (operator === 'min' || operator === 'max') extremes(frame, plan, operator === 'max')
  else if (!addUp(frame, plan, operator === 'avg')) return null
  return new InstantFrame(plan.labels, sums)
}

function planGroups(members: readonly Labels[], { labels, without }: AggregateExpr): GroupPlan {
  const dropped = new Set([...labels, METRIC_NAME])
  const places = new Map<string, number>()
  const groups: Labels[] = []
  const groupOf = Int32Array.from(members, own => {
    const key = without ? keyWithout(own, dropped) : keyOf(own, labels)
    let place = places.get(key)
    if (place === undefined) {
      places.set(key, (place = groups.length))
      groups.push(without ? withoutLabels(own, dropped) : onlyLabels(own, labels))
    }
    return place
  })
  const counts = new Float64Array(groups.length)
  for (const place of groupOf) counts[place] = (counts[place] ?? 0) + 1
  const [sums, lost] = [new Float64Array(groups.length), new Float64Array(groups.length)]
  return { labels: groups, groupOf, counts, sums, lost }
}

/** Neumaier's, as in reduce-columns.ts. False: a sum is infinite, and its mean is another matter. */
function addUp(
  { values }: InstantFrame,
  { groupOf, sums, lost, counts }: GroupPlan,
  isMean: boolean,
): boolean {
  sums.fill(0)
  lost.fill(0)
  for (let at = 0; at < groupOf.length; at += 1) {
    const group = groupOf[at] ?? 0
    const value = values[at] ?? 0
    const sum = sums[group] ?? 0
    const next = sum + value
    if (Math.abs(sum) >= Math.abs(value)) lost[group] = (lost[group] ?? 0) + (sum - next + value)
    else lost[group] = (lost[group] ?? 0) + (value - next + sum)
    sums[group] = next
  }
  for (let group = 0; group < sums.length; group += 1) {
    const sum = sums[group] ?? 0
    if (isMean && (sum === Infinity || sum === -Infinity)) return false
    const total = sum - sum === 0 ? sum + (lost[group] ?? 0) : sum
    sums[group] = isMean ? total / (counts[group] ?? 1) : total
  }
  return true
}

function extremes({ values }: InstantFrame, { groupOf, sums, lost }: GroupPlan, isMax: boolean): void {
  lost.fill(0) // whether the group has a value yet
  for (let at = 0; at < groupOf.length; at += 1) {
    const group = groupOf[at] ?? 0
    const value = values[at] ?? 0
    const known = sums[group] ?? 0
    if (lost[group] === 0 || (isMax ? value > known : value < known) || known !== known) sums[group] = value
    lost[group] = 1
  }
}

/** Null: rows have to do it. */
export function binaryInstant(
  expr: BinaryExpr,
  [left, right]: readonly [Frame, Frame],
  state: InstantState,
): InstantFrame | null {
  if (left instanceof InstantFrame && right instanceof InstantFrame) return pairs(expr, left, right, state)
  if (left instanceof InstantFrame && right.kind === 'scalar')
    return withNumber(expr, left, right.values[0] ?? 0, false, state)
  if (right instanceof InstantFrame && left.kind === 'scalar')
    return withNumber(expr, right, left.values[0] ?? 0, true, state)
  return null
}

function withNumber(
  expr: BinaryExpr,
  frame: InstantFrame,
  other: number,
  isLeft: boolean,
  { writer, names }: InstantState,
): InstantFrame | null {
  const { values } = frame
  const operate = pairOperator(expr)
  const labels = dropsName(expr) ? names.of(frame.labels, null, () => unnamed(frame.labels)) : frame.labels
  if (labels === null) return null
  writer.begin()
  for (let at = 0; at < labels.length; at += 1) {
    const value = values[at] ?? 0
    const result = isLeft ? operate(other, value, value) : operate(value, other, value)
    const own = labels[at]
    if (result !== null && own !== undefined) writer.add(own, result)
  }
  return writer.end()
}

/** Null: some would be the same. */
function unnamed(labels: readonly Labels[]): readonly Labels[] | null {
  const without = labels.map(withoutName)
  return areDistinct(without) ? without : null
}

function areDistinct(labels: readonly Labels[]): boolean {
  const keys = new Set<string>()
  for (const own of labels) keys.add(labelsKey(own))
  return keys.size === labels.length
}

function pairs(
  expr: BinaryExpr,
  left: InstantFrame,
  right: InstantFrame,
  { writer, pairs: planned }: InstantState,
): InstantFrame | null {
  if (SET_OPERATORS.has(expr.operator)) return null
  const plan = planned.of(left.labels, right.labels, () => planPairs(expr, left.labels, right.labels))
  if (plan === null) return null
  const swapped = expr.matching.cardinality === 'one-to-many'
  const [many, one] = swapped ? [right.values, left.values] : [left.values, right.values]
  const operate = pairOperator(expr)
  writer.begin()
  for (let at = 0; at < plan.labels.length; at += 1) {
    const a = many[plan.many[at] ?? 0] ?? 0
    const b = one[plan.one[at] ?? 0] ?? 0
    const result = swapped ? operate(b, a, b) : operate(a, b, a)
    const own = plan.labels[at]
    if (result !== null && own !== undefined) writer.add(own, result)
  }
  return writer.end()
}

/** Null: not all pairs are unique, which may be a fault, and depends on values. */
function planPairs(expr: BinaryExpr, left: readonly Labels[], right: readonly Labels[]): PairPlan | null {
  const { on, labels, cardinality } = expr.matching
  const [manySide, oneSide] = cardinality === 'one-to-many' ? [right, left] : [left, right]
  const ignored = new Set([...labels, METRIC_NAME])
  const sign = (own: Labels): string => (on ? keyOf(own, labels) : keyWithout(own, ignored))
  const ones = new Map<string, number>()
  for (const [at, own] of oneSide.entries()) ones.set(sign(own), at)
  if (ones.size !== oneSide.length) return null
  const used = new Set<string>()
  const plan = { labels: [] as Labels[], many: [] as number[], one: [] as number[] }
  for (const [at, own] of manySide.entries()) {
    const signature = sign(own)
    const place = ones.get(signature)
    const partner = place === undefined ? undefined : oneSide[place]
    if (place === undefined || partner === undefined) continue
    if (cardinality === 'one-to-one' && used.has(signature)) return null
    used.add(signature)
    plan.labels.push(joined(expr, own, partner))
    plan.many.push(at)
    plan.one.push(place)
  }
  if (!areDistinct(plan.labels)) return null
  return { labels: plan.labels, many: Int32Array.from(plan.many), one: Int32Array.from(plan.one) }
}

/** Under which labels a pair stands. */
export function joined(expr: BinaryExpr, many: Labels, one: Labels): Labels {
  const { on, labels, cardinality, include } = expr.matching
  let result = dropsName(expr) ? withoutName(many) : many
  if (cardinality === 'one-to-one') {
    result = on ? onlyLabels(result, labels) : withoutLabels(result, new Set(labels))
  }
  for (const name of include) result = withLabel(result, name, valueOf(one, name))
  return result
}
