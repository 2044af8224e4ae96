// Owns operators between two vectors: which rows meet, and under which labels the result stands.
// It refuses matches that are not unique on the side that must be. See
// https://prometheus.io/docs/prometheus/latest/querying/operators/#vector-matching
import type { Labels } from '#base'
import { keyOf, keyWithout, METRIC_NAME, rememberedKey } from '../labels.ts'
import type { BinaryExpr, Matching } from './ast.ts'
import { SET_OPERATORS } from './ast.ts'
import type { Context } from './evaluate.ts'
import { distinct, newRow, type Row } from './frame.ts'
import { joined } from './instant-operators.ts'
import type { QueryMeter } from './meter.ts'
import { pairOperator } from './operators.ts'
import { PlaceMemo } from './place-memo.ts'
import type { SharedFrames } from './shared-frames.ts'
import { forEach, type Steps } from './steps.ts'
import { executionFault } from './syntax-fault.ts'

export function* matchVectors(
  expr: BinaryExpr,
  [left, right]: readonly [readonly Row[], readonly Row[]],
  count: number,
  { meter, shared }: Pick<Context, 'meter' | 'shared'>,
): Steps<Row[]> {
  const sign = signer(expr.matching)
  const signatures = (side: string): Signatures => {
    const memo = shared?.memo<string>(expr, side) ?? null
    return memo === null
      ? { of: (_, labels) => sign(labels) }
      : { of: (at, labels) => memo.of(at, labels, sign) }
  }
  if (SET_OPERATORS.has(expr.operator)) {
    return yield* matchSets(expr.operator, [left, right], signatures, count, meter)
  }
  const swapped = expr.matching.cardinality === 'one-to-many'
  const [many, one] = swapped ? [right, left] : [left, right]
  if (many.length === 0 || one.length === 0) return []
  const ones = yield* groupBySignature(one, signatures('one'), meter)
  yield* checkOneSide(ones, many, swapped, [count, meter])
  const pairs = new PairJoiner(expr, swapped, count, shared)
  const own = signatures('many')
  for (const [at, row] of many.entries()) {
    const key = own.of(at, row.labels)
    for (const partner of ones.get(key) ?? []) {
      meter.samples(count)
      meter.work(count)
      pairs.join(row, partner, key)
      if (meter.isSliceOver) yield
    }
  }
  return yield* distinct(pairs.rows, meter)
}

/** What the row at a place is matched by. */
interface Signatures {
  readonly of: (at: number, labels: Labels) => string
}

function signer({ on, labels }: Matching): (labels: Labels) => string {
  if (on) return own => keyOf(own, labels)
  const ignored = new Set([...labels, METRIC_NAME])
  return own => keyWithout(own, ignored)
}

function* groupBySignature(
  rows: readonly Row[],
  signatures: Signatures,
  meter: QueryMeter,
): Steps<Map<string, Row[]>> {
  const groups = new Map<string, Row[]>()
  let at = 0
  yield* forEach(rows, meter, row => {
    const key = signatures.of(at++, row.labels)
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
  readonly #made: PlaceMemo<PlaceMemo<Labels>> | null

  constructor(expr: BinaryExpr, swapped: boolean, count: number, shared: SharedFrames | null) {
    this.#made = shared?.memo<PlaceMemo<Labels>>(expr, 'joined') ?? null
    this.#expr = expr
    this.#swapped = swapped
    this.#count = count
    this.#operate = pairOperator(expr)
  }

  join(many: Row, one: Row, signature: string): void {
    if (this.#count === 1 && !this.#meets(many, one)) return
    const out = newRow(this.#joined(many.labels, one.labels), this.#count)
    // One-to-one: a signature gives one result. With group_left or group_right: a result label set does.
    const key = this.#expr.matching.cardinality === 'one-to-one' ? signature : rememberedKey(out.labels)
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

  /** Whether the only step has a result: most of what an alert compares has none. */
  #meets(many: Row, one: Row): boolean {
    if (many.present[0] === 0 || one.present[0] === 0) return false
    const [manyValue, oneValue] = [many.values[0] ?? 0, one.values[0] ?? 0]
    return (
      (this.#swapped ? this.#operate(oneValue, manyValue, 0) : this.#operate(manyValue, oneValue, 0)) !== null
    )
  }

  #ambiguous(): Error {
    return executionFault(
      this.#expr.matching.cardinality === 'one-to-one'
        ? 'multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)'
        : 'multiple matches for labels: grouping labels must ensure unique matches',
    )
  }

  /** The same object as the last time, so that what is remembered of it is found again. */
  #joined(many: Labels, one: Labels): Labels {
    if (this.#made === null) return joined(this.#expr, many, one)
    const partners = this.#made.of(this.rows.length, many, () => new PlaceMemo<Labels>())
    return partners.of(0, one, () => joined(this.#expr, many, one))
  }
}

function* matchSets(
  operator: string,
  [left, right]: readonly [readonly Row[], readonly Row[]],
  signatures: (side: string) => Signatures,
  count: number,
  meter: QueryMeter,
): Steps<Row[]> {
  const other = yield* groupBySignature(operator === 'or' ? left : right, signatures('one'), meter)
  // Where a group has any value; made once a group, however many rows meet it.
  const unions = new Map<readonly Row[], Uint8Array>()
  const keepWhereOther = operator === 'and'
  const own = signatures('many')
  const filter = (row: Row, at: number): Row => {
    const group = other.get(own.of(at, row.labels))
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
  for (const [at, row] of (operator === 'or' ? right : left).entries()) {
    filtered.push(filter(row, at))
    meter.work(count)
    if (meter.isSliceOver) yield
  }
  return operator === 'or' ? yield* distinct([...left, ...filtered], meter) : filtered
}
