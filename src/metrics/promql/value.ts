// Owns the shapes of query answers. It refuses nothing: evaluation makes them, the API form prints them.
import type { Labels } from '#base'

export interface Point {
  readonly timestampMs: number
  readonly value: number
}

export interface VectorItem {
  readonly labels: Labels
  readonly timestampMs: number
  readonly value: number
}

/** Two columns: a point an object would take five times the memory. */
export interface MatrixItem {
  readonly labels: Labels
  readonly times: Float64Array
  readonly values: Float64Array
}

export function pointsOf({ times, values }: MatrixItem): Point[] {
  return Array.from(times, (timestampMs, at) => ({ timestampMs, value: values[at] ?? 0 }))
}

export interface Vector {
  readonly kind: 'vector'
  readonly items: readonly VectorItem[]
}

export interface Matrix {
  readonly kind: 'matrix'
  readonly items: readonly MatrixItem[]
}

export interface Scalar extends Point {
  readonly kind: 'scalar'
}

export interface Text {
  readonly kind: 'string'
  readonly timestampMs: number
  readonly text: string
}

export type Value = Vector | Matrix | Scalar | Text
