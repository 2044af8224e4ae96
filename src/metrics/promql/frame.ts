// Owns the intermediate results of a query: columns over all steps at once, one row a label set.
// It refuses two rows that answer for the same label set at the same step.
import type { Labels } from '#base'
import { rememberedKey } from '../labels.ts'
import type { InstantFrame } from './instant-frame.ts'
import type { QueryMeter } from './meter.ts'
import { forEach, type Steps } from './steps.ts'
import { executionFault } from './syntax-fault.ts'

/** One label set over the steps of the grid; `values[i]` counts only where `present[i]` is 1. */
export interface Row {
  readonly labels: Labels
  readonly values: Float64Array
  readonly present: Uint8Array
}

export type Frame =
  | { readonly kind: 'scalar'; readonly values: Float64Array }
  | { readonly kind: 'vector'; readonly rows: readonly Row[] }
  | InstantFrame
  | { readonly kind: 'string'; readonly text: string }

/** The instants at which an expression is evaluated. */
export interface Grid {
  readonly startMs: number
  readonly stepMs: number
  readonly count: number
}

/**
 * Rows are cut from larger arrays: an array of its own for each of a thousand rows takes longer than filling them. A
 * block is freed when none of its rows is held any more.
 */
const BLOCK_STEPS = 8192
/** Arrays so short lie in the engine's own heap: quicker to make than a view of a block, and gone as quickly. */
const OWN_STEPS_MAX = 8
let blockValues = new Float64Array(0)
let blockPresent = new Uint8Array(0)
let blockUsed = 0

export function newRow(labels: Labels, count: number): Row {
  if (count <= OWN_STEPS_MAX)
    return { labels, values: new Float64Array(count), present: new Uint8Array(count) }
  if (blockUsed + count > blockPresent.length) {
    const steps = Math.max(BLOCK_STEPS, count)
    blockValues = new Float64Array(steps)
    blockPresent = new Uint8Array(steps)
    blockUsed = 0
  }
  const from = blockUsed
  blockUsed += count
  return {
    labels,
    values: blockValues.subarray(from, blockUsed),
    present: blockPresent.subarray(from, blockUsed),
  }
}

/** Of every row that is there at the only step: shared, because nobody changes a row that is made. */
const HERE: Uint8Array = Uint8Array.of(1)

/** A row at the only step of an instant. */
export function instantRow(labels: Labels, value: number): Row {
  const values = new Float64Array(1)
  values[0] = value
  return { labels, values, present: HERE }
}

export function hasAny({ present }: Row): boolean {
  return present.length === 1 ? present[0] === 1 : present.includes(1)
}

export function vector(rows: readonly Row[]): Frame {
  return { kind: 'vector', rows: rows.filter(hasAny) }
}

/**
 * Joins rows whose label sets have become equal, as long as no step has a value in two of them.
 * Prometheus: "vector cannot contain metrics with the same labelset".
 */
export function* distinct(rows: readonly Row[], meter: QueryMeter): Steps<Row[]> {
  const byKey = new Map<string, Row>()
  yield* forEach(rows, meter, row => {
    const key = rememberedKey(row.labels)
    const known = byKey.get(key)
    if (known === undefined) byKey.set(key, row)
    else byKey.set(key, joined(known, row))
  })
  return [...byKey.values()]
}

/** The same where Prometheus looks at all steps together: functions of ranges, and signs. */
export function* distinctAtAllSteps(rows: readonly Row[], meter: QueryMeter): Steps<Row[]> {
  const keys = new Set<string>()
  const some = rows.filter(hasAny)
  yield* forEach(some, meter, ({ labels }) => {
    const key = rememberedKey(labels)
    if (keys.has(key)) throw sameLabels(labels)
    keys.add(key)
  })
  return some
}

function sameLabels(labels: Labels): Error {
  return executionFault(`vector cannot contain metrics with the same labelset: ${JSON.stringify(labels)}`)
}

function joined(a: Row, b: Row): Row {
  const values = a.values.slice()
  const present = a.present.slice()
  for (let step = 0; step < present.length; step += 1) {
    if (b.present[step] === 0) continue
    if (present[step] === 1) throw sameLabels(a.labels)
    present[step] = 1
    values[step] = b.values[step] ?? 0
  }
  return { labels: a.labels, values, present }
}
