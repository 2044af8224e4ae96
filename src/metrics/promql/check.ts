// Owns the types of expressions. It refuses calls and operators on operands of the wrong type, as Prometheus does.
import type { BinaryExpr, Expr, Matching, ValueType } from './ast.ts'
import { COMPARISONS, SET_OPERATORS } from './ast.ts'
import { signatureOf } from './signatures.ts'
import { syntaxFault, unsupportedFault } from './syntax-fault.ts'

export function typeOf(expr: Expr): ValueType {
  switch (expr.kind) {
    case 'number':
      return 'scalar'
    case 'string':
      return 'string'
    case 'range':
    case 'subquery':
      return 'matrix'
    case 'selector':
    case 'aggregate':
      return 'vector'
    case 'call':
      return signatureOf(expr.name)?.gives ?? 'vector'
    case 'negate':
    case 'paren':
      return typeOf(expr.inner)
    case 'binary':
      return typeOf(expr.left) === 'scalar' && typeOf(expr.right) === 'scalar' ? 'scalar' : 'vector'
    default:
      return 'vector'
  }
}

const SHOWN: Readonly<Record<ValueType, string>> = {
  scalar: 'scalar',
  vector: 'instant vector',
  matrix: 'range vector',
  string: 'string',
}

export function checkType(expr: Expr, expected: ValueType, where: string): void {
  const type = typeOf(expr)
  if (type === expected) return
  throw syntaxFault(`${where}: expected type ${SHOWN[expected]}, got ${SHOWN[type]}`, expr.position)
}

const NATIVE_ONLY: ReadonlySet<string> = new Set([
  'histogram_avg',
  'histogram_count',
  'histogram_fraction',
  'histogram_stddev',
  'histogram_stdvar',
  'histogram_sum',
])

export function checkCall(name: string, args: readonly Expr[], position: number): void {
  const signature = signatureOf(name)
  if (signature === undefined) {
    const native = NATIVE_ONLY.has(name) ? ' on native histograms, which are not kept,' : ''
    throw unsupportedFault(`function ${name}${native}`, position)
  }
  const { takes, optional } = signature
  if (args.length < takes.length - optional || (args.length > takes.length && name !== 'label_join')) {
    const least = takes.length - optional
    const count = optional === 0 ? String(least) : `${least} to ${takes.length}`
    throw syntaxFault(`${name}: expected ${count} argument(s), got ${args.length}`, position)
  }
  args.forEach((argument, index) => {
    checkType(argument, takes[Math.min(index, takes.length - 1)] ?? 'vector', `call to function ${name}`)
  })
}

const NO_MATCHING: Matching = { on: false, labels: [], cardinality: 'one-to-one', include: [] }

type Sides = Omit<BinaryExpr, 'kind' | 'matching'>

export function checkBinary(sides: Sides, matching: Matching | null): BinaryExpr {
  const { operator, left, right, bool, position } = sides
  const types = [typeOf(left), typeOf(right)]
  for (const [index, type] of types.entries()) {
    if (type === 'scalar' || type === 'vector') continue
    const side = index === 0 ? left : right
    throw syntaxFault('binary expression must contain only scalar and instant vector types', side.position)
  }
  const scalars = types.filter(type => type === 'scalar').length
  if (bool && !COMPARISONS.has(operator)) {
    throw syntaxFault('bool modifier can only be used on comparison operators', position)
  }
  if (scalars === 2 && COMPARISONS.has(operator) && !bool) {
    throw syntaxFault('comparisons between scalars must use BOOL modifier', position)
  }
  if (scalars > 0 && SET_OPERATORS.has(operator)) {
    throw syntaxFault(`set operator "${operator}" not allowed in binary scalar expression`, position)
  }
  if (scalars > 0 && matching !== null && (matching.labels.length > 0 || matching.on)) {
    throw syntaxFault('vector matching only allowed between instant vectors', position)
  }
  if (matching !== null && matching.cardinality !== 'one-to-one' && SET_OPERATORS.has(operator)) {
    throw syntaxFault(`no grouping allowed for "${operator}" operation`, position)
  }
  return { ...sides, kind: 'binary', matching: matching ?? NO_MATCHING }
}
