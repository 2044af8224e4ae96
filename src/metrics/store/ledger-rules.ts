// Owns which series count in the ledger, and as what. All of them are written by Vitrine's own servers.
import type { Labels } from '#base'
import { METRIC_NAME, valueOf } from '../labels.ts'

export type LedgerMeasure = 'bytes' | 'requests' | 'viewer-seconds'
export type LedgerRole = 'edge' | 'origin'

/** What of a series counts: growth of a counter, or a gauge times the seconds for which it stood. */
export interface LedgerRule {
  readonly measure: LedgerMeasure
  readonly role: LedgerRole
  readonly isCounter: boolean
}

const RULES: ReadonlyMap<string, LedgerRule> = new Map<string, LedgerRule>([
  ['vitrine_edge_sent_bytes_total', { measure: 'bytes', role: 'edge', isCounter: true }],
  ['vitrine_origin_sent_bytes_total', { measure: 'bytes', role: 'origin', isCounter: true }],
  ['vitrine_edge_requests_total', { measure: 'requests', role: 'edge', isCounter: true }],
  ['vitrine_origin_requests_total', { measure: 'requests', role: 'origin', isCounter: true }],
  ['vitrine_fleet_watching', { measure: 'viewer-seconds', role: 'edge', isCounter: false }],
])

/** Gauges that say when the counters of a server were zero, in seconds since 1970. */
const SINCE: ReadonlyMap<string, LedgerRole> = new Map<string, LedgerRole>([
  ['vitrine_edge_counting_since_seconds', 'edge'],
  ['vitrine_origin_counting_since_seconds', 'origin'],
])

export const LEDGER_METRICS: readonly string[] = [...RULES.keys(), ...SINCE.keys()]

/** Null: the series does not count. What our own agents and probes ask for is nobody's traffic. */
export function ruleOf(labels: Labels): LedgerRule | null {
  if (valueOf(labels, 'kind') === 'internal') return null
  return RULES.get(valueOf(labels, METRIC_NAME)) ?? null
}

export function sinceRole(labels: Labels): LedgerRole | null {
  return SINCE.get(valueOf(labels, METRIC_NAME)) ?? null
}
