// Owns label matchers. It refuses regular expressions that RE2 refuses, and overlong ones; RegExp is never used on them.
import { RE2JS } from 're2js'
import { messageOf } from '#base'
import { metricsFaults } from './faults.ts'

export type MatchOperator = '=' | '!=' | '=~' | '!~'

export interface Matcher {
  readonly name: string
  readonly operator: MatchOperator
  readonly value: string
  readonly test: (value: string) => boolean
}

const PATTERN_CHARACTERS_MAX = 4096 // longer ones are generated lists that belong in labels
const PATTERNS_MAX = 500 // compiled patterns that are kept: pages and rules together use some dozens

const patterns = new Map<string, RE2JS>()

/** `position` (a character offset in the query) is only for the message. */
export function makeMatcher(
  name: string,
  operator: MatchOperator,
  value: string,
  position: number | null = null,
): Matcher {
  return { name, operator, value, test: tester(operator, value, position) }
}

function tester(operator: MatchOperator, value: string, position: number | null): (text: string) => boolean {
  if (operator === '=') return text => text === value
  if (operator === '!=') return text => text !== value
  const pattern = compilePattern(value, position)
  return operator === '=~' ? text => pattern.matches(text) : text => !pattern.matches(text)
}

/** Compiles a pattern as Prometheus 3 does: the dot matches newlines too. Whether it is anchored is the caller's choice. */
export function compilePattern(pattern: string, position: number | null = null): RE2JS {
  const known = patterns.get(pattern)
  if (known !== undefined) return known
  const where = position === null ? '' : ` at position ${position}`
  if (pattern.length > PATTERN_CHARACTERS_MAX) {
    const message = `regular expression${where}: expected at most ${PATTERN_CHARACTERS_MAX} characters, got ${pattern.length}`
    throw metricsFaults.fault('metrics-promql-syntax', message)
  }
  try {
    const compiled = RE2JS.compile(pattern, RE2JS.DOTALL)
    if (patterns.size >= PATTERNS_MAX) patterns.delete(patterns.keys().next().value ?? '')
    patterns.set(pattern, compiled)
    return compiled
  } catch (error) {
    const message = `regular expression${where}: ${messageOf(error)}`
    throw metricsFaults.fault('metrics-promql-syntax', message, { cause: error })
  }
}
