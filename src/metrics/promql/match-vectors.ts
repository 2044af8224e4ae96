// Owns operators between two vectors: which rows meet, and under which labels the result stands.
// It refuses matches that are not unique on the side that must be. See
// https://prometheus.io/docs/prometheus/latest/querying/operators/#vector-matching
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
import type { BinaryExpr, Matching } from './ast.ts'
import { SET_OPERATORS } from './ast.ts'
import { distinct, newRow, type Row } from './frame.ts'
import type { QueryMeter } from './meter.ts'
import { dropsName, pairOperator } from './operators.ts'
import { forEach, type Steps } from './steps.ts'
import { executionFault } from './syntax-fault.ts'

export function* matchVectors(
  expr: BinaryExpr,
  [left, right]: readonly [readonly Row[], readonly Row[]],
  count: number,
  meter: QueryMeter,
): Steps<Row[]> {
  const signature = signer(expr.matching)
  if (SET_OPERATORS.has(expr.operator)) {
    return yield* matchSets(expr.operator, [left, right], signature, count, meter)
  }
  const swapped = expr.matching.cardinality === 'one-to-many'
  const [many, one] = swapped ? [right, left] : [left, right]
  if (many.length === 0 || one.length === 0) return []
  const ones = yield* groupBySignature(one, signature, meter)
  yield* checkOneSide(ones, many, swapped, [count, meter])
  const pairs = new PairJoiner(expr, swapped, count)
  for (const row of many) {
    const key = signature(row.labels)
    for (const partner of ones.get(key) ?? []) {
      meter.samples(count)
      meter.work(count)
      pairs.join(row, partner, key)
      if (meter.isSliceOver) yield
    }
  }
  return yield* distinct(pairs.rows, meter)
}

type Signature = (labels: Labels) => string

function signer({ on, labels }: Matching): Signature {
  if (on) return own => keyOf(own, labels)
  const ignored = new Set([...labels, METRIC_NAME])
  return own => keyWithout(own, ignored)
}

function* groupBySignature(
  rows: readonly Row[],
  signature: Signature,
  meter: QueryMeter,
): Steps<Map<string, Row[]>> {
  const groups = new Map<string, Row[]>()
  yield* forEach(rows, meter, row => {
    const key = signature(row.labels)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [row])
    else group.push(row)
  })
  return groups
}

/** On the one side a signature may have one series a step, wherever the other side has any. */
function* checkOneSide(
  ones: ReadonlyMap<string, readonly Row[]>,
  many: readonly Row[],
  swapped: boolean,
  [count, meter]: readonly [number, QueryMeter],
): Steps<void> {
  let occupied: Uint8Array | null = null
  for (const rows of ones.values()) {
    if (rows.length < 2) continue
    occupied ??= union(many, count)
    meter.work(rows.length * count)
    if (meter.isSliceOver) yield
    for (let step = 0; step < count; step += 1) {
      if (occupied[step] === 0) continue
      const here = rows.filter(row => row.present[step] === 1)
      if (here.length < 2) continue
      const [first, second] = here
      const side = swapped ? 'left' : 'right'
      throw executionFault(
        `found duplicate series for the match group on the ${side} hand-side of the operation: ${JSON.stringify(first?.labels)} and ${JSON.stringify(second?.labels)}; many-to-many matching not allowed: matching labels must be unique on one side`,
      )
    }
  }
}

function union(rows: readonly Row[], count: number): Uint8Array {
  const any = new Uint8Array(count)
  for (const { present } of rows)
    for (let step = 0; step < count; step += 1) if (present[step] === 1) any[step] = 1
  return any
}

/** Joins pairs of rows and remembers which signatures have been used at which steps. */
class PairJoiner {
  readonly rows: Row[] = []
  readonly #expr: BinaryExpr
  readonly #swapped: boolean
  readonly #count: number
  readonly #operate: ReturnType<typeof pairOperator>
  readonly #used = new Map<string, Uint8Array>()

  constructor(expr: BinaryExpr, swapped: boolean, count: number) {
    this.#expr = expr
    this.#swapped = swapped
    this.#count = count
    this.#operate = pairOperator(expr)
  }

  join(many: Row, one: Row, signature: string): void {
    const out = newRow(this.#labels(many.labels, one.labels), this.#count)
    // One-to-one: a signature gives one result. With group_left or group_right: a result label set does.
    const key = this.#expr.matching.cardinality === 'one-to-one' ? signature : labelsKey(out.labels)
    let used = this.#used.get(key)
    if (used === undefined) this.#used.set(key, (used = new Uint8Array(this.#count)))
    for (let step = 0; step < this.#count; step += 1) {
      if (many.present[step] === 0 || one.present[step] === 0) continue
      const manyValue = many.values[step] ?? 0
      const oneValue = one.values[step] ?? 0
      const value = this.#swapped
        ? this.#operate(oneValue, manyValue, oneValue)
        : this.#operate(manyValue, oneValue, manyValue)
      if (value === null) continue
      if (used[step] === 1) throw this.#ambiguous()
      used[step] = 1
      out.present[step] = 1
      out.values[step] = value
    }
    this.rows.push(out)
  }

  #ambiguous(): Error {
    return executionFault(
      this.#expr.matching.cardinality === 'one-to-one'
        ? 'multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)'
        : 'multiple matches for labels: grouping labels must ensure unique matches',
    )
  }

  #labels(many: Labels, one: Labels): Labels {
    const { on, labels, cardinality, include } = this.#expr.matching
    let result = dropsName(this.#expr) ? withoutName(many) : many
    if (cardinality === 'one-to-one') {
      result = on ? onlyLabels(result, labels) : withoutLabels(result, new Set(labels))
    }
    for (const name of include) result = withLabel(result, name, valueOf(one, name))
    return result
  }
}

function* matchSets(
  operator: string,
  [left, right]: readonly [readonly Row[], readonly Row[]],
  signature: Signature,
  count: number,
  meter: QueryMeter,
): Steps<Row[]> {
  const other = yield* groupBySignature(operator === 'or' ? left : right, signature, meter)
  // Where a group has any value; made once a group, however many rows meet it.
  const unions = new Map<readonly Row[], Uint8Array>()
  const keepWhereOther = operator === 'and'
  const filter = (row: Row): Row => {
    const group = other.get(signature(row.labels))
    if (group === undefined) return keepWhereOther ? newRow(row.labels, count) : row
    let any = unions.get(group)
    if (any === undefined) {
      meter.work(group.length * count)
      unions.set(group, (any = union(group, count)))
    }
    const present = new Uint8Array(count)
    const wanted = keepWhereOther ? 1 : 0
    for (let step = 0; step < count; step += 1) {
      if (any[step] === wanted) present[step] = row.present[step] ?? 0
    }
    return { ...row, present }
  }
  const filtered: Row[] = []
  for (const row of operator === 'or' ? right : left) {
    filtered.push(filter(row))
    meter.work(count)
    if (meter.isSliceOver) yield
  }
  return operator === 'or' ? yield* distinct([...left, ...filtered], meter) : filtered
}
