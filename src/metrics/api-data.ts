// Owns the `data` member of the Prometheus HTTP API and how it prints numbers.
// It refuses nothing: every Value has a form. See https://prometheus.io/docs/prometheus/latest/querying/api/
import { type Labels, unreachable } from '#base'
import { formatNumber } from './format-number.ts'
import type { Point, Value } from './promql/value.ts'

/** Seconds since 1970 and the printed value. */
export type ApiPoint = readonly [seconds: number, value: string]

export type ApiData =
  | { readonly resultType: 'vector'; readonly result: readonly { metric: Labels; value: ApiPoint }[] }
  | {
      readonly resultType: 'matrix'
      readonly result: readonly { metric: Labels; values: readonly ApiPoint[] }[]
    }
  | { readonly resultType: 'scalar'; readonly result: ApiPoint }
  | { readonly resultType: 'string'; readonly result: ApiPoint }

/** The JSON `data` of `/api/v1/query` and `/api/v1/query_range`. */
export function toApiData(value: Value): ApiData {
  switch (value.kind) {
    case 'vector':
      return {
        resultType: 'vector',
        result: value.items.map(item => ({ metric: item.labels, value: apiPoint(item) })),
      }
    case 'matrix':
      return {
        resultType: 'matrix',
        result: value.items.map(item => ({ metric: item.labels, values: item.points.map(apiPoint) })),
      }
    case 'scalar':
      return { resultType: 'scalar', result: apiPoint(value) }
    case 'string':
      return { resultType: 'string', result: [value.timestampMs / 1000, value.text] }
    default:
      return unreachable(value)
  }
}

function apiPoint(point: Point): ApiPoint {
  return [point.timestampMs / 1000, formatNumber(point.value)]
}
