// Owns the functions of templates: those of Go that rule files use, and Prometheus'. None of them reads a file, the
// environment or the network; `query` asks the metrics store and is answered by the renderer. Pure.
import { type Matcher, RE2JS } from 're2js'
import { messageOf } from '#base'
import { readDurationMs } from '../duration.ts'
import {
  humanize,
  humanize1024,
  humanizeDuration,
  humanizePercentage,
  humanizeTimestamp,
  toFloat,
} from './humanize.ts'
import { printf } from './printf.ts'
import { isTrue, kindOf, RenderProblem, type SampleValue, toText, type Value } from './value.ts'

interface Arity {
  readonly min: number
  readonly max: number
}

interface TemplateFunction extends Arity {
  readonly run: (args: readonly Value[]) => Value
}

const MANY = Number.POSITIVE_INFINITY
/** Asked of the store by the renderer, or decided by it before all arguments are known. */
const LAZY: Readonly<Record<string, Arity>> = {
  query: { min: 1, max: 1 },
  and: { min: 1, max: MANY },
  or: { min: 1, max: MANY },
}

const FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  not: one(value => !isTrue(value)),
  len: one(lengthOf),
  index: { min: 1, max: MANY, run: ([of = null, ...keys]) => keys.reduce(index, of) },
  print: { min: 0, max: MANY, run: print },
  println: { min: 0, max: MANY, run: args => `${args.map(toText).join(' ')}\n` },
  printf: { min: 1, max: MANY, run: ([format = '', ...args]) => printf(wordsOf(format), args) },
  eq: { min: 2, max: MANY, run: ([first = null, ...rest]) => rest.some(other => same(first, other)) },
  ne: two((a, b) => !same(a, b)),
  lt: two((a, b) => order(a, b) < 0),
  // As Go: what is not less or equal is greater, also NaN.
  le: two((a, b) => order(a, b) <= 0),
  gt: two((a, b) => !(order(a, b) <= 0)),
  ge: two((a, b) => !(order(a, b) < 0)),
  first: one(value => {
    const item = listOf(value)[0]
    if (item === undefined) throw new RenderProblem('first() called on vector with no elements')
    return item
  }),
  value: one(value => sampleOf(value).value),
  label: two((name, sample) => sampleOf(sample).labels[wordsOf(name)] ?? ''),
  strvalue: one(sample => sampleOf(sample).labels['__value__'] ?? ''),
  sortByLabel: two((name, list) => ({ kind: 'list', items: sortBy(wordsOf(name), listOf(list)) })),
  match: two((pattern, text) => compile(wordsOf(pattern)).matcher(wordsOf(text)).find()),
  reReplaceAll: {
    min: 3,
    max: 3,
    run: ([pattern = '', by = '', text = '']) => replaceAll(wordsOf(pattern), wordsOf(by), wordsOf(text)),
  },
  toUpper: one(text => wordsOf(text).toUpperCase()),
  toLower: one(text => wordsOf(text).toLowerCase()),
  title: one(text => wordsOf(text).replace(/(?<![\p{L}\p{N}_])\p{L}/gu, letter => letter.toUpperCase())),
  stripPort: one(text => wordsOf(text).replace(/^(?:\[([^\]]*)\]|([^:]*)):[^:]*$/, '$1$2')),
  stripDomain: one(text => stripDomain(wordsOf(text))),
  urlQueryEscape: one(text => encodeURIComponent(wordsOf(text)).replaceAll('%20', '+')),
  humanize: one(value => humanize(toFloat(value))),
  humanize1024: one(value => humanize1024(toFloat(value))),
  humanizeDuration: one(value => humanizeDuration(toFloat(value))),
  humanizePercentage: one(value => humanizePercentage(toFloat(value))),
  humanizeTimestamp: one(value => humanizeTimestamp(toFloat(value))),
  parseDuration: one(text => {
    const ms = readDurationMs(wordsOf(text))
    if (ms === null) throw new RenderProblem(`not a valid duration string: ${JSON.stringify(wordsOf(text))}`)
    return ms / 1000
  }),
}

/** Null: there is no such function. */
export function arityOf(name: string): Arity | null {
  return own(LAZY, name) ?? own(FUNCTIONS, name) ?? null
}

/** A function that parsing knew; `query`, `and` and `or` are the renderer's. */
export function callFunction(name: string, args: readonly Value[]): Value {
  const found = own(FUNCTIONS, name)
  if (found === undefined) throw new RenderProblem(`${name} is not known`)
  return found.run(args)
}

function own<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined
}

function one(run: (value: Value) => Value): TemplateFunction {
  return { min: 1, max: 1, run: ([value = null]) => run(value) }
}

function two(run: (a: Value, b: Value) => Value): TemplateFunction {
  return { min: 2, max: 2, run: ([a = null, b = null]) => run(a, b) }
}

