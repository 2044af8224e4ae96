// Owns rules and alerts as the Prometheus HTTP API words them.
// See https://prometheus.io/docs/prometheus/latest/querying/api/#rules
import { formatNumber } from '#metrics'
import type { RuleGroupStatus, RuleStatus } from '../alerts/keeper-contract.ts'
import type { ControlContext } from '../context.ts'
import type { StoredAlert } from '../state/alerts.ts'
import { bad, type Parameters } from './prometheus-parameters.ts'

const kinds = { alert: 'alerting', record: 'recording' } as const

/** All groups; `type`, `file[]`, `rule_group[]` and `rule_name[]` narrow them, `exclude_alerts` leaves alerts out. */
export function rules(parameters: Parameters, { alerts }: ControlContext): unknown {
  const type = parameters.get('type')?.[0] ?? ''
  if (type !== '' && type !== 'alert' && type !== 'record') throw bad('type', 'alert or record is expected')
  const wanted = (name: string, value: string): boolean => parameters.get(name)?.includes(value) ?? true
  const withAlerts = parameters.get('exclude_alerts')?.[0] !== 'true'
  const groups = alerts
    .groups()
    .filter(({ group }) => wanted('file[]', group.file) && wanted('rule_group[]', group.name))
    .map(status => ({
      ...status,
      rules: status.rules.filter(
        ({ rule }) => (type === '' || rule.kind === type) && wanted('rule_name[]', rule.name),
      ),
    }))
  const narrowed = type !== '' || parameters.has('rule_name[]')
  return {
    groups: groups
      .filter(({ rules: left }) => !narrowed || left.length > 0)
      .map(status => groupView(status, withAlerts)),
  }
}

/** Pending and firing alerts. */
export function activeAlerts(_parameters: Parameters, { alerts }: ControlContext): unknown {
  return { alerts: alerts.active().map(alertView) }
}

function groupView({ group, rules: statuses }: RuleGroupStatus, withAlerts: boolean): unknown {
  const times = statuses.flatMap(({ last }) => (last === null ? [] : [last]))
  return {
    name: group.name,
    file: group.file,
    interval: group.intervalMs / 1000,
    limit: 0,
    rules: statuses.map(status => ruleView(status, withAlerts)),
    evaluationTime: times.reduce((sum, { tookMs }) => sum + tookMs, 0) / 1000,
    lastEvaluation: isoTime(Math.max(0, ...times.map(({ at }) => at))),
  }
}

function ruleView({ rule, last, alerts }: RuleStatus, withAlerts: boolean): unknown {
  const common = {
    type: kinds[rule.kind],
    name: rule.name,
    query: rule.expr,
    labels: rule.labels,
    health: last === null ? 'unknown' : last.problem === null ? 'ok' : 'err',
    ...(last === null || last.problem === null ? {} : { lastError: last.problem }),
    evaluationTime: (last?.tookMs ?? 0) / 1000,
    lastEvaluation: isoTime(last?.at ?? 0),
  }
  if (rule.kind === 'record') return common
  const firing = alerts.some(({ state }) => state === 'firing')
  return {
    ...common,
    state: firing ? 'firing' : alerts.length > 0 ? 'pending' : 'inactive',
    duration: rule.forMs / 1000,
    keepFiringFor: rule.keepFiringForMs / 1000,
    annotations: rule.annotations,
    ...(withAlerts ? { alerts: alerts.map(alertView) } : {}),
  }
}

function alertView({ labels, annotations, state, activeAt, value }: StoredAlert): unknown {
  const text = formatNumber(value ?? Number.NaN)
  return { labels, annotations, state, activeAt: isoTime(activeAt), value: text }
}

/** Prometheus writes times as RFC 3339. */
function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}
