// Owns the shape of a template: texts, pipelines, if / range / with. It refuses functions, variables and actions that
// it does not know when rules are loaded, never when an alert fires. Pure.
import { arityOf } from './functions.ts'
import { scan, TemplateProblem, type Token } from './scan.ts'

export type Operand =
  | { readonly kind: 'dot' }
  | { readonly kind: 'nil' }
  | { readonly kind: 'literal'; readonly value: string | number | bigint | boolean }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'fields'; readonly of: Operand; readonly names: readonly string[] }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Operand[] }
  | { readonly kind: 'pipeline'; readonly pipeline: Pipeline }

/** Each command's value is the last argument of the next. */
export interface Pipeline {
  readonly declare: readonly string[]
  /** `=` instead of `:=`. */
  readonly assigns: boolean
  readonly commands: readonly Operand[]
}

export type TemplateNode =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'print'; readonly pipeline: Pipeline }
  | ControlNode
  | { readonly kind: 'break' }
  | { readonly kind: 'continue' }

export interface ControlNode {
  readonly kind: 'if' | 'with' | 'range'
  readonly pipeline: Pipeline
  readonly body: readonly TemplateNode[]
  readonly otherwise: readonly TemplateNode[]
}

const DEPTH_MAX = 32
const GLOBALS = ['$', '$labels', '$externalLabels', '$externalURL', '$value']
const UNSUPPORTED = new Set(['define', 'template', 'block', 'call', 'else', 'end'])

/** Throws TemplateProblem. */
export function parseTemplate(source: string): readonly TemplateNode[] {
  return new TemplateParser(source).parse()
}

type Stop = 'end' | 'else' | 'eof'

class TemplateParser {
  readonly #pieces: ReturnType<typeof scan>
  #piece = 0
  #tokens: readonly Token[] = []
  #next = 0
  #at = 0
  #depth = 0
  #loops = 0
  readonly #variables: string[] = [...GLOBALS]

  constructor(source: string) {
    this.#pieces = scan(source)
  }

  parse(): readonly TemplateNode[] {
    const { nodes, stop } = this.#list()
    if (stop !== 'eof') throw this.#problem(`unexpected {{${stop}}}`)
    return nodes
  }

  #list(): { nodes: TemplateNode[]; stop: Stop } {
    const nodes: TemplateNode[] = []
    for (;;) {
      const piece = this.#pieces[this.#piece]
      if (piece === undefined) return { nodes, stop: 'eof' }
      this.#piece += 1
      if (piece.kind === 'text') {
        nodes.push(piece)
        continue
      }
      this.#tokens = piece.tokens
      this.#next = 0
      this.#at = piece.at
      const word = this.#keyword()
      if (word === 'end' || word === 'else') {
        if (word === 'end') this.#finish()
        return { nodes, stop: word }
      }
      nodes.push(this.#action(word))
    }
  }

