// Owns the series that rules write: what recording rules give, and ALERTS as Prometheus has it. Pure.
import type { WriteSeries } from '#metrics'
import type { StoredAlert } from '../state/alerts.ts'
import type { ConditionItem } from './render-alert.ts'
import type { RecordingRule } from './rule.ts'

/** `ALERTS{alertname, alertstate, ...}` is 1, and stale once the state is left. */
export function alertSeries(alert: StoredAlert, now: number, value: number): WriteSeries {
  const labels = { ...alert.labels, __name__: 'ALERTS', alertstate: alert.state }
  return { labels, samples: [{ timestampMs: now, value }] }
}

export function recorded(rule: RecordingRule, items: readonly ConditionItem[], now: number): WriteSeries[] {
  return items.map(item => ({
    labels: { ...item.labels, ...rule.labels, __name__: rule.name },
    samples: [{ timestampMs: now, value: item.value }],
  }))
}
