// Owns carrying out a template. It asks for queries by yielding them, so that who renders decides how they are
// answered; steps, output and queries are bounded. Pure.
import type { Labels } from '#base'
import { callFunction, wordsOf } from './functions.ts'
import { type ControlNode, type Operand, type Pipeline, parseTemplate, type TemplateNode } from './parse.ts'
import { isTrue, kindOf, labelsMap, RenderProblem, type SampleValue, toText, type Value } from './value.ts'

const STEPS_MAX = 10_000
const OUTPUT_CHARACTERS_MAX = 64 * 1024
const QUERIES_MAX = 10

export interface TemplateData {
  readonly labels: Labels
  readonly externalLabels: Labels
  readonly externalUrl: string
  readonly value: number
}

/** A template without actions is its text. */
export type Template = string | readonly TemplateNode[]

/** Throws TemplateProblem, with the character at which it stands. */
export function compileTemplate(source: string): Template {
  if (!source.includes('{{')) return source
  return parseTemplate(source)
}

type Rendering<T> = Generator<string, T, readonly SampleValue[]>

/** Yields each expression that is asked of the store, and is resumed with its results. Throws RenderProblem. */
export function* renderSteps(nodes: readonly TemplateNode[], data: TemplateData): Rendering<string> {
  const renderer = new Renderer(data)
  yield* renderer.list(nodes, renderer.root)
  return renderer.text()
}

type Flow = 'on' | 'break' | 'continue'

class Renderer {
  readonly root: Value
  #out = ''
  #steps = 0
  #queries = 0
  readonly #variables: { readonly name: string; value: Value }[]

