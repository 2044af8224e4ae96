// Owns the list of functions with the types they take and give. It refuses by absence: what is not here is unsupported.
// See https://prometheus.io/docs/prometheus/latest/querying/functions/
import type { ValueType } from './ast.ts'

export interface Signature {
  readonly takes: readonly ValueType[]
  /** How many of the last arguments may be left out. */
  readonly optional: number
  readonly gives: ValueType
}

const signatures = new Map<string, Signature>()

function declare(
  names: string,
  takes: readonly ValueType[],
  gives: ValueType = 'vector',
  optional = 0,
): void {
  for (const name of names.split(' ')) signatures.set(name, { takes, optional, gives })
}

declare('rate irate increase delta idelta deriv changes resets absent_over_time', ['matrix'])
declare('avg_over_time min_over_time max_over_time sum_over_time count_over_time last_over_time', ['matrix'])
declare('stddev_over_time stdvar_over_time present_over_time', ['matrix'])
declare('quantile_over_time', ['scalar', 'matrix'])
declare('predict_linear', ['matrix', 'scalar'])
declare('double_exponential_smoothing', ['matrix', 'scalar', 'scalar'])
declare('absent abs ceil floor exp ln log2 log10 sqrt sgn deg rad timestamp sort sort_desc', ['vector'])
declare('acos acosh asin asinh atan atanh cos cosh sin sinh tan tanh', ['vector'])
declare('clamp', ['vector', 'scalar', 'scalar'])
declare('clamp_min clamp_max', ['vector', 'scalar'])
declare('round', ['vector', 'scalar'], 'vector', 1)
declare('scalar', ['vector'], 'scalar')
declare('vector', ['scalar'])
declare('time pi', [], 'scalar')
declare('minute hour day_of_week day_of_month day_of_year days_in_month month year', ['vector'], 'vector', 1)
declare('label_replace', ['vector', 'string', 'string', 'string', 'string'])
declare('label_join', ['vector', 'string', 'string', 'string'], 'vector', 1)
declare('histogram_quantile', ['scalar', 'vector'])

export function signatureOf(name: string): Signature | undefined {
  return signatures.get(name)
}
