// Owns reading the Prometheus query API: ranges and instants become plain points.
import { z } from 'zod'
import type { Points } from '../charts/grid.ts'
import type { ControlRoomClient } from './client.ts'

const sample = z.tuple([z.number(), z.string()])
const labels = z.record(z.string(), z.string())
export type Labels = z.infer<typeof labels>

const matrix = z.object({
  data: z.object({
    resultType: z.literal('matrix'),
    result: z.array(z.object({ metric: labels, values: z.array(sample) })),
  }),
})

const instant = z.object({
  data: z.discriminatedUnion('resultType', [
    z.object({
      resultType: z.literal('vector'),
      result: z.array(z.object({ metric: labels, value: sample })),
    }),
    z.object({
      resultType: z.literal('matrix'),
      result: z.array(z.object({ metric: labels, values: z.array(sample) })),
    }),
    z.object({ resultType: z.literal('scalar'), result: sample }),
    z.object({ resultType: z.literal('string'), result: sample }),
  ]),
})

export interface RangeSeries {
  readonly labels: Labels
  readonly points: Points
}

export interface RangeQuery {
  readonly expr: string
  readonly fromS: number
  readonly toS: number
  readonly stepS: number
}

export async function queryRange(
  client: ControlRoomClient,
  query: RangeQuery,
  signal?: AbortSignal,
): Promise<RangeSeries[]> {
  const search = new URLSearchParams({
    query: query.expr,
    start: String(query.fromS),
    end: String(query.toS),
    step: String(query.stepS),
  })
  const answer = await client.get(`/prometheus/api/v1/query_range?${search.toString()}`, matrix, signal)
  return answer.data.result.map(({ metric, values }) => ({
    labels: metric,
    points: values.map(([timeS, text]) => [timeS, numberOf(text)] as const),
  }))
}

export interface InstantRow {
  readonly labels: Labels
  readonly atS: number
  readonly value: number
}

/** One row a series; of a range selector its newest sample. */
export async function queryInstant(
  client: ControlRoomClient,
  expr: string,
  atS: number | null,
): Promise<InstantRow[]> {
  const search = new URLSearchParams({ query: expr, ...(atS === null ? {} : { time: String(atS) }) })
  const { data } = await client.get(`/prometheus/api/v1/query?${search.toString()}`, instant)
  switch (data.resultType) {
    case 'vector':
      return data.result.map(({ metric, value }) => row(metric, value))
    case 'matrix':
      return data.result.flatMap(({ metric, values }) => values.slice(-1).map(value => row(metric, value)))
    case 'scalar':
    case 'string':
      return [row({}, data.result)]
    default:
      return data satisfies never
  }
}

function row(metric: Labels, [atS, text]: readonly [number, string]): InstantRow {
  return { labels: metric, atS, value: numberOf(text) }
}

/** Prometheus writes numbers as text, infinities as `+Inf`. */
export function numberOf(text: string): number {
  if (text === '+Inf' || text === 'Inf') return Number.POSITIVE_INFINITY
  if (text === '-Inf') return Number.NEGATIVE_INFINITY
  return Number.parseFloat(text)
}
