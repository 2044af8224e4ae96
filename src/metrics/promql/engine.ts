// Owns answering a query: parse, evaluate within limits, shape the answer.
// It refuses ranges with more than STEPS_MAX points a series, as Prometheus does.

import { setImmediate } from 'node:timers/promises'
import { metricsFaults } from '../faults.ts'
import { rememberedKey } from '../labels.ts'
import type { Expr } from './ast.ts'
import { typeOf } from './check.ts'
import { Evaluator } from './evaluate.ts'
import type { Frame, Grid } from './frame.ts'
import { InstantFrame } from './instant-frame.ts'
import { type MeterOptions, QueryMeter } from './meter.ts'
import { parseQuery } from './parse.ts'
import { printAnswer } from './print-answer.ts'
import type { SharedFrames } from './shared-frames.ts'
import type { SampleSource } from './source.ts'
import { mapEach, type Steps } from './steps.ts'
import { syntaxFault } from './syntax-fault.ts'
import type { Matrix, MatrixItem, Value } from './value.ts'

/** An instant at `toMs`, or steps from `fromMs` to `toMs`, both included. */
export interface Question {
  readonly text: string
  readonly fromMs: number
  readonly toMs: number
  readonly stepMs: number | null
  /** More series than these are left out of an answer that is printed. */
  readonly seriesMax?: number
  /** Begins at once, and does not stand in line: rules must be looked at also while pages ask for hundreds of graphs. */
  readonly urgent?: boolean
  /** Of an instant: what others that are asked at the same one may have found already. */
  readonly shared?: SharedFrames
}

/** What an answer has cost. */
export interface Explain {
  readonly series: number
  readonly samples: number
  /** Before its first turn, and between its slices. */
  readonly waitMs: number
  readonly parseMs: number
  /** Finding and decoding samples. */
  readonly readMs: number
  readonly evaluateMs: number
  /** Writing the answer as text. */
  readonly printMs: number
}

export interface Answer {
  readonly value: Value
  readonly explain: Explain
}

/** An answer as the Prometheus API writes it. */
export interface PrintedAnswer {
  /** The members `resultType` and `result` of `data`, without braces, in pieces that follow each other. */
  readonly pieces: readonly string[]
  /** Some series were left out. */
  readonly isCut: boolean
  readonly explain: Explain
}

export { parseSelector } from './parse.ts'

const STEPS_MAX = 11_000 // Prometheus: "exceeded maximum resolution of 11,000 points per timeseries"
/** They share one thread: more would only hold more memory, and all end later. */
const RUNNING_MAX = 4
/** A page asks a dozen at once: this is the line of sixteen pages. */
const QUERIES_MAX = 200
/**
 * Rounds of the event loop between two slices. A request takes three or four from its first byte to its answer; with
 * one round it would wait for a slice in each of them. Rounds in which nothing happens take microseconds.
 */
const ROUNDS_BETWEEN = 8
/** Of what is urgent: requests wait a little longer for rules than for graphs. */
const ROUNDS_BETWEEN_URGENT = 1
/** Trees of recent queries: pages and rules ask the same ones every second, and a thousand rules are a file. */
const PARSED_MAX = 4000

export interface EngineOptions extends MeterOptions {
  /** Queries that may wait for their turn. */
  readonly queriesMax?: number
}

export class QueryEngine {
  readonly #source: SampleSource
  readonly #options: EngineOptions
  #running = 0
  readonly #waiting: (() => void)[] = []
  #slices: Promise<void> = Promise.resolve()
  readonly #parsed = new Map<string, Expr>()

  constructor(source: SampleSource, options: EngineOptions) {
    this.#source = source
    this.#options = options
  }

