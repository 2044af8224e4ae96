// Owns reading the label set of one series as people write it: `name{label="value"}`. It refuses matchers that are
// not `=`, and anything that is no selector.
import type { Labels } from '#base'
import { parseSelector } from './parse.ts'
import { syntaxFault } from './syntax-fault.ts'

/** `labels` includes `__name__` when there is a name; `{}` has none at all. Throws metrics-promql-syntax. */
export function parseSeries(text: string): Labels {
  if (/^\s*\{\s*\}\s*$/.test(text)) return {}
  const labels: Record<string, string> = {}
  for (const { name, operator, value } of parseSelector(text)) {
    if (operator !== '=') throw syntaxFault(`expected ${name}="...", got ${name}${operator}"..."`, 0)
    labels[name] = value
  }
  return labels
}
