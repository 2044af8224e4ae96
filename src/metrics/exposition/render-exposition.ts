// Owns writing the Prometheus text format 0.0.4. It refuses nothing: base's counters only hold what can be rendered.
// See https://prometheus.io/docs/instrumenting/exposition_formats/
import type { Labels, MetricFamily } from '#base'
import { formatNumber } from '../format-number.ts'

export const EXPOSITION_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** The body of a `/metrics` answer. */
export function renderExposition(families: readonly MetricFamily[]): string {
  let text = ''
  for (const { name, type, help, points } of families) {
    text += `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`
    for (const point of points) {
      text += `${point.name}${renderLabels(point.labels)} ${formatNumber(point.value)}\n`
    }
  }
  return text
}

function renderLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeValue(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

function escapeValue(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"')
}