  /** Fractions of a millisecond are rounded away, as Prometheus does: samples have none. */
  query(text: string, instantMs: number): Value {
    return finish(this.#instant(text, instantMs, this.#meter()))
  }

  queryRange(text: string, startMs: number, endMs: number, intervalMs: number): Matrix {
    return finish(this.#range(text, [startMs, endMs, intervalMs], this.#meter()))
  }

  /** The same in slices, between which the thread does other things. */
  async ask(question: Question): Promise<Answer> {
    const { result, explain } = await this.#run(question, async value => value)
    return { value: result, explain }
  }

  /** The same as text; writing it is sliced too. */
  async print(question: Question): Promise<PrintedAnswer> {
    const seriesMax = question.seriesMax ?? Number.POSITIVE_INFINITY
    let isCut = false
    const { result, explain } = await this.#run(question, (value, meter) => {
      isCut = 'items' in value && value.items.length > seriesMax
      return this.#inSlices(printAnswer(isCut ? firstItems(value, seriesMax) : value, meter), meter)
    })
    return { pieces: result, isCut, explain }
  }

  async #run<Result>(
    { text, fromMs, toMs, stepMs, urgent = false, shared }: Question,
    shape: (value: Value, meter: QueryMeter) => Promise<Result>,
  ): Promise<{ result: Result; explain: Explain }> {
    const nowMs = (): number => this.#options.clock.monotonicMs()
    const askedMs = nowMs()
    if (!urgent) await this.#turn()
    try {
      const meter = this.#meter()
      if (!urgent) await meter.between(() => this.#slice())
      const turnMs = meter.pausedMs
      const startedMs = nowMs()
      this.#parse(text)
      const parsedMs = nowMs()
      const steps: Steps<Value> =
        stepMs === null
          ? this.#instant(text, toMs, meter, shared)
          : this.#range(text, [fromMs, toMs, stepMs], meter)
      const value = await this.#inSlices(steps, meter, urgent)
      const evaluateMs = nowMs() - parsedMs - (meter.pausedMs - turnMs) - meter.readMs
      const result = await shape(value, meter)
      const explain = {
        series: meter.seriesTouched,
        samples: meter.samplesTouched,
        waitMs: startedMs - askedMs + meter.pausedMs - turnMs,
        parseMs: parsedMs - startedMs,
        readMs: meter.readMs,
        evaluateMs,
        printMs: nowMs() - parsedMs - (meter.pausedMs - turnMs) - meter.readMs - evaluateMs,
      }
      return { result, explain }
    } finally {
      if (!urgent) this.#handOn()
    }
  }

  /** The place goes to the next in line, so that nobody can slip in between. */
  #handOn(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#running -= 1
    else next()
  }

  async #inSlices<Result>(steps: Steps<Result>, meter: QueryMeter, urgent = false): Promise<Result> {
    for (;;) {
      const next = steps.next()
      if (next.done === true) return next.value
      await meter.between(() => (urgent ? this.#shortSlice() : this.#slice()))
    }
  }

  async #shortSlice(): Promise<void> {
    for (let round = 0; round < ROUNDS_BETWEEN_URGENT; round += 1) await setImmediate()
  }

  /** One slice of all queries together, then some rounds of the event loop for others. */
  #slice(): Promise<void> {
    this.#slices = this.#slices.then(async () => {
      for (let round = 0; round < ROUNDS_BETWEEN; round += 1) await setImmediate()
    })
    return this.#slices
  }

  /** A few queries take turns, the others wait in a line of limited length. */
  async #turn(): Promise<void> {
    if (this.#running < RUNNING_MAX) {
      this.#running += 1
      return
    }
    const waitingMax = this.#options.queriesMax ?? QUERIES_MAX
    if (this.#waiting.length >= waitingMax) {
      const message = `${this.#running} queries are running and ${waitingMax} wait already`
      throw metricsFaults.fault('metrics-promql-busy', message)
    }
    await new Promise<void>(resolve => {
      this.#waiting.push(resolve)
    })
  }

  *#instant(text: string, instantMs: number, meter: QueryMeter, shared?: SharedFrames): Steps<Value> {
    const atMs = Math.round(instantMs)
    const expr = this.#parse(text)
    const evaluator = this.#evaluator({ startMs: atMs, stepMs: 1, count: 1 }, meter, atMs, shared)
    let inner = expr
    while (inner.kind === 'paren') inner = inner.inner
    if (inner.kind === 'range' || inner.kind === 'subquery') {
      return { kind: 'matrix', items: yield* sortedItems(yield* evaluator.samples(inner), meter) }
    }
    return instantValue(yield* evaluator.evaluate(expr), atMs)
  }

  *#range(
    text: string,
    [startMs, endMs, intervalMs]: readonly [number, number, number],
    meter: QueryMeter,
  ): Steps<Matrix> {
    const [fromMs, toMs, stepMs] = [Math.round(startMs), Math.round(endMs), Math.round(intervalMs)]
    if (!(stepMs > 0)) throw limit(`expected a step above 0, got ${intervalMs} ms`)
    if (!(toMs >= fromMs)) throw limit('expected an end that is not before the start')
    const count = Math.floor((toMs - fromMs) / stepMs) + 1
    if (count > STEPS_MAX)
      throw limit(`expected at most ${STEPS_MAX} steps, got ${count}: take a larger step`)
    const expr = this.#parse(text)
    const type = typeOf(expr)
    if (type !== 'scalar' && type !== 'vector') {
      throw syntaxFault(`a range query must give a scalar or an instant vector, got ${type}`, expr.position)
    }
    const grid: Grid = { startMs: fromMs, stepMs, count }
    const frame = yield* this.#evaluator(grid, meter, toMs).evaluate(expr)
    return { kind: 'matrix', items: yield* sortedItems(yield* matrixItems(frame, grid, meter), meter) }
  }

  #meter(): QueryMeter {
    return new QueryMeter(this.#options)
  }

  /** `endMs` is what was asked for, which `@ end()` means also where no step falls on it. */
  #evaluator(grid: Grid, meter: QueryMeter, endMs: number, shared: SharedFrames | null = null): Evaluator {
    return new Evaluator({ source: this.#source, meter, startMs: grid.startMs, endMs, shared }, grid)
  }

  #parse(text: string): Expr {
    const known = this.#parsed.get(text)
    if (known !== undefined) return known
    const expr = parseQuery(text)
    if (this.#parsed.size >= PARSED_MAX) this.#parsed.delete(this.#parsed.keys().next().value ?? '')
    this.#parsed.set(text, expr)
    return expr
  }
}

