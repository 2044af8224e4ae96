// Owns the short list of what is allowed to differ from Prometheus 2.42, each with its reason. Everything else is a failure.

export interface KnownDifference {
  readonly reason: string
  readonly applies: (query: string, difference: string) => boolean
}

export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  {
    reason: 'atan2 drops the metric name since 2.46: https://github.com/prometheus/prometheus/pull/12595',
    applies: query => query.includes('atan2'),
  },
  {
    reason:
      'the deviation of a single infinity or NaN is NaN since 3.0, not 0: https://github.com/prometheus/prometheus/pull/14941',
    applies: (query, difference) =>
      /std(dev|var)/.test(query) &&
      (/odd|huge|quantile/.test(query) || /theirs -?0, ours NaN/.test(difference)),
  },
  {
    reason:
      '2.42 does not see that a changing scalar makes f(scalar, x @ t) change with the steps, and moves its windows; @ fixes them by its definition',
    applies: query => /predict_linear|quantile|holt_winters/.test(query) && query.includes('@'),
  },
  {
    reason:
      'label names may be quoted since 3: https://prometheus.io/docs/prometheus/latest/migration/#utf-8-names',
    applies: (_query, difference) => /unexpected string .* in grouping opts/.test(difference),
  },
  {
    reason:
      'durations may be plain seconds, signed, and stand for numbers since 3.0: https://github.com/prometheus/prometheus/pull/9138',
    applies: (_query, difference) =>
      /missing unit character in duration|unexpected duration|expected duration/.test(difference),
  },
  {
    reason:
      'which of 0 and -0 comes first in a sorted list is nowhere defined, and 3 adds a compensation of 0 to sums, which makes -0 a 0',
    applies: (query, difference) =>
      /sum|avg|quantile/.test(query) && /theirs -0, ours 0|theirs 0, ours -0|"-0"/.test(difference),
  },
]