  constructor({ labels, externalLabels, externalUrl, value }: TemplateData) {
    const [own, external] = [labelsMap(labels), labelsMap(externalLabels)]
    this.root = {
      kind: 'map',
      entries: { Labels: own, ExternalLabels: external, ExternalURL: externalUrl, Value: value },
    }
    this.#variables = [
      { name: '$', value: this.root },
      { name: '$labels', value: own },
      { name: '$externalLabels', value: external },
      { name: '$externalURL', value: externalUrl },
      { name: '$value', value },
    ]
  }

  text(): string {
    return this.#out
  }

  *list(nodes: readonly TemplateNode[], dot: Value): Rendering<Flow> {
    for (const node of nodes) {
      this.#step()
      if (node.kind === 'text') this.#write(node.text)
      else if (node.kind === 'print') yield* this.#print(node.pipeline, dot)
      else if (node.kind === 'break' || node.kind === 'continue') return node.kind
      else {
        const depth = this.#variables.length
        const flow = node.kind === 'range' ? yield* this.#range(node, dot) : yield* this.#branch(node, dot)
        this.#variables.length = depth
        if (flow !== 'on') return flow
      }
    }
    return 'on'
  }

  *#print(pipeline: Pipeline, dot: Value): Rendering<void> {
    const value = yield* this.#pipeline(pipeline, dot)
    if (pipeline.declare.length === 0) this.#write(value === null ? '<no value>' : toText(value))
    for (const name of pipeline.declare) this.#set(name, value, pipeline.assigns)
  }

  *#branch(node: ControlNode, dot: Value): Rendering<Flow> {
    const value = yield* this.#pipeline(node.pipeline, dot)
    for (const name of node.pipeline.declare) this.#set(name, value, node.pipeline.assigns)
    if (!isTrue(value)) return yield* this.list(node.otherwise, dot)
    return yield* this.list(node.body, node.kind === 'with' ? value : dot)
  }

  *#range(node: ControlNode, dot: Value): Rendering<Flow> {
    const { declare, assigns } = node.pipeline
    const pairs = pairsOf(yield* this.#pipeline(node.pipeline, dot))
    if (pairs.length === 0) return yield* this.list(node.otherwise, dot)
    const depth = this.#variables.length
    for (const [key, value] of pairs) {
      this.#step()
      this.#variables.length = depth
      const [first, second] = declare
      if (second !== undefined) this.#set(second, value, assigns)
      if (first !== undefined) this.#set(first, second === undefined ? value : key, assigns)
      if ((yield* this.list(node.body, value)) === 'break') break
    }
    return 'on'
  }

  *#pipeline(pipeline: Pipeline, dot: Value): Rendering<Value> {
    let value: Value = null
    for (const [at, command] of pipeline.commands.entries()) {
      value = yield* this.#operand(command, dot, at === 0 ? [] : [value])
    }
    return value
  }

  *#operand(operand: Operand, dot: Value, piped: readonly Value[]): Rendering<Value> {
    this.#step()
    if (operand.kind === 'dot') return dot
    if (operand.kind === 'nil') return null
    if (operand.kind === 'literal') return operand.value
    if (operand.kind === 'variable')
      return this.#variables.findLast(({ name }) => name === operand.name)?.value ?? null
    if (operand.kind === 'pipeline') return yield* this.#pipeline(operand.pipeline, dot)
    if (operand.kind === 'call') return yield* this.#call(operand, dot, piped)
    let value = yield* this.#operand(operand.of, dot, [])
    for (const name of operand.names) value = fieldOf(value, name)
    return value
  }

  *#call(call: Operand & { readonly kind: 'call' }, dot: Value, piped: readonly Value[]): Rendering<Value> {
    const { name } = call
    const args: Value[] = []
    for (const arg of call.args) {
      args.push(yield* this.#operand(arg, dot, []))
      // As Go: the first that decides is the answer, and those behind it are not looked at.
      if (name === 'and' && !isTrue(args.at(-1) ?? null)) break
      if (name === 'or' && isTrue(args.at(-1) ?? null)) break
    }
    if (name === 'and' || name === 'or') {
      const decided = args.length > 0 && isTrue(args.at(-1) ?? null) === (name === 'or')
      return decided ? (args.at(-1) ?? null) : (piped[0] ?? args.at(-1) ?? null)
    }
    args.push(...piped)
    if (name !== 'query') return callFunction(name, args)
    this.#queries += 1
    if (this.#queries > QUERIES_MAX) throw new RenderProblem(`more than ${QUERIES_MAX} queries`)
    return { kind: 'list', items: yield wordsOf(args[0] ?? null) }
  }

  #set(name: string, value: Value, assigns: boolean): void {
    const known = assigns ? this.#variables.findLast(variable => variable.name === name) : undefined
    if (known === undefined) this.#variables.push({ name, value })
    else known.value = value
  }

  #step(): void {
    this.#steps += 1
    if (this.#steps > STEPS_MAX) throw new RenderProblem(`more than ${STEPS_MAX} steps`)
  }

  #write(text: string): void {
    this.#out += text
    if (this.#out.length > OUTPUT_CHARACTERS_MAX)
      throw new RenderProblem(`more than ${OUTPUT_CHARACTERS_MAX} characters`)
  }
}

/** Of a list: place and item; of a map: key and value, in order of keys. */
function pairsOf(value: Value): readonly (readonly [Value, Value])[] {
  if (value === null) return []
  if (typeof value === 'object' && value.kind === 'list')
    return value.items.map((item, at) => [BigInt(at), item] as const)
  if (typeof value === 'object' && value.kind === 'map')
    return Object.entries(value.entries).toSorted(([a], [b]) => (a < b ? -1 : 1))
  throw new RenderProblem(`range cannot go over a ${kindOf(value)}`)
}

/** A label that is not there is empty. */
function fieldOf(value: Value, name: string): Value {
  if (value !== null && typeof value === 'object') {
    if (value.kind === 'map') {
      const entry = Object.hasOwn(value.entries, name) ? value.entries[name] : undefined
      return entry ?? ''
    }
    if (value.kind === 'sample' && name === 'Labels') return labelsMap(value.labels)
    if (value.kind === 'sample' && name === 'Value') return value.value
  }
  throw new RenderProblem(`a ${kindOf(value)} has no field ${name}`)
}
