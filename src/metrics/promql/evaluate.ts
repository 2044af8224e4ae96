// Owns the evaluation of a syntax tree over a grid of instants, all steps of a row at once.
// It refuses to go past what the meter allows. Semantics are those of Prometheus 3: windows are open on the left.
import { METRIC_NAME, withoutName } from '../labels.ts'
import { isStale } from '../stale.ts'
import { aggregate } from './aggregate.ts'
import type {
  AggregateExpr,
  AtModifier,
  CallExpr,
  Expr,
  RangeExpr,
  SelectorExpr,
  SubqueryExpr,
} from './ast.ts'
import { binary } from './binary.ts'
import { callWithVectors } from './calls.ts'
import { distinct, distinctAtAllSteps, type Frame, type Grid, newRow, type Row, vector } from './frame.ts'
import { INSTANT_FUNCTIONS } from './instant-functions.ts'
import { absentLabels } from './label-functions.ts'
import type { QueryMeter } from './meter.ts'
import { newWindow, RANGE_FUNCTIONS, type RangeFunction, type Window } from './range-functions.ts'
import { smoothing } from './smoothing.ts'
import type { LoadedSamples, SampleSource, SelectedSeries } from './source.ts'
import { unsupportedFault } from './syntax-fault.ts'

const LOOKBACK_MS = 5 * 60_000 // Prometheus' query.lookback-delta
const SUBQUERY_STEP_MS = 60_000 // Prometheus' default evaluation interval, which a subquery without a step uses
const SUBQUERY_STEPS_MAX = 1_000_000 // 12 days at one second; each step costs 9 bytes a series

export interface Context {
  readonly source: SampleSource
  readonly meter: QueryMeter
  /** Ends of the whole query, for `@ start()` and `@ end()`. */
  readonly startMs: number
  readonly endMs: number
}

/** Samples of one series, and the instants at which windows on them end. */
interface Ranged {
  readonly series: readonly SelectedSeries[]
  readonly rangeMs: number
  readonly endsMs: Float64Array
}

/** An evaluation that can be interrupted: it yields where the caller may do something else for a while. */
export type Steps<Result> = Generator<undefined, Result, undefined>

export class Evaluator {
  readonly #context: Context
  readonly #grid: Grid

  constructor(context: Context, grid: Grid) {
    this.#context = context
    this.#grid = grid
  }

  *evaluate(expr: Expr): Steps<Frame> {
    const { count } = this.#grid
    switch (expr.kind) {
      case 'number':
        return { kind: 'scalar', values: new Float64Array(count).fill(expr.value) }
      case 'string':
        return { kind: 'string', text: expr.text }
      case 'paren':
        return yield* this.evaluate(expr.inner)
      case 'negate':
        return this.#negate(yield* this.evaluate(expr.inner))
      case 'selector':
        return vector(yield* this.#instants(expr, false))
      case 'call':
        return yield* this.#call(expr)
      case 'aggregate':
        return yield* this.#aggregate(expr)
      case 'binary':
        return binary(
          expr,
          yield* this.evaluate(expr.left),
          yield* this.evaluate(expr.right),
          count,
          this.#context.meter,
        )
      case 'range':
      case 'subquery':
        throw unsupportedFault('a range vector here', expr.position)
      default:
        throw unsupportedFault('this expression', 0)
    }
  }

  /** The samples of a range selector at the only instant of the grid, as an instant query shows them. */
  *samples(expr: RangeExpr | SubqueryExpr): Steps<readonly (LoadedSamples & Pick<Row, 'labels'>)[]> {
    const { series, rangeMs, endsMs } = yield* this.#ranged(expr)
    const endMs = endsMs[0] ?? 0
    return series
      .map(one => ({ labels: one.labels, ...slice(withoutStale(one.load()), endMs - rangeMs, endMs) }))
      .filter(one => one.times.length > 0)
  }

  #stepMs(step: number): number {
    return this.#grid.startMs + step * this.#grid.stepMs
  }