function firstItems(value: Value, count: number): Value {
  if (value.kind === 'vector') return { ...value, items: value.items.slice(0, count) }
  return value.kind === 'matrix' ? { ...value, items: value.items.slice(0, count) } : value
}

function finish<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const next = steps.next()
    if (next.done === true) return next.value
  }
}

function instantValue(frame: Frame, atMs: number): Value {
  if (frame.kind === 'scalar')
    return { kind: 'scalar', timestampMs: atMs, value: frame.values[0] ?? Number.NaN }
  if (frame.kind === 'string') return { kind: 'string', timestampMs: atMs, text: frame.text }
  const items =
    frame instanceof InstantFrame
      ? frame.labels.map((labels, at) => ({ labels, timestampMs: atMs, value: frame.values[at] ?? 0 }))
      : frame.rows.map(({ labels, values }) => ({ labels, timestampMs: atMs, value: values[0] ?? 0 }))
  return { kind: 'vector', items }
}

function* matrixItems(
  frame: Frame,
  { startMs, stepMs, count }: Grid,
  meter: QueryMeter,
): Steps<MatrixItem[]> {
  const times = Float64Array.from({ length: count }, (_, step) => startMs + step * stepMs)
  if (frame.kind === 'scalar') return [{ labels: {}, times, values: frame.values }]
  if (frame.kind === 'string') return []
  return yield* mapEach(frame.rows, meter, ({ labels, values, present }) =>
    present.includes(0)
      ? { labels, times: kept(times, present), values: kept(values, present) }
      : { labels, times, values },
  )
}

function kept(column: Float64Array, present: Uint8Array): Float64Array {
  const some = new Float64Array(column.length)
  let length = 0
  for (let step = 0; step < column.length; step += 1) {
    if (present[step] === 1) some[length++] = column[step] ?? 0
  }
  return some.subarray(0, length)
}

/** By label sets, so that a page shows the same order each time. */
function* sortedItems(items: readonly MatrixItem[], meter: QueryMeter): Steps<MatrixItem[]> {
  const keyed = yield* mapEach(items, meter, item => ({ item, key: rememberedKey(item.labels) }))
  return keyed.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ item }) => item)
}

function limit(message: string): Error {
  return metricsFaults.fault('metrics-promql-limit', message)
}
