// Owns the words of an alert: its labels and annotations from the rule's templates and one result of its condition.
// A template that fails says so in its own text, as Prometheus does; it never stops a rule.
import { messageOf } from '#base'
import type { AlertingRule } from './rule.ts'
import { callTemplate, type Template, type TemplateData } from './template/call-template.ts'
import type { SampleValue } from './template/value.ts'

export interface ConditionItem {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** A result of a condition in the words of its rule. */
export interface AlertItem extends ConditionItem {
  /** The sample's labels without its name, then the rule's, then alertname: as Prometheus merges them. */
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

/** What templates can use besides the result. */
export interface TemplateContext {
  readonly externalLabels: Readonly<Record<string, string>>
  readonly externalUrl: string
  /** `query` at the moment of the evaluation. */
  readonly ask: (expression: string) => Promise<readonly SampleValue[]>
}

export async function renderAlert(
  rule: AlertingRule,
  item: ConditionItem,
  context: TemplateContext,
): Promise<AlertItem> {
  const { externalLabels, externalUrl, ask } = context
  const data = { labels: item.labels, externalLabels, externalUrl, value: item.value }
  const labels: Record<string, string> = { ...item.labels }
  delete labels['__name__']
  for (const [name, template] of Object.entries(rule.templates.labels)) {
    const text = await textOf(template, data, ask)
    if (text === '') delete labels[name]
    else labels[name] = text
  }
  labels['alertname'] = rule.name
  const annotations: Record<string, string> = {}
  for (const [name, template] of Object.entries(rule.templates.annotations))
    annotations[name] = await textOf(template, data, ask)
  return { labels, annotations, value: item.value }
}

async function textOf(template: Template, data: TemplateData, ask: TemplateContext['ask']): Promise<string> {
  if (typeof template === 'string') return template
  try {
    return await callTemplate(template, data, ask)
  } catch (error) {
    return `<error expanding template: ${messageOf(error)}>`
  }
}
