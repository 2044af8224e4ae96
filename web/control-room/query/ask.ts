// Owns asking the metrics API for the query page: instants with the age of each value, ranges to explain, and
// problems that name their place in the expression.
import { z } from 'zod'
import { ApiProblem, type ControlRoomClient } from '../api/client.ts'
import { type Labels, labelsSchema, numberOf, sampleSchema } from '../api/prometheus.ts'
import { type QueryStats, readStats } from './stats.ts'
import { isPlainSelector } from './table-model.ts'

const PATH = '/prometheus/api/v1'

const vector = z.array(z.object({ metric: labelsSchema, value: sampleSchema }))
const matrix = z.array(z.object({ metric: labelsSchema, values: z.array(sampleSchema) }))
const stats = z.unknown().optional()

const answer = z.object({
  data: z.discriminatedUnion('resultType', [
    z.object({ resultType: z.literal('vector'), result: vector, stats }),
    z.object({ resultType: z.literal('matrix'), result: matrix, stats }),
    z.object({ resultType: z.literal('scalar'), result: sampleSchema, stats }),
    z.object({ resultType: z.literal('string'), result: sampleSchema, stats }),
  ]),
})

export interface AnswerRow {
  readonly labels: Labels
  readonly value: number
  /** Of a string, and of nothing else. */
  readonly text: string | null
  /** How long before the moment that was asked for it was measured; null: it was computed at that moment. */
  readonly ageS: number | null
  /** Of a range selector: how many samples it has; its newest is the value. */
  readonly samples: number | null
}

export interface Instant {
  readonly kind: 'vector' | 'matrix' | 'scalar' | 'string'
  /** Fleet time in s. */
  readonly atS: number
  readonly rows: readonly AnswerRow[]
}

export async function askInstant(
  client: ControlRoomClient,
  expr: string,
  atS: number,
  signal: AbortSignal,
): Promise<Instant> {
  const plain = isPlainSelector(expr)
  const [values, ages] = await Promise.all([
    client.get(address('query', { query: expr, time: String(atS) }), answer, signal),
    plain ? measuredAt(client, expr, atS, signal) : new Map<string, number>(),
  ])
  const { data } = values
  const row = (labels: Labels, [timeS, text]: readonly [number, string]): AnswerRow => {
    const measuredS = plain ? ages.get(withoutName(labels)) : undefined
    const ageS = data.resultType === 'matrix' ? atS - timeS : measuredS === undefined ? null : atS - measuredS
    return { labels, value: numberOf(text), text: null, ageS, samples: null }
  }
  switch (data.resultType) {
    case 'vector':
      return { kind: 'vector', atS, rows: data.result.map(({ metric, value }) => row(metric, value)) }
    case 'matrix': {
      const rows = data.result.flatMap(({ metric, values: points }) =>
        points.slice(-1).map(point => ({ ...row(metric, point), samples: points.length })),
      )
      return { kind: 'matrix', atS, rows }
    }
    case 'scalar':
      return { kind: 'scalar', atS, rows: [row({}, data.result)] }
    case 'string':
      return { kind: 'string', atS, rows: [{ ...row({}, data.result), text: data.result[1] }] }
    default:
      return data satisfies never
  }
}

/** When each value was measured. Series that only their names tell apart have no answer, and so no age. */
async function measuredAt(
  client: ControlRoomClient,
  expr: string,
  atS: number,
  signal: AbortSignal,
): Promise<Map<string, number>> {
  try {
    const path = address('query', { query: `timestamp(${expr})`, time: String(atS) })
    const { data } = await client.get(path, answer, signal)
    if (data.resultType !== 'vector') return new Map()
    return new Map(data.result.map(({ metric, value }) => [withoutName(metric), numberOf(value[1])]))
  } catch (thrown) {
    if (thrown instanceof ApiProblem && thrown.status >= 400 && thrown.status < 500) return new Map()
    throw thrown
  }
}

function withoutName(labels: Labels): string {
  const others = Object.entries(labels).filter(([name]) => name !== '__name__')
  return JSON.stringify(others.sort(([a], [b]) => (a < b ? -1 : 1)))
}

export interface Explanation {
  readonly series: number
  readonly samples: number
  readonly steps: number
  /** From the request to the last byte, as this browser saw it. */
  readonly answeredMs: number
  readonly stats: QueryStats | null
}

export interface Span {
  readonly fromS: number
  readonly toS: number
  readonly stepS: number
}

export async function askToExplain(
  client: ControlRoomClient,
  expr: string,
  { fromS, toS, stepS }: Span,
  signal: AbortSignal,
): Promise<Explanation> {
  const range = { start: String(fromS), end: String(toS), step: String(stepS) }
  const begunMs = performance.now()
  const { data } = await client.get(
    address('query_range', { query: expr, ...range, stats: 'all' }),
    answer,
    signal,
  )
  const answeredMs = performance.now() - begunMs
  const found = data.resultType === 'matrix' ? data.result : []
  return {
    series: found.length,
    samples: found.reduce((sum, { values }) => sum + values.length, 0),
    steps: Math.floor((toS - fromS) / stepS) + 1,
    answeredMs,
    stats: readStats(data.stats),
  }
}

function address(call: string, parameters: Record<string, string>): string {
  return `${PATH}/${call}?${new URLSearchParams(parameters).toString()}`
}

export interface QueryProblem {
  /** What kind of failure, in words. */
  readonly title: string
  readonly text: string
  /** Place in the expression, from 0; null where the failure has none. */
  readonly at: number | null
}

const TITLES: Readonly<Record<string, string>> = {
  bad_data: 'This is not valid PromQL',
  execution: 'The query has no answer for this data',
  timeout: 'The query took too long',
  forbidden: 'This needs another role',
  unavailable: 'The metrics store cannot answer now',
  internal: 'The control room failed on this query',
}

export function problemOf(thrown: Error): QueryProblem {
  if (!(thrown instanceof ApiProblem)) return { title: 'The query failed', text: thrown.message, at: null }
  if (thrown.status === 0) return { title: 'No answer', text: thrown.message, at: null }
  return readProblem(thrown.code, thrown.message)
}

/** `PromQL, character 6: call to function rate: …` is taken apart, so that the place can be shown. */
export function readProblem(code: string | null, message: string): QueryProblem {
  const placed = /^PromQL, character (\d+): ([^]*)$/.exec(message)
  const at = placed?.[1] === undefined ? null : Number(placed[1]) - 1
  const known = TITLES[code ?? ''] ?? 'The query failed'
  const title = code === 'bad_data' && at === null ? 'The request was refused' : known
  return { title, text: placed?.[2] ?? message, at }
}
