// Owns label_replace, label_join and the labels of absent. It refuses names that are no label names.
import { type Labels, messageOf } from '#base'
import { METRIC_NAME, valueOf, withLabel } from '../labels.ts'
import { compilePattern, type Matcher } from '../matchers.ts'
import type { Expr } from './ast.ts'
import type { Row } from './frame.ts'
import type { QueryMeter } from './meter.ts'
import { mapEach, type Steps } from './steps.ts'
import { executionFault } from './syntax-fault.ts'

export interface Replacement {
  readonly target: string
  readonly template: string
  readonly source: string
  readonly pattern: string
}

export function* labelReplace(
  rows: readonly Row[],
  replacement: Replacement,
  meter: QueryMeter,
): Steps<Row[]> {
  const { target, template, source, pattern } = replacement
  if (target === '') throw executionFault('label_replace: expected a destination label, got an empty name')
  const compiled = patternOf(pattern)
  return yield* mapEach(rows, meter, row => {
    const matcher = compiled.matcher(valueOf(row.labels, source))
    if (!matcher.matches()) return row
    const value = expand(template, name => {
      const index = /^\d+$/.test(name) ? Number(name) : null
      if (index !== null) return index <= matcher.groupCount() ? (matcher.group(index) ?? '') : ''
      // A name that the pattern does not have is empty, as in Go's Expand.
      return Object.hasOwn(compiled.namedGroups(), name) ? (matcher.group(name) ?? '') : ''
    })
    return { ...row, labels: withLabel(row.labels, target, value) }
  })
}

/** Known only when the query runs, so that a bad one is a failure of execution, as in Prometheus. */
function patternOf(pattern: string): ReturnType<typeof compilePattern> {
  try {
    return compilePattern(pattern)
  } catch (error) {
    throw executionFault(`label_replace: ${messageOf(error)}`)
  }
}

/** Go's regexp.Expand: $1, $name, ${name}; $$ is a dollar. The longest run of word characters is the name. */
function expand(template: string, group: (name: string) => string): string {
  return template.replaceAll(/\$(?:(\$)|(\w+)|\{(\w+)\})?/g, (whole, dollar, plain, braced) => {
    if (dollar !== undefined) return '$'
    const name: unknown = plain ?? braced
    return typeof name === 'string' ? group(name) : whole
  })
}

export function* labelJoin(
  rows: readonly Row[],
  [target, separator, sources]: readonly [target: string, separator: string, sources: readonly string[]],
  meter: QueryMeter,
): Steps<Row[]> {
  if (target === '') throw executionFault('label_join: expected a destination label, got an empty name')
  return yield* mapEach(rows, meter, row => {
    const value = sources.map(name => valueOf(row.labels, name)).join(separator)
    return { ...row, labels: withLabel(row.labels, target, value) }
  })
}

/** What absent can say about the series that is missing: the labels that its matchers fix. */
export function absentLabels(argument: Expr): Labels {
  let labels: Labels = {}
  const seen = new Set<string>()
  for (const matcher of matchersOf(argument)) {
    if (matcher.name === METRIC_NAME) continue
    const isFixed = matcher.operator === '=' && !seen.has(matcher.name)
    labels = withLabel(labels, matcher.name, isFixed ? matcher.value : '')
    if (isFixed) seen.add(matcher.name)
  }
  return labels
}

function matchersOf(expr: Expr): readonly Matcher[] {
  if (expr.kind === 'paren') return matchersOf(expr.inner)
  if (expr.kind === 'selector') return expr.matchers
  return expr.kind === 'range' ? expr.selector.matchers : []
}
