// Owns the order in which operators bind. It takes operators and operands as a flat list, because the grammar's own
// tree hangs postfix modifiers (offset, @, ranges) on a whole sum: `a + b offset 5m` must shift b alone.
import type { BinaryExpr, Expr } from './ast.ts'
import { typeOf } from './check.ts'
import { syntaxFault } from './syntax-fault.ts'

export type Token =
  | { readonly kind: 'operand'; readonly expr: Expr }
  | { readonly kind: 'unary'; readonly negative: boolean; readonly position: number }
  | { readonly kind: 'binary'; readonly operator: string; readonly make: MakeBinary }

export type MakeBinary = (left: Expr, right: Expr) => BinaryExpr

const LEVELS: Readonly<Record<string, number>> = {
  or: 1,
  and: 2,
  unless: 2,
  '==': 3,
  '!=': 3,
  '<=': 3,
  '<': 3,
  '>=': 3,
  '>': 3,
  '+': 4,
  '-': 4,
  '*': 5,
  '/': 5,
  '%': 5,
  atan2: 5,
  '^': 6,
}
const POWER = 6

/** Builds the tree by precedence climbing; only `^` binds to the right. A sign binds weaker than `^`. */
export function bind(tokens: readonly Token[]): Expr {
  let at = 0
  const climb = (level: number): Expr => {
    let left = operand()
    for (;;) {
      const token = tokens[at]
      if (token?.kind !== 'binary') return left
      const own = LEVELS[token.operator] ?? 0
      if (own < level) return left
      at += 1
      left = token.make(left, climb(token.operator === '^' ? own : own + 1))
    }
  }
  const operand = (): Expr => {
    const token = tokens[at]
    at += 1
    if (token?.kind === 'operand') return token.expr
    if (token?.kind !== 'unary') throw new TypeError('the grammar gave an operator without an operand')
    const inner = climb(POWER)
    const type = typeOf(inner)
    if (type !== 'scalar' && type !== 'vector') {
      throw syntaxFault(
        `a sign is only allowed before a scalar or an instant vector, got ${type}`,
        token.position,
      )
    }
    if (!token.negative) return inner
    return inner.kind === 'number'
      ? { kind: 'number', value: -inner.value, position: token.position }
      : { kind: 'negate', inner, position: token.position }
  }
  return climb(0)
}
