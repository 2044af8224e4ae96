// Owns the short form of a family of gauges.
import type { Labels, MetricFamily } from '#base'

/** One value; null: not known, no family. */
export function gauge(name: string, help: string, value: number | null): MetricFamily[] {
  return value === null ? [] : [{ name, type: 'gauge', help, points: [{ name, labels: {}, value }] }]
}

/** One value a label set; none: no family. */
export function gauges(
  name: string,
  help: string,
  values: readonly (readonly [labels: Labels, value: number])[],
): MetricFamily[] {
  if (values.length === 0) return []
  return [{ name, type: 'gauge', help, points: values.map(([labels, value]) => ({ name, labels, value })) }]
}
