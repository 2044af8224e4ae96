// Owns the small template language of annotations and labels: `{{ $labels.x }}` and `{{ $value }}`.
// It refuses every other expression when rules are loaded, never when an alert fires.
import type { Labels } from '#base'
import { formatNumber } from '#metrics'

const EXPRESSION = /\{\{(.*?)\}\}/gs
const LABEL = /^\s*-?\s*\$labels\.([A-Za-z_][A-Za-z0-9_]*)\s*-?\s*$/
const VALUE = /^\s*\$value\s*$/
/** Significant digits of a value in words. */
const DIGITS = 4

/** The first expression that cannot be rendered; null when all can. */
export function unknownExpression(text: string): string | null {
  for (const [whole, inner = ''] of text.matchAll(EXPRESSION)) {
    if (!LABEL.test(inner) && !VALUE.test(inner)) return whole
  }
  const rest = text.replaceAll(EXPRESSION, '')
  return rest.includes('{{') || rest.includes('}}') ? text : null
}

export function renderTemplate(text: string, labels: Labels, value: number): string {
  return text.replaceAll(EXPRESSION, (_, inner: string) => {
    const label = LABEL.exec(inner)?.[1]
    if (label !== undefined) return labels[label] ?? ''
    return Number.isFinite(value) ? formatNumber(Number(value.toPrecision(DIGITS))) : formatNumber(value)
  })
}
