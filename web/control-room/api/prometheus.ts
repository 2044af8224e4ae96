// Owns reading ranges from the Prometheus query API: they become plain points.
import { z } from 'zod'
import type { Points } from '../charts/grid.ts'
import type { ControlRoomClient } from './client.ts'

/** Seconds, and the value as text: JSON has no infinities. */
export const sampleSchema = z.tuple([z.number(), z.string()])
export const labelsSchema = z.record(z.string(), z.string())
export type Labels = z.infer<typeof labelsSchema>

const matrix = z.object({
  data: z.object({
    resultType: z.literal('matrix'),
    result: z.array(z.object({ metric: labelsSchema, values: z.array(sampleSchema) })),
  }),
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

/** Prometheus writes numbers as text, infinities as `+Inf`. */
export function numberOf(text: string): number {
  if (text === '+Inf' || text === 'Inf') return Number.POSITIVE_INFINITY
  if (text === '-Inf') return Number.NEGATIVE_INFINITY
  return Number.parseFloat(text)
}
