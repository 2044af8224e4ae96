// Owns what there is to ask for, as the Prometheus HTTP API words it: series, labels, their values, metadata.
// It refuses nothing but malformed parameters. See https://prometheus.io/docs/prometheus/latest/querying/api/#querying-metadata
import type { FastifyRequest } from 'fastify'
import type { ControlContext } from '../context.ts'
import type { ToldMetadata } from './metadata-book.ts'
import { limited } from './prometheus-envelope.ts'
import { bad, limitOf, type Parameters, selectorsOf, timeOf } from './prometheus-parameters.ts'

/** Without a time range, series and labels of the last day. */
const RANGE_MS = 86_400_000

export function series(parameters: Parameters, context: ControlContext): unknown {
  const match = selectorsOf(parameters)
  if (match.length === 0) throw bad('match[]', 'no match[] parameter provided')
  const limit = limitOf(parameters)
  return limited(context.store.series(match, ...rangeOf(parameters, context)), limit)
}

export function labels(parameters: Parameters, context: ControlContext): unknown {
  const limit = limitOf(parameters)
  return limited(context.store.labelNames(selectorsOf(parameters), ...rangeOf(parameters, context)), limit)
}

export function labelValues(
  parameters: Parameters,
  context: ControlContext,
  request: FastifyRequest,
): unknown {
  const { name } = request.params as { readonly name: string }
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw bad('name', 'invalid label name')
  const limit = limitOf(parameters)
  const range = rangeOf(parameters, context)
  return limited(context.store.labelValues(name, selectorsOf(parameters), ...range), limit)
}

/** Types and help of the control room's own metrics, and of what senders have told with their remote writes. */
export function metadata(parameters: Parameters, { counters, metadata: book }: ControlContext): unknown {
  const wanted = parameters.get('metric')?.[0] ?? ''
  const limit = limitOf(parameters) || Number.POSITIVE_INFINITY
  const perMetric = limitOf(parameters, 'limit_per_metric') || Number.POSITIVE_INFINITY
  const found = new Map<string, ToldMetadata[]>()
  for (const { name, type, help } of counters.collect()) found.set(name, [{ type, help, unit: '' }])
  for (const [name, told] of book.all()) found.set(name, [...(found.get(name) ?? []), ...told])
  const rows = [...found]
    .filter(([name]) => wanted === '' || name === wanted)
    .slice(0, limit)
    .map(([name, told]) => [name, told.slice(0, perMetric)] as const)
  return Object.fromEntries(rows)
}

function rangeOf(parameters: Parameters, { fleetTime }: ControlContext): [number, number] {
  const toMs = timeOf(parameters, 'end', Math.ceil(fleetTime.nowMs()))
  return [timeOf(parameters, 'start', toMs - RANGE_MS), toMs]
}