export function wordsOf(value: Value): string {
  if (typeof value !== 'string') throw new RenderProblem(`a string is expected, not a ${kindOf(value)}`)
  return value
}

function listOf(value: Value): readonly Value[] {
  if (value === null || typeof value !== 'object' || value.kind !== 'list')
    throw new RenderProblem(`results of a query are expected, not a ${kindOf(value)}`)
  return value.items
}

function sampleOf(value: Value): SampleValue {
  if (value === null || typeof value !== 'object' || value.kind !== 'sample')
    throw new RenderProblem(`one result of a query is expected, not a ${kindOf(value)}; write first`)
  return value
}

function lengthOf(value: Value): bigint {
  if (typeof value === 'string') return BigInt(Buffer.byteLength(value))
  if (value !== null && typeof value === 'object') {
    if (value.kind === 'list') return BigInt(value.items.length)
    if (value.kind === 'map') return BigInt(Object.keys(value.entries).length)
  }
  throw new RenderProblem(`len of a ${kindOf(value)}`)
}

function index(of: Value, key: Value): Value {
  if (of !== null && typeof of === 'object') {
    if (of.kind === 'map') return own(of.entries, wordsOf(key)) ?? ''
    if (of.kind === 'list' && (typeof key === 'bigint' || typeof key === 'number')) {
      const item = of.items[Number(key)]
      if (item === undefined) throw new RenderProblem(`index out of range: ${key}`)
      return item
    }
  }
  throw new RenderProblem(`a ${kindOf(of)} has no ${kindOf(key)} index`)
}

/** A space stands between two that are both no strings. */
function print(args: readonly Value[]): string {
  return args
    .map((arg, at) => {
      const gap = at > 0 && typeof arg !== 'string' && typeof args[at - 1] !== 'string'
      return `${gap ? ' ' : ''}${toText(arg)}`
    })
    .join('')
}

function isNumber(value: Value): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint'
}

/** Whole and broken numbers are compared with each other: stricter Go refuses `gt $value 5`. */
function same(a: Value, b: Value): boolean {
  if (isNumber(a) && isNumber(b)) return Number(a) === Number(b)
  if (a !== null && b !== null && (kindOf(a) !== kindOf(b) || typeof a === 'object'))
    throw new RenderProblem(`incompatible types for comparison: ${kindOf(a)} and ${kindOf(b)}`)
  return a === b
}

function order(a: Value, b: Value): number {
  // Nothing is less or greater than NaN.
  if (isNumber(a) && isNumber(b))
    return Number(a) < Number(b) ? -1 : Number(a) > Number(b) ? 1 : orderOfEqual(a, b)
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b))
  throw new RenderProblem(`incompatible types for comparison: ${kindOf(a)} and ${kindOf(b)}`)
}

function orderOfEqual(a: number | bigint, b: number | bigint): number {
  return Number(a) === Number(b) ? 0 : Number.NaN
}

function sortBy(name: string, items: readonly Value[]): Value[] {
  const key = (item: Value): string => sampleOf(item).labels[name] ?? ''
  return items.toSorted((a, b) => Buffer.compare(Buffer.from(key(a)), Buffer.from(key(b))))
}

/** The first name of a host, before an optional port; addresses stay. */
function stripDomain(text: string): string {
  const [, host = text, port = ''] = /^(\[[^\]]*\]|[^:]*)(:[^:]*)?$/.exec(text) ?? []
  if (/^[\d.]+$/.test(host) || host.includes(':')) return text
  return `${host.split('.')[0]}${port}`
}

/** Patterns come from rule files, texts from labels: never RegExp. */
function compile(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern)
  } catch (error) {
    throw new RenderProblem(`regular expression ${JSON.stringify(pattern)}: ${messageOf(error)}`)
  }
}

function replaceAll(pattern: string, by: string, text: string): string {
  const matcher = compile(pattern).matcher(text)
  let done = ''
  let from = 0
  while (matcher.find()) {
    // As Go: nothing right behind a match is no match of its own.
    if (matcher.end() === matcher.start() && matcher.start() === from && from > 0) continue
    done += text.slice(from, matcher.start()) + expand(by, matcher)
    from = matcher.end()
  }
  return done + text.slice(from)
}

/** `$1`, `${1}` and `${name}` as Go's Regexp.Expand: the longest name counts, one that does not exist is empty. */
function expand(by: string, matcher: Matcher): string {
  return by.replace(
    /\$(?:\$|\{([A-Za-z0-9_]+)\}|([A-Za-z0-9_]+))/g,
    (whole, braced?: string, bare?: string) => {
      if (whole === '$$') return '$'
      const name = braced ?? bare ?? ''
      if (/^\d+$/.test(name))
        return Number(name) <= matcher.groupCount() ? (matcher.group(Number(name)) ?? '') : ''
      try {
        return matcher.group(name) ?? ''
      } catch {
        return ''
      }
    },
  )
}
