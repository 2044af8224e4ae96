// Owns the envelope of the Prometheus HTTP API, for answers and for failures.
// See https://prometheus.io/docs/prometheus/latest/querying/api/#format-overview
import { Fault, type Log } from '#base'
import { answerFor } from './errors.ts'

export interface PrometheusFailure {
  readonly status: 'error'
  readonly errorType: string
  readonly error: string
}

export function success(data: unknown): { status: 'success'; data: unknown } {
  return { status: 'success', data }
}

export const CUT_WARNING = 'results truncated due to limit' // as Prometheus words it

/** An answer of which a part was left out because the asker wanted no more. */
export class CutAnswer {
  readonly data: unknown

  constructor(data: unknown) {
    this.data = data
  }

  envelope(): unknown {
    return { ...success(this.data), warnings: [CUT_WARNING] }
  }
}

/** At most `limit` of them; 0 is no limit. */
export function limited(all: readonly unknown[], limit: number): unknown {
  return limit > 0 && all.length > limit ? new CutAnswer(all.slice(0, limit)) : all
}

const errorTypes: Readonly<Record<number, string>> = {
  400: 'bad_data',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  413: 'bad_data',
  415: 'bad_data',
  422: 'execution',
}

/** A failure as Prometheus words it: clients branch on `errorType`. */
export function failure(
  thrown: unknown,
  where: { readonly method: string; readonly path: string },
  log: Log,
): { status: number; body: PrometheusFailure } {
  const { status, body } = answerFor(thrown, where, log)
  const timeout = thrown instanceof Fault && thrown.code === 'metrics-promql-timeout'
  const errorType = timeout
    ? 'timeout'
    : (errorTypes[status] ?? (status === 503 ? 'unavailable' : 'internal'))
  return { status, body: { status: 'error', errorType, error: body.error.message } }
}
