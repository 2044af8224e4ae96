// Owns a query's syntax tree in the JSON form of Prometheus' parse_query. It refuses nothing that parses.
// See https://prometheus.io/docs/prometheus/latest/querying/api/#parsing-a-promql-expressions-into-a-abstract-syntax-tree-ast
import { unreachable } from '#base'
import { formatNumber } from '../format-number.ts'
import { METRIC_NAME } from '../labels.ts'
import type { BinaryExpr, Expr, SelectorExpr, SubqueryExpr } from './ast.ts'
import { SET_OPERATORS } from './ast.ts'
import { parseQuery } from './parse.ts'
import { signatureOf } from './signatures.ts'

/** Throws metrics-promql-syntax or -unsupported, as a query does. */
export function describeQuery(text: string): unknown {
  return describe(parseQuery(text))
}

function describe(expr: Expr): unknown {
  switch (expr.kind) {
    case 'number':
      return { type: 'numberLiteral', val: formatNumber(expr.value) }
    case 'string':
      return { type: 'stringLiteral', val: expr.text }
    case 'paren':
      return { type: 'parenExpr', expr: describe(expr.inner) }
    case 'negate':
      return { type: 'unaryExpr', op: '-', expr: describe(expr.inner) }
    case 'selector':
      return { type: 'vectorSelector', ...selected(expr) }
    case 'range':
      return { type: 'matrixSelector', range: expr.rangeMs, ...selected(expr.selector) }
    case 'subquery':
      return {
        type: 'subquery',
        expr: describe(expr.inner),
        range: expr.rangeMs,
        step: expr.stepMs ?? 0,
        ...shifted(expr),
      }
    case 'call':
      return { type: 'call', func: functionOf(expr.name), args: expr.args.map(describe) }
    case 'aggregate':
      return {
        type: 'aggregation',
        op: expr.operator,
        expr: describe(expr.inner),
        param: expr.parameter === null ? null : describe(expr.parameter),
        grouping: expr.labels,
        without: expr.without,
      }
    case 'binary':
      return binary(expr)
    default:
      return unreachable(expr)
  }
}

function selected(expr: SelectorExpr): object {
  const name = expr.matchers.find(one => one.name === METRIC_NAME && one.operator === '=')?.value ?? ''
  const matchers = expr.matchers.map(({ name: label, operator, value }) => ({
    name: label,
    type: operator,
    value,
  }))
  return { name, matchers, ...shifted(expr) }
}

function shifted({ at, offsetMs }: SelectorExpr | SubqueryExpr): object {
  return {
    offset: offsetMs,
    timestamp: typeof at === 'number' ? at : null,
    startOrEnd: typeof at === 'string' ? at : null,
  }
}

function binary({ operator, left, right, bool, matching }: BinaryExpr): unknown {
  const isSet = SET_OPERATORS.has(operator)
  const isScalar = left.kind === 'number' || right.kind === 'number'
  const { on, labels, include, cardinality } = matching
  const card = isSet ? 'many-to-many' : cardinality
  return {
    type: 'binaryExpr',
    op: operator,
    lhs: describe(left),
    rhs: describe(right),
    bool,
    matching: isScalar ? null : { card, labels, on, include },
  }
}

function functionOf(name: string): unknown {
  const { takes, optional, gives } = signatureOf(name) ?? { takes: [], optional: 0, gives: 'vector' as const }
  return {
    name,
    argTypes: takes,
    variadic: name === 'label_join' ? -1 : optional,
    returnType: gives,
  }
}
