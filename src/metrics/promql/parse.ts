// Owns turning query text into a checked syntax tree, with Prometheus' own grammar for lezer.
// It refuses whatever Prometheus refuses, with the position, and names what it does not have.
import { parser } from '@prometheus-io/lezer-promql'
import { METRIC_NAME } from '../labels.ts'
import { type Matcher, type MatchOperator, makeMatcher } from '../matchers.ts'
import type { AtModifier, Cardinality, Expr, Matching, SelectorExpr } from './ast.ts'
import { PARAMETERS } from './ast.ts'
import { checkBinary, checkCall, checkType, typeOf } from './check.ts'
import { parseDurationMs, parseNumberLiteral, parseString } from './literals.ts'
import { bind, type Token } from './precedence.ts'
import { syntaxFault, unsupportedFault } from './syntax-fault.ts'

const QUERY_CHARACTERS_MAX = 64 * 1024 // a page of topk over a thousand instances stays below
const DEPTH_MAX = 100 // nested expressions; recursion must end before the stack does

type Node = ReturnType<typeof parser.parse>['topNode']

export function parseQuery(text: string): Expr {
  if (text.length > QUERY_CHARACTERS_MAX) {
    throw syntaxFault(`expected at most ${QUERY_CHARACTERS_MAX} characters, got ${text.length}`, 0)
  }
  const top = parser.parse(text).topNode
  refuseErrors(text, top)
  const expr = children(top)[0]
  if (expr === undefined) throw syntaxFault('no expression found in input', 0)
  return new TreeReader(text).expr(expr, 0)
}

/** The matchers of one selector, as `match[]` of the API gives it. */
export function parseSelector(text: string): readonly Matcher[] {
  const expr = parseQuery(text)
  if (expr.kind !== 'selector' || expr.offsetMs !== 0 || expr.at !== null) {
    throw syntaxFault('expected a series selector', expr.position)
  }
  return expr.matchers
}

function refuseErrors(text: string, top: Node): void {
  const cursor = top.cursor()
  let depth = 0
  let descending = true
  // The cursor walks without recursion, so that a hostile depth is found before anything recurses.
  for (;;) {
    if (descending) {
      if (cursor.type.isError) {
        refuseUnknownFunction(text, cursor.from)
        const rest = text.slice(cursor.from, cursor.from + 20)
        const found = rest.trim() === '' ? 'end of input' : JSON.stringify(rest)
        throw syntaxFault(`unexpected ${found}`, cursor.from)
      }
      if (depth > DEPTH_MAX * 4) throw syntaxFault('expected less nesting', cursor.from)
      if (cursor.firstChild()) {
        depth += 1
        continue
      }
    }
    if (cursor.nextSibling()) {
      descending = true
      continue
    }
    if (!cursor.parent()) return
    depth -= 1
    descending = false
  }
}

/** The grammar knows functions by name, so that the arguments of an unknown one are what it stumbles over. */
function refuseUnknownFunction(text: string, position: number): void {
  if (text[position] !== '(') return
  const name = /[a-zA-Z_][a-zA-Z0-9_]*(?=\s*$)/.exec(text.slice(0, position))
  if (name === null) return
  const renamed = name[0] === 'holt_winters' ? ' (since Prometheus 3 it is double_exponential_smoothing)' : ''
  throw syntaxFault(`unknown function ${name[0]}${renamed}`, name.index)
}

function children(node: Node): Node[] {
  const found: Node[] = []
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    if (child.name !== 'LineComment') found.push(child)
  }
  return found
}

const POSTFIX = new Set(['OffsetExpr', 'StepInvariantExpr', 'MatrixSelector', 'SubqueryExpr'])

class TreeReader {
  readonly #query: string

  constructor(query: string) {
    this.#query = query
  }

  expr(node: Node, depth: number): Expr {
    if (depth > DEPTH_MAX) throw syntaxFault('expected less nesting', node.from)
    const tokens: Token[] = []
    this.#flatten(node, tokens, depth)
    return bind(tokens)
  }

