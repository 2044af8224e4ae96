// Owns the text of rule files as the page makes it: a new file, and one rule taken out of another. Pure.

export const NEW_RULE_TEXT = `groups:
  - name: own
    interval: 5s
    rules:
      - alert: ManyViewersOnOneEdge
        expr: vitrine_fleet_watching > 500
        for: 1m
        keep_firing_for: 1m
        labels:
          severity: warning
        annotations:
          summary: "{{ $labels.instance }} has {{ $value }} viewers"
          description: "More than 500 for a minute."
`

const INDENT = '      '

/** A file of one group with the rule that begins on that line (from 1); null: none does. */
export function copyOfRule(text: string, line: number, intervalMs: number): string | null {
  const lines = text.split('\n')
  const first = lines[line - 1]
  const dash = first === undefined ? -1 : first.search(/\S/)
  if (first === undefined || dash === -1 || first[dash] !== '-') return null
  const end = lines.findIndex(
    (later, place) => place >= line && later.trim() !== '' && later.search(/\S/) <= dash,
  )
  const own = lines
    .slice(line - 1, end === -1 ? undefined : end)
    .map(one => `${INDENT}${one.slice(dash)}`.trimEnd())
  const interval = intervalMs % 60_000 === 0 ? `${intervalMs / 60_000}m` : `${intervalMs / 1000}s`
  return `groups:\n  - name: own\n    interval: ${interval}\n    rules:\n${own.join('\n').trimEnd()}\n`
}

/** `EdgeErrorRatio` -> `edge-error-ratio.yaml`. */
export function fileNameFor(rule: string): string {
  const words = rule
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
  return `${words === '' ? 'own' : words.slice(0, 80)}.yaml`
}
