// Owns the values that a template works on, when they count as true, and how Go prints them (`%v`). Pure.
import type { Labels } from '#base'
import { formatGeneral } from './format-float.ts'

/** One result of `query`. */
export interface SampleValue {
  readonly kind: 'sample'
  readonly labels: Labels
  readonly value: number
}

export interface MapValue {
  readonly kind: 'map'
  readonly entries: Readonly<Record<string, Value>>
}

export interface ListValue {
  readonly kind: 'list'
  readonly items: readonly Value[]
}

/** bigint stands for Go's int, number for float64. */
export type Value = string | number | bigint | boolean | null | SampleValue | MapValue | ListValue

/** A template that fails while an alert is rendered: what it says stands in the place of its text. */
export class RenderProblem extends Error {
  override readonly name = 'RenderProblem'
}

export function isTrue(value: Value): boolean {
  if (value === null) return false
  if (typeof value === 'object') {
    if (value.kind === 'sample') return true
    return value.kind === 'list' ? value.items.length > 0 : Object.keys(value.entries).length > 0
  }
  // NaN is true for Go: it is not equal to zero.
  return typeof value === 'number' ? value !== 0 : Boolean(value)
}

export function kindOf(value: Value): string {
  if (value === null) return 'nil'
  if (typeof value === 'object') return value.kind
  if (typeof value === 'bigint') return 'int'
  if (typeof value === 'number') return 'float64'
  return typeof value === 'boolean' ? 'bool' : 'string'
}

/** As `fmt.Print` gives it. */
export function toText(value: Value): string {
  if (value === null) return '<nil>'
  if (typeof value === 'number') return formatGeneral(value, null)
  if (typeof value !== 'object') return String(value)
  if (value.kind === 'list') return `[${value.items.map(toText).join(' ')}]`
  if (value.kind === 'sample') return `&{${toText(labelsMap(value.labels))} ${toText(value.value)}}`
  const names = Object.keys(value.entries).toSorted((a, b) => (a < b ? -1 : 1))
  return `map[${names.map(name => `${name}:${toText(value.entries[name] ?? null)}`).join(' ')}]`
}

export function labelsMap(labels: Labels): MapValue {
  return { kind: 'map', entries: labels }
}
