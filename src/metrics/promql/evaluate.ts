// Owns the evaluation of a syntax tree over a grid of instants, all steps of a row at once.
// It refuses to go past what the meter allows. Semantics are those of Prometheus 3: windows are open on the left.
import { METRIC_NAME, withoutName } from '../labels.ts'
import { isStale } from '../stale.ts'
import { aggregate, type GroupKey } from './aggregate.ts'
import type {
  AggregateExpr,
  AtModifier,
  BinaryExpr,
  CallExpr,
  Expr,
  RangeExpr,
  SelectorExpr,
  SubqueryExpr,
} from './ast.ts'
import { binary } from './binary.ts'
import { callWithVectors } from './calls.ts'
import { betweenEnds, EXTRAPOLATIONS, type Extrapolation } from './extrapolate.ts'
import { distinct, distinctAtAllSteps, type Frame, type Grid, newRow, type Row, vector } from './frame.ts'
import { InstantFrame, type InstantWriter } from './instant-frame.ts'
import { INSTANT_FUNCTIONS } from './instant-functions.ts'
import { aggregateInstant, binaryInstant } from './instant-operators.ts'
import { absentLabels } from './label-functions.ts'
import type { QueryMeter } from './meter.ts'
import {
  type FillRow,
  isOfOneName,
  isRange,
  overWindows,
  PRESENT,
  slider,
  takeInstant,
  toSamples,
} from './range-calls.ts'
import type { SharedFrames } from './shared-frames.ts'
import { fillInstants, slice, withoutStale } from './slide.ts'
import { smoothing } from './smoothing.ts'
import type { LoadedSamples, SampleSource, SelectedSeries } from './source.ts'
import { forEach, mapEach, type Steps } from './steps.ts'
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
  /** Null: what is found is nobody else's. */
  readonly shared: SharedFrames | null
}

/** What takes longer to find than to find again. */
const SHAREABLE: ReadonlySet<Expr['kind']> = new Set(['selector', 'call', 'aggregate', 'binary', 'negate'])

/** Samples of one series, and the instants at which windows on them end. */
interface Ranged {
  readonly series: readonly SelectedSeries[]
  readonly rangeMs: number
  readonly endsMs: Float64Array
}

export class Evaluator {
  readonly #context: Context
  readonly #grid: Grid

  constructor(context: Context, grid: Grid) {
    this.#context = context
    this.#grid = grid
  }

  *evaluate(expr: Expr): Steps<Frame> {
    const { shared, meter } = this.#context
    if (shared === null || !SHAREABLE.has(expr.kind)) return yield* this.#evaluate(expr)
    const key = shared.keyOf(expr)
    const known = shared.give(key)
    if (known !== undefined) {
      meter.series(known.series)
      return known.frame
    }
    const before = meter.seriesTouched
    const frame = yield* this.#evaluate(expr)
    shared.keep(key, frame, meter.seriesTouched - before)
    return frame
  }

  *#evaluate(expr: Expr): Steps<Frame> {
    const { count } = this.#grid
    switch (expr.kind) {
      case 'number':
        return { kind: 'scalar', values: new Float64Array(count).fill(expr.value) }
      case 'string':
        return { kind: 'string', text: expr.text }
      case 'paren':
        return yield* this.evaluate(expr.inner)
      case 'negate':
        return yield* this.#negate(yield* this.evaluate(expr.inner))
      case 'selector':
        if (this.#context.shared !== null) return yield* this.#newest(expr, this.#context.shared)
        return vector(yield* this.#instants(expr, false))
      case 'call':
        return yield* this.#call(expr)
      case 'aggregate':
        return yield* this.#aggregate(expr)
      case 'binary':
        return yield* this.#binary(expr)
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
    const all = yield* mapEach(series, this.#context.meter, one => ({
      labels: one.labels,
      ...slice(withoutStale(one.load()), endMs - rangeMs, endMs),
    }))
    return all.filter(one => one.times.length > 0)
  }

  /** Rules look at one instant, and at so many series that what was read of them is not worth keeping. */
  get #isGlance(): boolean {
    return this.#context.shared !== null
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