  /** Lists operands and operators of one parenthesis level in the order of the text. */
  #flatten(node: Node, tokens: Token[], depth: number): void {
    const parts = children(node)
    const first = parts[0]
    if (node.name === 'BinaryExpr' && first !== undefined) {
      this.#flatten(first, tokens, depth)
      tokens.push(this.#operator(parts.slice(1, -1)))
      this.#flatten(parts.at(-1) ?? node, tokens, depth)
    } else if (node.name === 'UnaryExpr') {
      tokens.push({ kind: 'unary', negative: this.#text(first) === '-', position: node.from })
      this.#flatten(parts[1] ?? node, tokens, depth)
    } else if (POSTFIX.has(node.name) && first !== undefined) {
      this.#flatten(first, tokens, depth)
      const last = tokens.pop()
      if (last?.kind !== 'operand') throw syntaxFault('expected an operand', node.from)
      tokens.push({ kind: 'operand', expr: this.#postfix(node, parts.slice(1), last.expr, depth) })
    } else if (node.name === 'NumberDurationLiteral' && /^[+-]/.test(this.#text(node))) {
      const text = this.#text(node)
      tokens.push({ kind: 'unary', negative: text.startsWith('-'), position: node.from })
      const value = parseNumberLiteral(text.slice(1).trim(), node.from)
      tokens.push({ kind: 'operand', expr: { kind: 'number', value, position: node.from } })
    } else {
      tokens.push({ kind: 'operand', expr: this.#operand(node, parts, depth) })
    }
  }

  #operand(node: Node, parts: readonly Node[], depth: number): Expr {
    const position = node.from
    switch (node.name) {
      case 'NumberDurationLiteral':
        return { kind: 'number', value: parseNumberLiteral(this.#text(node), position), position }
      case 'StringLiteral':
        return { kind: 'string', text: parseString(this.#text(node), position), position }
      case 'ParenExpr':
        return { kind: 'paren', inner: this.expr(parts[0] ?? node, depth + 1), position }
      case 'VectorSelector':
        return this.#selector(node, parts)
      case 'FunctionCall': {
        const name = this.#text(parts[0])
        const args = this.#arguments(parts[1], depth)
        checkCall(name, args, position)
        return { kind: 'call', name, args, position }
      }
      case 'AggregateExpr':
        return this.#aggregate(node, parts, depth)
      default:
        throw unsupportedFault(node.name.replace(/Expr$/, '').toLowerCase(), position)
    }
  }

  #arguments(body: Node | undefined, depth: number): Expr[] {
    return body === undefined ? [] : children(body).map(argument => this.expr(argument, depth + 1))
  }

  #aggregate(node: Node, parts: readonly Node[], depth: number): Expr {
    const operator = this.#text(parts[0]).toLowerCase()
    const position = node.from
    if (operator === 'limit_ratio') throw unsupportedFault(operator, position)
    const args = this.#arguments(
      parts.find(part => part.name === 'FunctionCallBody'),
      depth,
    )
    const modifier = parts.find(part => part.name === 'AggregateModifier')
    const clause = modifier === undefined ? [] : children(modifier)
    const parameterType = PARAMETERS[operator]
    const count = parameterType === undefined ? 1 : 2
    if (args.length !== count) {
      throw syntaxFault(`${operator}: expected ${count} argument(s), got ${args.length}`, position)
    }
    const inner = args.at(-1)
    const parameter = args.length === 2 ? (args[0] ?? null) : null
    if (inner === undefined) throw syntaxFault(`${operator}: expected an argument`, position)
    checkType(inner, 'vector', `aggregation ${operator}`)
    if (parameter !== null && parameterType !== undefined) checkType(parameter, parameterType, operator)
    const labels = this.#labelNames(clause[1]).sort()
    return {
      kind: 'aggregate',
      operator,
      parameter,
      inner,
      labels,
      without: clause[0]?.name === 'Without',
      position,
    }
  }

  #operator(parts: readonly Node[]): Token {
    const [sign, ...modifiers] = parts
    const operator = this.#text(sign).toLowerCase()
    const position = sign?.from ?? 0
    if (operator === '</' || operator === '>/') throw unsupportedFault(operator, position)
    let bool = false
    let matching: Matching | null = null
    for (const modifier of modifiers) {
      if (modifier.name === 'BoolModifier') bool = true
      else if (modifier.name === 'MatchingModifierClause') matching = this.#matching(modifier)
      else throw unsupportedFault('fill', modifier.from)
    }
    return {
      kind: 'binary',
      operator,
      make: (left, right) => checkBinary({ operator, left, right, bool, position }, matching),
    }
  }

  #matching(clause: Node): Matching {
    let on = false
    let cardinality: Cardinality = 'one-to-one'
    const lists: string[][] = []
    for (const part of children(clause)) {
      if (part.name === 'On') on = true
      else if (part.name === 'GroupLeft') cardinality = 'many-to-one'
      else if (part.name === 'GroupRight') cardinality = 'one-to-many'
      else if (part.name === 'GroupingLabels') lists.push(this.#labelNames(part))
    }
    const [labels = [], include = []] = lists
    const both = on ? include.find(name => labels.includes(name)) : undefined
    if (both !== undefined) {
      throw syntaxFault(
        `label ${JSON.stringify(both)} must not occur in ON and GROUP clause at once`,
        clause.from,
      )
    }
    return { on, labels: labels.sort(), cardinality, include }
  }

  #labelNames(list: Node | undefined): string[] {
    if (list === undefined) return []
    return children(list).map(node =>
      node.name === 'QuotedLabelName' ? parseString(this.#text(node), node.from) : this.#text(node),
    )
  }

  #selector(node: Node, parts: readonly Node[]): SelectorExpr {
    const matchers: Matcher[] = []
    const identifier = parts.find(part => part.name === 'Identifier')
    // Beside a name, as `name{...}` or `{"name", ...}`, there may be no matcher on names; without one there may be several.
    let isNamed = identifier !== undefined
    if (identifier !== undefined) matchers.push(makeMatcher(METRIC_NAME, '=', this.#text(identifier)))
    const list = parts.find(part => part.name === 'LabelMatchers')
    for (const part of list === undefined ? [] : children(list)) {
      const quoted = part.name === 'QuotedLabelName'
      if (isNamed && (quoted || this.#labelOf(part) === METRIC_NAME)) {
        throw syntaxFault('metric name must not be set twice', part.from)
      }
      isNamed ||= quoted
      if (quoted) matchers.push(makeMatcher(METRIC_NAME, '=', parseString(this.#text(part), part.from)))
      else matchers.push(this.#matcher(part))
    }
    if (matchers.every(matcher => matcher.test(''))) {
      throw syntaxFault('vector selector must contain at least one non-empty matcher', node.from)
    }
    return { kind: 'selector', matchers, offsetMs: 0, at: null, position: node.from }
  }

  #labelOf(matcher: Node): string {
    const [name] = children(matcher)
    const text = this.#text(name)
    return name?.name === 'QuotedLabelName' ? parseString(text, name.from) : text
  }

  #matcher(node: Node): Matcher {
    const [, operator, value] = children(node)
    const text = parseString(this.#text(value), value?.from ?? node.from)
    return makeMatcher(this.#labelOf(node), this.#text(operator) as MatchOperator, text, node.from)
  }

  #postfix(node: Node, modifiers: readonly Node[], inner: Expr, depth: number): Expr {
    const argument = modifiers.at(-1)
    switch (node.name) {
      case 'MatrixSelector': {
        if (inner.kind !== 'selector')
          throw syntaxFault('ranges only allowed for vector selectors', node.from)
        if (inner.offsetMs !== 0 || inner.at !== null) {
          throw syntaxFault('no offset or @ modifiers allowed before range', node.from)
        }
        return {
          kind: 'range',
          selector: inner,
          rangeMs: this.#positiveMs(argument, node),
          position: node.from,
        }
      }
      case 'SubqueryExpr': {
        if (depth > DEPTH_MAX) throw syntaxFault('expected less nesting', node.from)
        checkType(inner, 'vector', 'subquery')
        const durations = modifiers.filter(part => part.name === 'DurationExpr')
        const rangeMs = this.#positiveMs(durations[0], node)
        const stepMs = durations[1] === undefined ? null : this.#positiveMs(durations[1], node)
        return { kind: 'subquery', inner, rangeMs, stepMs, offsetMs: 0, at: null, position: node.from }
      }
      case 'OffsetExpr':
        return shift(inner, { offsetMs: this.#durationMs(argument, node) }, node.from)
      default:
        return shift(inner, { at: this.#at(modifiers, node) }, node.from)
    }
  }

  #at(modifiers: readonly Node[], node: Node): AtModifier {
    const argument = modifiers.find(part => part.name !== 'At')
    if (argument?.name === 'AtModifierPreprocessors') {
      return children(argument)[0]?.name === 'AtStart' ? 'start' : 'end'
    }
    const text = this.#text(argument).replaceAll(/\s/g, '')
    const seconds = parseNumberLiteral(text.replace(/^[+-]/, ''), node.from) * (text.startsWith('-') ? -1 : 1)
    // As Prometheus, whose times are int64 milliseconds.
    if (!(Math.abs(seconds) < 2 ** 63 / 1000)) {
      throw syntaxFault('timestamp out of bounds for @ modifier', node.from)
    }
    return Math.round(seconds * 1000)
  }

  #positiveMs(node: Node | undefined, whole: Node): number {
    const ms = this.#durationMs(node, whole)
    if (ms <= 0) throw syntaxFault('duration must be greater than 0', node?.from ?? whole.from)
    return ms
  }

  /** A literal with signs and parentheses; arithmetic on durations is experimental in Prometheus. */
  #durationMs(node: Node | undefined, whole: Node): number {
    const text = this.#text(node).replaceAll(/[\s()]/g, '')
    const signs = /^[+-]*/.exec(text)?.[0] ?? ''
    const ms = parseDurationMs(text.slice(signs.length))
    if (ms === null || !Number.isFinite(ms)) {
      throw unsupportedFault('arithmetic on durations', node?.from ?? whole.from)
    }
    return signs.replaceAll('+', '').length % 2 === 1 ? -ms : ms
  }

  #text(node: Node | undefined): string {
    return node === undefined ? '' : this.#query.slice(node.from, node.to)
  }
}

function shift(inner: Expr, by: { offsetMs?: number; at?: AtModifier }, position: number): Expr {
  if (inner.kind === 'range') {
    const selector = shift(inner.selector, by, position)
    return selector.kind === 'selector' ? { ...inner, selector } : inner
  }
  const name = by.at === undefined ? 'offset' : '@'
  if (inner.kind !== 'selector' && inner.kind !== 'subquery') {
    throw syntaxFault(
      `${name} modifier must be preceded by a selector or a subquery, got ${typeOf(inner)}`,
      position,
    )
  }
  if (by.at === undefined ? inner.offsetMs !== 0 : inner.at !== null) {
    throw syntaxFault(`${name} may not be set multiple times`, position)
  }
  return { ...inner, ...by }
}
