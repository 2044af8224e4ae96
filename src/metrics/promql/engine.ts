// Owns answering a query: parse, evaluate within limits, shape the answer.
// It refuses ranges with more than STEPS_MAX points a series, as Prometheus does.

import { metricsFaults } from '../faults.ts'
import { labelsKey } from '../labels.ts'
import type { Expr } from './ast.ts'
import { typeOf } from './check.ts'
import { Evaluator } from './evaluate.ts'
import type { Frame, Grid, Row } from './frame.ts'
import { type MeterOptions, QueryMeter } from './meter.ts'
import { parseQuery } from './parse.ts'
import type { SampleSource } from './source.ts'
import { syntaxFault } from './syntax-fault.ts'
import type { Matrix, MatrixItem, Point, Value } from './value.ts'

export { parseSelector } from './parse.ts'

const STEPS_MAX = 11_000 // Prometheus: "exceeded maximum resolution of 11,000 points per timeseries"
const PARSED_MAX = 500 // trees of recent queries: pages and rules ask the same ones every second

export class QueryEngine {
  readonly #source: SampleSource
  readonly #options: MeterOptions
  readonly #parsed = new Map<string, Expr>()

  constructor(source: SampleSource, options: MeterOptions) {
    this.#source = source
    this.#options = options
  }

  query(text: string, atMs: number): Value {
    const expr = this.#parse(text)
    const evaluator = this.#evaluator({ startMs: atMs, stepMs: 1, count: 1 })
    let inner = expr
    while (inner.kind === 'paren') inner = inner.inner
    if (inner.kind === 'range' || inner.kind === 'subquery') {
      const items = evaluator.samples(inner).map(({ labels, times, values }) => ({
        labels,
        points: Array.from(times, (timestampMs, index) => ({ timestampMs, value: values[index] ?? 0 })),
      }))
      return { kind: 'matrix', items: sortedItems(items) }
    }
    return instantValue(evaluator.evaluate(expr), atMs)
  }

  queryRange(text: string, fromMs: number, toMs: number, stepMs: number): Matrix {
    if (!(stepMs > 0)) throw limit(`expected a step above 0, got ${stepMs} ms`)
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
    const frame = this.#evaluator(grid).evaluate(expr)
    return { kind: 'matrix', items: sortedItems(matrixItems(frame, grid)) }
  }

  #evaluator(grid: Grid): Evaluator {
    const meter = new QueryMeter(this.#options)
    const endMs = grid.startMs + (grid.count - 1) * grid.stepMs
    return new Evaluator({ source: this.#source, meter, startMs: grid.startMs, endMs }, grid)
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

function instantValue(frame: Frame, atMs: number): Value {
  if (frame.kind === 'scalar')
    return { kind: 'scalar', timestampMs: atMs, value: frame.values[0] ?? Number.NaN }
  if (frame.kind === 'string') return { kind: 'string', timestampMs: atMs, text: frame.text }
  const items = frame.rows.map(({ labels, values }) => ({ labels, timestampMs: atMs, value: values[0] ?? 0 }))
  return { kind: 'vector', items }
}

function matrixItems(frame: Frame, grid: Grid): MatrixItem[] {
  const points = (values: Float64Array, isPresent: (step: number) => boolean): Point[] => {
    const found: Point[] = []
    for (let step = 0; step < grid.count; step += 1) {
      if (isPresent(step))
        found.push({ timestampMs: grid.startMs + step * grid.stepMs, value: values[step] ?? 0 })
    }
    return found
  }
  if (frame.kind === 'scalar') return [{ labels: {}, points: points(frame.values, () => true) }]
  if (frame.kind === 'string') return []
  return frame.rows.map((row: Row) => ({
    labels: row.labels,
    points: points(row.values, step => row.present[step] === 1),
  }))
}

/** By label sets, so that a page shows the same order each time. */
function sortedItems(items: MatrixItem[]): MatrixItem[] {
  const keys = new Map(items.map(item => [item, labelsKey(item.labels)]))
  return items.sort((a, b) => ((keys.get(a) ?? '') < (keys.get(b) ?? '') ? -1 : 1))
}

function limit(message: string): Error {
  return metricsFaults.fault('metrics-promql-limit', message)
}