  /** Where a selector looks at each step, after `@` and `offset`. Never falls from step to step. */
  #references(at: AtModifier | null, offsetMs: number): Float64Array {
    const { startMs, endMs } = this.#context
    const fixedMs = at === 'start' ? startMs : at === 'end' ? endMs : at
    return Float64Array.from(
      { length: this.#grid.count },
      (_, step) => (fixedMs ?? this.#stepMs(step)) - offsetMs,
    )
  }

  #select({ matchers }: SelectorExpr, references: Float64Array, reachMs: number): SelectedSeries[] {
    const fromMs = (references[0] ?? 0) - reachMs + 1
    return this.#context.source.select(matchers, fromMs, references.at(-1) ?? 0, this.#context.meter)
  }

  #newRow(labels: Row['labels']): Row {
    this.#context.meter.samples(this.#grid.count)
    return newRow(labels, this.#grid.count)
  }

  /** An instant selector: at each step the newest sample within the lookback, unless it is a stale marker. */
  *#instants(expr: SelectorExpr, asTimestamps: boolean): Steps<Row[]> {
    const references = this.#references(expr.at, expr.offsetMs)
    const rows: Row[] = []
    for (const one of this.#select(expr, references, LOOKBACK_MS)) {
      const { times, values } = one.load()
      if (times.length > 0) {
        const row = this.#newRow(one.labels)
        fillInstants(row, references, times, values, asTimestamps)
        rows.push(row)
      }
      this.#context.meter.work(references.length + times.length)
      if (this.#context.meter.isSliceOver) yield
    }
    return rows
  }

  *#ranged(expr: Expr): Steps<Ranged> {
    if (expr.kind === 'paren') return yield* this.#ranged(expr.inner)
    if (expr.kind === 'subquery') return yield* this.#subquery(expr)
    if (expr.kind !== 'range') throw unsupportedFault('this expression as a range vector', expr.position)
    const endsMs = this.#references(expr.selector.at, expr.selector.offsetMs)
    return { series: this.#select(expr.selector, endsMs, expr.rangeMs), rangeMs: expr.rangeMs, endsMs }
  }

  /** Evaluates the inner expression at multiples of its own step, as Prometheus does, and takes that for samples. */
  *#subquery(expr: SubqueryExpr): Steps<Ranged> {
    const endsMs = this.#references(expr.at, expr.offsetMs)
    const stepMs = expr.stepMs ?? SUBQUERY_STEP_MS
    const afterMs = (endsMs[0] ?? 0) - expr.rangeMs
    const startMs = Math.floor(afterMs / stepMs) * stepMs + stepMs
    const count = Math.floor(((endsMs.at(-1) ?? 0) - startMs) / stepMs) + 1
    if (count > SUBQUERY_STEPS_MAX) throw unsupportedFault(`a subquery of ${count} steps`, expr.position)
    if (count < 1) return { series: [], rangeMs: expr.rangeMs, endsMs }
    const grid = { startMs, stepMs, count }
    const frame = yield* new Evaluator(this.#context, grid).evaluate(expr.inner)
    const rows = frame.kind === 'vector' ? frame.rows : []
    return { series: rows.map(row => toSamples(row, grid)), rangeMs: expr.rangeMs, endsMs }
  }

  /** Slides a window over each series. */
  *#overRange(expr: CallExpr, apply: RangeFunction): Steps<Row[]> {
    const argument = expr.args.find(one => isRange(one))
    if (argument === undefined) throw unsupportedFault('a call without a range vector', expr.position)
    const scalars = expr.args.find(one => !isRange(one))
    const parameters = scalars === undefined ? null : yield* this.#scalar(scalars)
    const ranged = yield* this.#ranged(argument)
    const keepsName = expr.name === 'last_over_time'
    const rows: Row[] = []
    for (const one of ranged.series) {
      const samples = withoutStale(one.load())
      if (samples.times.length > 0) {
        const row = this.#newRow(keepsName ? one.labels : withoutName(one.labels))
        this.#slide(row, samples, ranged, apply, parameters)
        rows.push(row)
      }
      if (this.#context.meter.isSliceOver) yield
    }
    return rows
  }