  #keyword(): string | null {
    const first = this.#tokens[0]
    if (first?.kind !== 'name') return null
    const known = ['if', 'range', 'with', 'end', 'else', 'break', 'continue']
    if (!known.includes(first.text)) return null
    this.#next = 1
    return first.text
  }

  #action(word: string | null): TemplateNode {
    if (word === null) {
      const pipeline = this.#pipeline(false)
      this.#finish()
      return { kind: 'print', pipeline }
    }
    if (word === 'break' || word === 'continue') {
      if (this.#loops === 0) throw this.#problem(`{{${word}}} outside of {{range}}`)
      this.#finish()
      return { kind: word }
    }
    return this.#control(word as ControlNode['kind'])
  }

  #control(kind: ControlNode['kind']): ControlNode {
    const at = this.#at
    this.#depth += 1
    if (this.#depth > DEPTH_MAX) throw this.#problem(`more than ${DEPTH_MAX} actions inside each other`)
    const scope = this.#variables.length
    const pipeline = this.#pipeline(kind === 'range')
    this.#finish()
    if (kind === 'range') this.#loops += 1
    const body = this.#list()
    if (kind === 'range') this.#loops -= 1
    this.#variables.length = scope + pipeline.declare.length * (pipeline.assigns ? 0 : 1)
    let otherwise: TemplateNode[] = []
    let { stop } = body
    if (stop === 'else') ({ nodes: otherwise, stop } = this.#otherwise(kind))
    if (stop !== 'end') throw new TemplateProblem(`{{${kind}}} without {{end}}`, at)
    this.#variables.length = scope
    this.#depth -= 1
    return { kind, pipeline, body: body.nodes, otherwise }
  }

  /** `{{else}}`, `{{else if x}}` and `{{else with x}}`: the inner one shares the outer one's end. */
  #otherwise(kind: ControlNode['kind']): { nodes: TemplateNode[]; stop: Stop } {
    const word = this.#tokens[this.#next]
    if (word?.kind === 'name' && word.text === kind && kind !== 'range') {
      this.#next += 1
      return { nodes: [this.#control(kind)], stop: 'end' }
    }
    this.#finish()
    return this.#list()
  }

  #pipeline(ranges: boolean): Pipeline {
    const { declare, assigns } = this.#declarations(ranges)
    const commands = [this.#command(false)]
    while (this.#takeMark('|')) commands.push(this.#command(true))
    if (!assigns) this.#variables.push(...declare)
    return { declare, assigns, commands }
  }

  #declarations(ranges: boolean): { declare: readonly string[]; assigns: boolean } {
    const names: string[] = []
    let look = this.#next
    for (;;) {
      const token = this.#tokens[look]
      if (token?.kind !== 'variable') return { declare: [], assigns: false }
      names.push(token.text)
      const mark = this.#tokens[look + 1]
      if (mark?.kind !== 'mark') return { declare: [], assigns: false }
      look += 2
      if (mark.text === ',' && ranges && names.length === 1) continue
      if (mark.text !== ':=' && mark.text !== '=') return { declare: [], assigns: false }
      const assigns = mark.text === '='
      const unknown = names.find(name => assigns && !this.#variables.includes(name))
      if (unknown !== undefined) throw this.#problem(`undefined variable ${unknown}`)
      this.#next = look
      return { declare: names, assigns }
    }
  }

  #command(piped: boolean): Operand {
    const token = this.#peek()
    if (token?.kind === 'name' && !isConstant(token.text)) {
      this.#next += 1
      return this.#call(token, this.#arguments(), piped)
    }
    const operand = this.#operand()
    if (operand === null) throw this.#problem('missing value for command')
    if (piped) throw this.#problem('only a function can follow |')
    if (this.#operand() !== null) throw this.#problem('only a function takes arguments')
    return operand
  }

  #arguments(): Operand[] {
    const args: Operand[] = []
    for (let arg = this.#operand(); arg !== null; arg = this.#operand()) args.push(arg)
    return args
  }

  #call(token: Token & { readonly text: string }, args: readonly Operand[], piped: boolean): Operand {
    const arity = UNSUPPORTED.has(token.text) ? null : arityOf(token.text)
    if (arity === null) throw new TemplateProblem(`${token.text} is not known here`, token.at)
    const count = args.length + (piped ? 1 : 0)
    if (count < arity.min || count > arity.max)
      throw new TemplateProblem(`${token.text} takes ${wordsOf(arity)}, not ${count}`, token.at)
    return { kind: 'call', name: token.text, args }
  }

  /** One operand with the fields behind it; null: there is none here. */
  #operand(): Operand | null {
    const token = this.#peek()
    if (token === undefined) return null
    const operand = this.#plainOperand(token)
    if (operand === null) return null
    const names: string[] = token.kind === 'field' ? [token.text] : []
    for (;;) {
      const next = this.#peek()
      if (next?.kind !== 'mark' || next.spaced || !/^\../.test(next.text)) break
      this.#next += 1
      names.push(next.text.slice(1))
    }
    if (names.length > 0 && operand.kind === 'literal') throw this.#problem('a constant has no fields')
    return names.length === 0 ? operand : { kind: 'fields', of: operand, names }
  }

  #plainOperand(token: Token): Operand | null {
    if (token.kind === 'mark') return this.#markedOperand(token.text)
    this.#next += 1
    if (token.kind === 'number') return { kind: 'literal', value: token.value }
    if (token.kind === 'string') return { kind: 'literal', value: token.text }
    if (token.kind === 'field') return { kind: 'dot' }
    if (token.kind === 'variable') {
      if (!this.#variables.includes(token.text))
        throw new TemplateProblem(`undefined variable ${token.text}`, token.at)
      return { kind: 'variable', name: token.text }
    }
    if (token.text === 'nil') return { kind: 'nil' }
    if (isConstant(token.text)) return { kind: 'literal', value: token.text === 'true' }
    return this.#call(token, [], false)
  }

  #markedOperand(mark: string): Operand | null {
    if (mark === '.') {
      this.#next += 1
      return { kind: 'dot' }
    }
    if (mark !== '(') return null
    this.#next += 1
    this.#depth += 1
    if (this.#depth > DEPTH_MAX) throw this.#problem(`more than ${DEPTH_MAX} brackets inside each other`)
    const pipeline = this.#pipeline(false)
    if (pipeline.declare.length > 0) throw this.#problem('a variable cannot be made inside brackets')
    if (!this.#takeMark(')')) throw this.#problem('( is not closed')
    this.#depth -= 1
    return { kind: 'pipeline', pipeline }
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#next]
  }

  #takeMark(text: string): boolean {
    const token = this.#peek()
    if (token?.kind !== 'mark' || token.text !== text) return false
    this.#next += 1
    return true
  }

  #finish(): void {
    if (this.#next < this.#tokens.length) throw this.#problem('more than was expected here')
  }

  #problem(message: string): TemplateProblem {
    return new TemplateProblem(message, this.#peek()?.at ?? this.#at)
  }
}

function isConstant(name: string): boolean {
  return name === 'true' || name === 'false' || name === 'nil'
}

function wordsOf({ min, max }: { readonly min: number; readonly max: number }): string {
  if (max === Number.POSITIVE_INFINITY) return `${min} or more arguments`
  return min === max ? `${min} argument${min === 1 ? '' : 's'}` : `${min} to ${max} arguments`
}
