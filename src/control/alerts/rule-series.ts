// Owns the series that rules write: what recording rules give, ALERTS and ALERTS_FOR_STATE as Prometheus has them. Pure.

import type { Labels } from '#base'
import { staleMarker, type WriteSeries } from '#metrics'
import type { StoredAlert } from '../state/alerts.ts'
import type { ConditionItem } from './render-alert.ts'
import type { RecordingRule } from './rule.ts'

/** `ALERTS{alertname, alertstate, ...}` is 1, and stale once the state is left. */
export function alertSeries(alert: StoredAlert, now: number, value: number): WriteSeries {
  const labels = { ...alert.labels, __name__: 'ALERTS', alertstate: alert.state }
  return { labels, samples: [{ timestampMs: now, value }] }
}

/** `ALERTS_FOR_STATE{alertname, ...}` is when the condition began to hold, in s; stale once the alert is over. */
export function forStateSeries(alert: StoredAlert, now: number, isOver: boolean): WriteSeries {
  const labels = { ...alert.labels, __name__: 'ALERTS_FOR_STATE' }
  // Whole seconds, as Prometheus writes them.
  const value = isOver ? staleMarker() : Math.floor(alert.activeAt / 1000)
  return { labels, samples: [{ timestampMs: now, value }] }
}

/** What the results of a rule were recorded under the last time: mostly they stand at the same places again. */
export type RecordedLabels = { readonly of: Labels; readonly labels: Labels }[]

export function recorded(
  rule: RecordingRule,
  items: readonly ConditionItem[],
  now: number,
  known: RecordedLabels,
): WriteSeries[] {
  known.length = Math.min(known.length, items.length)
  return items.map((item, at) => {
    let here = known[at]
    if (here?.of !== item.labels) {
      here = { of: item.labels, labels: { ...item.labels, ...rule.labels, __name__: rule.name } }
      known[at] = here
    }
    return { labels: here.labels, samples: [{ timestampMs: now, value: item.value }] }
  })
}