  /** At one instant: what is filled again for each series, so that those that are not there cost nothing. */
  #scratch(): Row | null {
    return this.#grid.count === 1 ? newRow({}, 1) : null
  }

  #newRow(labels: Row['labels']): Row {
    this.#context.meter.samples(this.#grid.count)
    return newRow(labels, this.#grid.count)
  }

  /** An instant selector: at each step the newest sample within the lookback, unless it is a stale marker. */
  *#instants(expr: SelectorExpr, asTimestamps: boolean): Steps<Row[]> {
    const references = this.#references(expr.at, expr.offsetMs)
    const rows: Row[] = []
    const scratch = this.#scratch()
    for (const one of this.#select(expr, references, LOOKBACK_MS)) {
      const samples = this.#isGlance && one.newest !== undefined ? one.newest() : one.load()
      if (samples.times.length > 0) {
        const row = scratch ?? this.#newRow(one.labels)
        fillInstants(row, samples, references, LOOKBACK_MS, asTimestamps)
        if (scratch === null) rows.push(row)
        else takeInstant(rows, one.labels, scratch)
      }
      this.#context.meter.work(references.length + samples.times.length)
      if (this.#context.meter.isSliceOver) yield
    }
    return rows
  }

  /** The same for rules, in columns. */
  *#newest(expr: SelectorExpr, shared: SharedFrames): Steps<Frame> {
    const { meter } = this.#context
    const references = this.#references(expr.at, expr.offsetMs)
    const referenceMs = references[0] ?? 0
    const { writer } = shared.state(expr)
    writer.begin()
    for (const one of this.#select(expr, references, LOOKBACK_MS)) {
      const { times, values } = one.newest === undefined ? one.load() : one.newest()
      const last = times.length - 1
      const value = values[last] ?? 0
      meter.work(2)
      if (last >= 0 && (times[last] ?? 0) > referenceMs - LOOKBACK_MS && !(value !== value && isStale(value)))
        writer.add(one.labels, value)
      if (meter.isSliceOver) yield
    }
    return writer.end()
  }

  /** Windows that move on with the rounds; null: they are not followed, or some are not plain. */
  *#followed(expr: CallExpr, how: Extrapolation, shared: SharedFrames): Steps<InstantFrame | null> {
    let range = expr.args.find(one => isRange(one))
    while (range?.kind === 'paren') range = range.inner
    const { meter, source } = this.#context
    if (range?.kind !== 'range' || source.follow === undefined || !isOfOneName(expr)) return null
    const { selector, rangeMs } = range
    const windows = shared.followed(range, () => source.follow?.(selector.matchers, rangeMs) ?? null)
    if (windows === null) return null
    const endMs = this.#references(selector.at, selector.offsetMs)[0] ?? 0
    const fill = overWindows(expr.name)
    const scratch = newRow({}, 1)
    const plain = { rangeMs, endsMs: Float64Array.of(endMs), parameters: null, stepsMs: () => endMs }
    const { writer } = shared.state(expr)
    writer.begin()
    const count = windows.begin(endMs, meter)
    for (let at = 0; at < count; at += 1) {
      const seen = windows.look(at)
      if (seen === 'found') writer.add(windows.unnamed(at), betweenEnds(windows.ends, endMs, rangeMs, how))
      else if (seen === 'unsure') {
        const samples = withoutStale(windows.samples(at))
        if (samples.times.length > 0) fill?.(scratch, samples, plain, meter)
        if (scratch.present[0] === 1) writer.add(windows.unnamed(at), scratch.values[0] ?? 0)
        scratch.present[0] = 0
      }
      meter.work(2)
      if (meter.isSliceOver) yield
    }
    meter.series(windows.alive)
    return writer.end()
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
    // Its instants are others than those of the query.
    const frame = yield* new Evaluator({ ...this.#context, shared: null }, grid).evaluate(expr.inner)
    const rows = frame.kind === 'vector' ? frame.rows : []
    return { series: rows.map(row => toSamples(row, grid)), rangeMs: expr.rangeMs, endsMs }
  }

  /** Slides a window over each series. */
  *#overRange(expr: CallExpr, fill: FillRow, writer: InstantWriter | null = null): Steps<Row[]> {
    const argument = expr.args.find(one => isRange(one))
    if (argument === undefined) throw unsupportedFault('a call without a range vector', expr.position)
    const scalars = expr.args.find(one => !isRange(one))
    const parameters = scalars === undefined ? null : yield* this.#scalar(scalars)
    const ranged = yield* this.#ranged(argument)
    const { meter } = this.#context
    const windows = { ...ranged, parameters, stepsMs: (step: number): number => this.#stepMs(step) }
    const keepsName = expr.name === 'last_over_time'
    const rows: Row[] = []
    const scratch = this.#scratch()
    for (const one of ranged.series) {
      const samples = withoutStale(this.#isGlance && one.glance !== undefined ? one.glance() : one.load())
      if (samples.times.length > 0) {
        const labels = keepsName ? one.labels : (one.unnamed ?? withoutName(one.labels))
        const row = scratch ?? this.#newRow(labels)
        fill(row, samples, windows, meter)
        if (scratch === null) rows.push(row)
        else if (writer === null) takeInstant(rows, labels, scratch)
        else if (scratch.present[0] === 1) {
          scratch.present[0] = 0
          writer.add(labels, scratch.values[0] ?? 0)
        }
      }
      if (meter.isSliceOver) yield
    }
    return rows
  }

  *#call(expr: CallExpr): Steps<Frame> {
    const { name, args } = expr
    const { meter, shared } = this.#context
    const ranged = overWindows(name)
    const extrapolation = EXTRAPOLATIONS.get(name)
    if (shared !== null && extrapolation !== undefined) {
      const followed = yield* this.#followed(expr, extrapolation, shared)
      if (followed !== null) return followed
    }
    if (ranged !== null && shared !== null && isOfOneName(expr)) {
      const { writer } = shared.state(expr)
      writer.begin()
      yield* this.#overRange(expr, ranged, writer)
      return writer.end()
    }
    if (ranged !== null) {
      const rows = yield* this.#overRange(expr, ranged)
      return vector(isOfOneName(expr) ? rows : yield* distinctAtAllSteps(rows, meter))
    }
    const [first, , third] = args
    if (name === 'double_exponential_smoothing' && third !== undefined) {
      const fill = slider(smoothing(yield* this.#scalar(third), this.#grid))
      return vector(yield* distinctAtAllSteps(yield* this.#overRange(expr, fill), meter))
    }
    if (name === 'absent_over_time') {
      const rows = yield* this.#overRange(expr, PRESENT)
      return vector([yield* this.#absent(first, rows)])
    }
    if (name === 'absent' && first !== undefined) {
      return vector([yield* this.#absent(first, yield* this.#vector(first))])
    }
    if (name === 'timestamp' && first !== undefined)
      return vector(yield* distinct(yield* this.#timestamps(first), meter))
    if (name === 'time') {
      return { kind: 'scalar', values: this.#timesS() }
    }
    if (INSTANT_FUNCTIONS.has(name)) return vector(yield* distinct(yield* this.#pointwise(expr), meter))
    const frames: Frame[] = []
    for (const argument of args) frames.push(yield* this.evaluate(argument))
    return yield* callWithVectors(expr, frames, this.#grid.count, this.#context)
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
    const out: Row[] = []
    for (const { labels, values, present } of rows) {
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
      out.push(row)
      this.#context.meter.work(present.length)
      if (this.#context.meter.isSliceOver) yield
    }
    return out
  }

  *#absent(argument: Expr | undefined, rows: readonly Row[]): Steps<Row> {
    const row = this.#newRow(argument === undefined ? {} : absentLabels(argument))
    row.present.fill(1)
    row.values.fill(1)
    yield* forEach(rows, this.#context.meter, ({ present }) => {
      for (let step = 0; step < present.length; step += 1) if (present[step] === 1) row.present[step] = 0
    })
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
    return yield* mapEach(rows, this.#context.meter, row => ({ ...row, labels: withoutName(row.labels) }))
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
      groups: this.#context.shared?.memo<GroupKey>(expr, 'groups') ?? null,
    }
    if (operator === 'count_values' && how.text === METRIC_NAME)
      throw unsupportedFault('this label', expr.position)
    const inner = yield* this.evaluate(expr.inner)
    const { shared } = this.#context
    if (inner instanceof InstantFrame && shared !== null) {
      this.#context.meter.work(inner.labels.length)
      const quick = aggregateInstant(inner, expr, shared.state(expr))
      if (quick !== null) return quick
    }
    if (inner.kind !== 'vector') throw unsupportedFault(`a ${inner.kind} here`, expr.inner.position)
    const { rows } = inner
    return vector(yield* aggregate(rows, how, this.#grid.count, this.#context.meter))
  }

  *#binary(expr: BinaryExpr): Steps<Frame> {
    const left = yield* this.evaluate(expr.left)
    const right = yield* this.evaluate(expr.right)
    const { shared } = this.#context
    if (shared !== null) {
      const quick = binaryInstant(expr, [left, right], shared.state(expr))
      if (quick !== null) return quick
    }
    return yield* binary(expr, [left, right], this.#grid.count, this.#context)
  }

  *#negate(frame: Frame): Steps<Frame> {
    if (frame.kind === 'scalar') return { kind: 'scalar', values: frame.values.map(value => -value) }
    if (frame.kind === 'string') return frame
    const { meter } = this.#context
    const rows = yield* mapEach(frame.rows, meter, ({ labels, values, present }) => {
      const row = this.#newRow(withoutName(labels))
      for (let step = 0; step < values.length; step += 1) row.values[step] = -(values[step] ?? 0)
      return { ...row, present }
    })
    return vector(yield* distinctAtAllSteps(rows, meter))
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
