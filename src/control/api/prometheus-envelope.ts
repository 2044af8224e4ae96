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
