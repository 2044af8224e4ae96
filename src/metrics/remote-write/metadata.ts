// Owns what a sender tells about its metrics beside their samples: type, help, unit. It refuses numbers that are no type.
export interface MetricMetadata {
  readonly name: string
  /** As the Prometheus API words it. */
  readonly type: string
  readonly help: string
  readonly unit: string
}

/** `MetricMetadata.MetricType` of 1.0 and `Metadata.MetricType` of 2.0 have the same numbers. */
const TYPES = ['unknown', 'counter', 'gauge', 'histogram', 'gaugehistogram', 'summary', 'info', 'stateset']

export function typeName(type: number): string {
  return TYPES[type] ?? 'unknown'
}

/** 2.0 tells it with each series: those of a histogram or summary have more in their name than their family. */
export function familyOf(name: string, type: string): string {
  return type === 'histogram' || type === 'summary' ? name.replace(/_(bucket|sum|count)$/, '') : name
}
