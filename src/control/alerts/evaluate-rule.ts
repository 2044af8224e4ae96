// Owns one evaluation of one rule: what its expression gives at a moment and, of an alerting rule, in which words.
// The same for rules that run and for tests of rules.
import type { MetricsStore, SharedFrames } from '#metrics'
import { controlFaults } from '../faults.ts'
import { ACTIVE_MAX } from './advance.ts'
import { type AlertItem, type ConditionItem, renderAlert, type TemplateContext } from './render-alert.ts'
import type { Rule } from './rule.ts'
import type { SampleValue } from './template/value.ts'

export interface EvaluationContext extends Pick<TemplateContext, 'externalLabels' | 'externalUrl'> {
  readonly store: MetricsStore
  /** Of rules that are evaluated together, at one moment. */
  readonly shared?: SharedFrames
}

export interface Evaluated {
  readonly items: readonly ConditionItem[]
  /** Of an alerting rule: the same, in its words. */
  readonly alerts: readonly AlertItem[]
  /** False: not one series was there to be looked at. */
  readonly hadData: boolean
  /** Series that were looked at. */
  readonly series: number
}

/** `now` is fleet time in ms. Throws what the store throws. */
export async function evaluateRule(rule: Rule, now: number, context: EvaluationContext): Promise<Evaluated> {
  const { externalLabels, externalUrl } = context
  const { items, hadData, series } = await ask(context, rule.expr, now)
  if (rule.limit > 0 && items.length > rule.limit)
    throw controlFaults.fault(
      'control-rule-over-limit',
      `${items.length} results, and the limit of its group is ${rule.limit}`,
    )
  if (rule.kind === 'record') return { items, alerts: [], hadData, series }
  const query = async (text: string): Promise<readonly SampleValue[]> =>
    (await ask(context, text, now)).items.map(({ labels, value }) => ({ kind: 'sample', labels, value }))
  const alerts: AlertItem[] = []
  // One more than is taken, so that it is noticed that there were more.
  for (const item of items.slice(0, ACTIVE_MAX + 1))
    alerts.push(await renderAlert(rule, item, { externalLabels, externalUrl, ask: query }))
  return { items, alerts, hadData, series }
}

async function ask(
  { store, shared }: EvaluationContext,
  text: string,
  now: number,
): Promise<Omit<Evaluated, 'alerts'>> {
  const question = { text, fromMs: now, toMs: now, stepMs: null, urgent: true, ...(shared && { shared }) }
  const { value, explain } = await store.ask(question)
  const items = vectorOf(value)
  return { items, hadData: explain.series > 0 || items.length > 0, series: explain.series }
}

function vectorOf(value: ReturnType<MetricsStore['query']>): readonly ConditionItem[] {
  if (value.kind === 'vector') return value.items
  if (value.kind === 'scalar') return [{ labels: {}, value: value.value }]
  throw new TypeError(`a rule gives a vector or a scalar, this one a ${value.kind}`)
}