  #slide(
    row: Row,
    { times, values }: LoadedSamples,
    { rangeMs, endsMs }: Ranged,
    apply: RangeFunction,
    parameters: Float64Array | null,
  ): void {
    const { meter } = this.#context
    const window: Window = newWindow(times, values)
    for (let step = 0; step < endsMs.length; step += 1) {
      const endMs = endsMs[step] ?? 0
      while (window.to < times.length && (times[window.to] ?? 0) <= endMs) window.to += 1
      while (window.from < window.to && (times[window.from] ?? 0) <= endMs - rangeMs) window.from += 1
      meter.work(window.to - window.from + 1)
      if (window.from === window.to) continue
      window.startMs = endMs - rangeMs
      window.endMs = endMs
      window.stepMs = this.#stepMs(step)
      window.parameter = parameters === null ? Number.NaN : (parameters[step] ?? Number.NaN)
      const value = apply(window)
      if (value === null) continue
      row.present[step] = 1
      row.values[step] = value
    }
  }

  *#call(expr: CallExpr): Steps<Frame> {
    const { name, args } = expr
    const ranged = RANGE_FUNCTIONS.get(name)
    if (ranged !== undefined) return vector(distinctAtAllSteps(yield* this.#overRange(expr, ranged)))
    const [first, , third] = args
    if (name === 'double_exponential_smoothing' && third !== undefined) {
      const apply = smoothing(yield* this.#scalar(third), this.#grid)
      return vector(distinctAtAllSteps(yield* this.#overRange(expr, apply)))
    }
    if (name === 'absent_over_time') {
      return vector([this.#absent(first, yield* this.#overRange(expr, () => 1))])
    }
    if (name === 'absent' && first !== undefined) {
      return vector([this.#absent(first, yield* this.#vector(first))])
    }
    if (name === 'timestamp' && first !== undefined) return vector(distinct(yield* this.#timestamps(first)))
    if (name === 'time') {
      return { kind: 'scalar', values: this.#timesS() }
    }
    if (INSTANT_FUNCTIONS.has(name)) return vector(distinct(yield* this.#pointwise(expr)))
    const frames: Frame[] = []
    for (const argument of args) frames.push(yield* this.evaluate(argument))
    return callWithVectors(expr, frames, this.#grid.count)
  }

  #timesS(): Float64Array {
    return Float64Array.from({ length: this.#grid.count }, (_, step) => this.#stepMs(step) / 1000)
  }

  /** Functions of one number, with up to two scalars; calendar functions without an argument take the time. */
  *#pointwise(expr: CallExpr): Steps<Row[]> {
    const apply = INSTANT_FUNCTIONS.get(expr.name) ?? Math.abs
    const [first, a, b] = expr.args
    const ones = new Float64Array(this.#grid.count).fill(1)
    const as = a === undefined ? ones : yield* this.#scalar(a)
    const bs = b === undefined ? ones : yield* this.#scalar(b)
    const rows =
      first === undefined
        ? [{ labels: {}, values: this.#timesS(), present: new Uint8Array(this.#grid.count).fill(1) }]
        : yield* this.#vector(first)
    return rows.map(({ labels, values, present }) => {
      const row = this.#newRow(withoutName(labels))
      for (let step = 0; step < present.length; step += 1) {
        if (present[step] === 0) continue
        const low = as[step] ?? 1
        const high = bs[step] ?? 1
        // clamp with crossed bounds is empty, as in Prometheus.
        if (expr.name === 'clamp' && high < low) continue
        row.present[step] = 1
        row.values[step] = apply(values[step] ?? 0, low, high)
      }
      this.#context.meter.work(present.length)
      return row
    })
  }

  #absent(argument: Expr | undefined, rows: readonly Row[]): Row {
    const row = this.#newRow(argument === undefined ? {} : absentLabels(argument))
    row.present.fill(1)
    row.values.fill(1)
    for (const { present } of rows) {
      for (let step = 0; step < present.length; step += 1) if (present[step] === 1) row.present[step] = 0
    }
    return row
  }

  /** Of a plain selector the samples' own times; of anything computed the instant of evaluation. */
  *#timestamps(argument: Expr): Steps<Row[]> {
    let inner = argument
    while (inner.kind === 'paren') inner = inner.inner
    const rows =
      inner.kind === 'selector'
        ? yield* this.#instants(inner, true)
        : (yield* this.#vector(argument)).map(row => ({ ...row, values: this.#timesS() }))
    return rows.map(row => ({ ...row, labels: withoutName(row.labels) }))
  }

  *#aggregate(expr: AggregateExpr): Steps<Frame> {
    const { operator, labels, without, parameter } = expr
    const frame = parameter === null ? null : yield* this.evaluate(parameter)
    const how = {
      operator,
      labels,
      without,
      parameters: frame?.kind === 'scalar' ? frame.values : null,
      text: frame?.kind === 'string' ? frame.text : '',
    }
    if (operator === 'count_values' && how.text === METRIC_NAME)
      throw unsupportedFault('this label', expr.position)
    const rows = aggregate(yield* this.#vector(expr.inner), how, this.#grid.count, this.#context.meter)
    return vector(distinct(rows))
  }

  #negate(frame: Frame): Frame {
    if (frame.kind === 'scalar') return { kind: 'scalar', values: frame.values.map(value => -value) }
    if (frame.kind === 'string') return frame
    const rows = frame.rows.map(row => ({
      labels: withoutName(row.labels),
      values: row.values.map(value => -value),
      present: row.present,
    }))
    return vector(distinctAtAllSteps(rows))
  }

  *#vector(expr: Expr): Steps<readonly Row[]> {
    const frame = yield* this.evaluate(expr)
    if (frame.kind !== 'vector') throw unsupportedFault(`a ${frame.kind} here`, expr.position)
    return frame.rows
  }

  *#scalar(expr: Expr): Steps<Float64Array> {
    const frame = yield* this.evaluate(expr)
    if (frame.kind !== 'scalar') throw unsupportedFault(`a ${frame.kind} here`, expr.position)
    return frame.values
  }
}

function isRange(expr: Expr): boolean {
  return expr.kind === 'paren' ? isRange(expr.inner) : expr.kind === 'range' || expr.kind === 'subquery'
}

function toSamples({ labels, values, present }: Row, grid: Grid): SelectedSeries {
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

function fillInstants(
  row: Row,
  references: Float64Array,
  times: Float64Array,
  values: Float64Array,
  asTimestamps: boolean,
): void {
  let next = 0
  for (let step = 0; step < references.length; step += 1) {
    const referenceMs = references[step] ?? 0
    while (next < times.length && (times[next] ?? 0) <= referenceMs) next += 1
    if (next === 0) continue
    const timeMs = times[next - 1] ?? 0
    const value = values[next - 1] ?? 0
    if (timeMs <= referenceMs - LOOKBACK_MS || isStale(value)) continue
    row.present[step] = 1
    row.values[step] = asTimestamps ? timeMs / 1000 : value
  }
}

/** Stale markers are no samples of a range. Most series have none and are not copied. */
function withoutStale(samples: LoadedSamples): LoadedSamples {
  const { times, values } = samples
  let stale = 0
  for (let at = 0; at < values.length; at += 1) {
    const value = values[at] ?? 0
    if (value !== value && isStale(value)) stale += 1
  }
  if (stale === 0) return samples
  const keep = Array.from(values, value => !isStale(value))
  return {
    times: times.filter((_, index) => keep[index] === true),
    values: values.filter((_, index) => keep[index] === true),
  }
}

function slice({ times, values }: LoadedSamples, afterMs: number, toMs: number): LoadedSamples {
  let from = 0
  let to = times.length
  while (from < to && (times[from] ?? 0) <= afterMs) from += 1
  while (to > from && (times[to - 1] ?? 0) > toMs) to -= 1
  return { times: times.slice(from, to), values: values.slice(from, to) }
}
