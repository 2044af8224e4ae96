// Owns the `data` member of the Prometheus HTTP API as a value, for those who compare answers.
// It refuses to have a form of its own: it reads what is printed for clients.
import { type Labels, systemClock } from '#base'
import { QueryMeter } from './promql/meter.ts'
import { printAnswer } from './promql/print-answer.ts'
import type { Value } from './promql/value.ts'

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
  const steps = printAnswer(value, new QueryMeter({ clock: systemClock }))
  let next = steps.next()
  while (next.done !== true) next = steps.next()
  return JSON.parse(`{${next.value.join('')}}`) as ApiData
}
