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

export interface MatrixItem {
  readonly labels: Labels
  readonly points: readonly Point[]
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
