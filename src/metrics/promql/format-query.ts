// Owns writing a query in its canonical form: one line where it fits, else indented, as Prometheus' format_query does.
// It refuses nothing that parses, and what it writes parses to the same tree.
import { unreachable } from '#base'
import { formatPlain } from '../format-number.ts'
import { METRIC_NAME } from '../labels.ts'
import type { Matcher } from '../matchers.ts'
import type { AggregateExpr, AtModifier, BinaryExpr, Expr, Matching } from './ast.ts'
import { parseQuery } from './parse.ts'

const LINE_CHARACTERS_MAX = 100
const INDENT = '  '

/** Throws metrics-promql-syntax or -unsupported, as a query does. */
export function formatQuery(text: string): string {
  return pretty(parseQuery(text), 0)
}

/** In one line, however long: equal for equal trees. */
export function exprText(expr: Expr): string {
  return flat(expr)
}

function pretty(expr: Expr, level: number): string {
  const indent = INDENT.repeat(level)
  const line = `${indent}${flat(expr)}`
  if (line.length <= LINE_CHARACTERS_MAX) return line
  const block = (head: string, inner: readonly Expr[], tail = ''): string =>
    `${indent}${head}(\n${inner.map(one => pretty(one, level + 1)).join(',\n')}\n${indent})${tail}`
  switch (expr.kind) {
    case 'paren':
      return block('', [expr.inner])
    case 'call':
      return expr.args.length === 0 ? line : block(expr.name, expr.args)
    case 'aggregate':
      return block(aggregateHead(expr), argumentsOf(expr))
    case 'binary': {
      const right = pretty(expr.right, level + 1)
      return `${pretty(expr.left, level + 1)}\n${indent}${operatorText(expr)}\n${right}`
    }
    case 'negate':
      return `${indent}-${pretty(expr.inner, level).trimStart()}`
    case 'subquery':
      return `${pretty(expr.inner, level)}${subqueryTail(expr)}`
    case 'number':
    case 'string':
    case 'selector':
    case 'range':
      return line
    default:
      return unreachable(expr)
  }
}

function flat(expr: Expr): string {
  switch (expr.kind) {
    case 'number':
      return formatPlain(expr.value)
    case 'string':
      return quoted(expr.text)
    case 'paren':
      return `(${flat(expr.inner)})`
    case 'negate':
      return `-${flat(expr.inner)}`
    case 'selector':
      return `${seriesText(expr.matchers)}${shiftText(expr)}`
    case 'range':
      return `${seriesText(expr.selector.matchers)}[${durationText(expr.rangeMs)}]${shiftText(expr.selector)}`
    case 'subquery':
      return `${flat(expr.inner)}${subqueryTail(expr)}`
    case 'call':
      return `${expr.name}(${expr.args.map(flat).join(', ')})`
    case 'aggregate':
      return `${aggregateHead(expr)}(${argumentsOf(expr).map(flat).join(', ')})`
    case 'binary':
      return `${flat(expr.left)} ${operatorText(expr)} ${flat(expr.right)}`
    default:
      return unreachable(expr)
  }
}

function argumentsOf({ parameter, inner }: AggregateExpr): readonly Expr[] {
  return parameter === null ? [inner] : [parameter, inner]
}

function aggregateHead({ operator, labels, without }: AggregateExpr): string {
  if (!without && labels.length === 0) return operator
  return `${operator} ${without ? 'without' : 'by'} (${namesText(labels)}) `
}

function operatorText({ operator, bool, matching }: BinaryExpr): string {
  return `${operator}${bool ? ' bool' : ''}${matchingText(matching)}`
}

function matchingText({ on, labels, cardinality, include }: Matching): string {
  const isPlain = !on && labels.length === 0
  if (isPlain && cardinality === 'one-to-one') return ''
  const clause = ` ${on ? 'on' : 'ignoring'} (${namesText(labels)})`
  if (cardinality === 'one-to-one') return clause
  return `${clause} ${cardinality === 'many-to-one' ? 'group_left' : 'group_right'} (${namesText(include)})`
}

const PLAIN_LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/
const PLAIN_METRIC = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/

function namesText(names: readonly string[]): string {
  return names.map(name => (PLAIN_LABEL.test(name) ? name : quoted(name))).join(', ')
}

/** The name stands before the braces where there is one, and nothing else that speaks of names. */
function seriesText(matchers: readonly Matcher[]): string {
  const named = matchers.filter(one => one.name === METRIC_NAME)
  const [first] = named
  const own = named.length === 1 && first?.operator === '=' && PLAIN_METRIC.test(first.value) ? first : null
  const inside = matchers
    .filter(one => one !== own)
    .map(({ name, operator, value }) => `${namesText([name])}${operator}${quoted(value)}`)
    .sort()
  if (own === null) return `{${inside.join(',')}}`
  return inside.length === 0 ? own.value : `${own.value}{${inside.join(',')}}`
}

function subqueryTail(expr: Extract<Expr, { kind: 'subquery' }>): string {
  const step = expr.stepMs === null ? '' : durationText(expr.stepMs)
  return `[${durationText(expr.rangeMs)}:${step}]${shiftText(expr)}`
}

function shiftText({ at, offsetMs }: { readonly at: AtModifier | null; readonly offsetMs: number }): string {
  const instant = at === null ? '' : typeof at === 'string' ? ` @ ${at}()` : ` @ ${(at / 1000).toFixed(3)}`
  const sign = offsetMs < 0 ? '-' : ''
  return `${instant}${offsetMs === 0 ? '' : ` offset ${sign}${durationText(Math.abs(offsetMs))}`}`
}

const UNITS: readonly (readonly [unit: string, ms: number, onlyWhole: boolean])[] = [
  // Years and weeks only where nothing is left over: 8 days are no week and a day to people.
  ['y', 31_536_000_000, true],
  ['w', 604_800_000, true],
  ['d', 86_400_000, false],
  ['h', 3_600_000, false],
  ['m', 60_000, false],
  ['s', 1000, false],
  ['ms', 1, false],
]

function durationText(ms: number): string {
  let text = ''
  let rest = ms
  for (const [unit, unitMs, onlyWhole] of UNITS) {
    if (rest < unitMs || (onlyWhole && rest % unitMs !== 0)) continue
    text += `${Math.floor(rest / unitMs)}${unit}`
    rest %= unitMs
  }
  return text === '' ? '0s' : text
}

/** JSON's escapes are among those of PromQL. */
function quoted(text: string): string {
  return JSON.stringify(text)
}
