// Owns reading PromQL test scripts: plain text with samples, questions and the answers that are expected.
// It refuses a line that it does not understand, and a question without a source. Grammar: docs/develop/promql-scripts.md
import { parseDurationMs, staleMarker, type WriteSeries } from '#metrics'

export interface ExpectedSeries {
  readonly labels: Readonly<Record<string, string>>
  /** One for each step; null where there is no value. */
  readonly values: readonly (number | 'stale' | null)[]
}

export type Expected =
  | { readonly kind: 'series'; readonly series: readonly ExpectedSeries[] }
  | { readonly kind: 'scalar'; readonly value: number }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'failure'; readonly code: string }

export interface Question {
  readonly query: string
  readonly fromMs: number
  readonly toMs: number
  /** Null: at one instant, `toMs`. */
  readonly stepMs: number | null
  readonly ordered: boolean
  readonly expected: Expected
}

export type Command =
  | { readonly kind: 'load'; readonly line: number; readonly series: readonly WriteSeries[] }
  | { readonly kind: 'clear'; readonly line: number }
  | ({ readonly kind: 'eval'; readonly line: number; readonly source: string } & Question)

interface Block {
  readonly line: number
  readonly head: string
  readonly body: readonly string[]
}

export function readScript(text: string): Command[] {
  let source: string | null = null
  const commands: Command[] = []
  for (const block of blocksOf(text)) {
    const { line, head, body } = block
    const [word, rest] = splitOnce(head)
    if (word === 'source') source = rest
    else if (word === 'clear') commands.push({ kind: 'clear', line })
    else if (word === 'load')
      commands.push({ kind: 'load', line, series: body.map(one => loaded(one, rest, line)) })
    else if (word === 'eval' || word === 'fail') {
      if (source === null) throw problem(line, 'expected a source before the first question')
      commands.push({ kind: 'eval', line, source, ...question(block, word === 'fail') })
    } else throw problem(line, `expected source, load, clear, eval or fail, got ${word}`)
  }
  return commands
}

/** A line that is not indented, with the indented ones below it. */
function blocksOf(text: string): Block[] {
  const blocks: { line: number; head: string; body: string[] }[] = []
  text.split('\n').forEach((raw, index) => {
    if (raw.trim() === '' || raw.trimStart().startsWith('#')) return
    if (!/^\s/.test(raw)) blocks.push({ line: index + 1, head: raw.trim(), body: [] })
    else {
      const block = blocks.at(-1)
      if (block === undefined) throw problem(index + 1, 'expected a command before an indented line')
      block.body.push(raw.trim())
    }
  })
  return blocks
}

/** `fail KIND at T QUERY`, `eval [ordered] at T QUERY`, `eval from T to T step D QUERY`. */
function question({ line, head, body }: Block, fails: boolean): Question {
  let rest = splitOnce(head)[1]
  let code = ''
  if (fails) [code, rest] = splitOnce(rest)
  const ordered = rest.startsWith('ordered ')
  if (ordered) rest = splitOnce(rest)[1]
  const range = /^from (\S+) to (\S+) step (\S+) (.*)$/s.exec(rest)
  const instant = /^at (\S+) (.*)$/s.exec(rest)
  const [, first = '', second = '', third = '', last = ''] = range ?? []
  const query = range === null ? instant?.[2] : last
  if (query === undefined)
    throw problem(line, 'expected "at TIME QUERY" or "from TIME to TIME step STEP QUERY"')
  const toMs = timeMs(range === null ? (instant?.[1] ?? '') : second, line)
  const fromMs = range === null ? toMs : timeMs(first, line)
  const stepMs = range === null ? null : timeMs(third, line)
  const steps = stepMs === null ? null : Math.floor((toMs - fromMs) / stepMs) + 1
  const expected: Expected = fails
    ? { kind: 'failure', code: `metrics-promql-${code}` }
    : expectation(body, steps, line)
  return { query, fromMs, toMs, stepMs, ordered, expected }
}

/** At an instant a range selector gives as many values as it finds. */
function expectation(body: readonly string[], steps: number | null, line: number): Expected {
  const [first = ''] = body
  if (first.startsWith('scalar ')) return { kind: 'scalar', value: number(splitOnce(first)[1], line) }
  if (first.startsWith('text ')) return { kind: 'text', text: JSON.parse(splitOnce(first)[1]) as string }
  const series = body.map(one => {
    const { labels, rest } = labelled(one, line)
    const values = valuesOf(rest, line)
    if (steps !== null && values.length !== steps)
      throw problem(line, `expected ${steps} values, got ${values.length}: ${one}`)
    return { labels, values }
  })
  return { kind: 'series', series }
}

function loaded(text: string, step: string, line: number): WriteSeries {
  const stepMs = timeMs(step, line)
  const { labels, rest } = labelled(text, line)
  const samples = valuesOf(rest, line).flatMap((value, at) =>
    // The marker is made last: its bits do not survive in every array.
    value === null ? [] : [{ timestampMs: at * stepMs, value: value === 'stale' ? staleMarker() : value }],
  )
  return { labels, samples }
}

/** `name{label="value", ...} values`; the name, the braces or both may be missing. */
function labelled(text: string, line: number): { labels: Record<string, string>; rest: string } {
  const shape = /^([a-zA-Z_:][\w:]*)?(?:\{((?:\s*\w+\s*=\s*"(?:[^"\\]|\\.)*"\s*,?)*)\s*\})?\s+(.*)$/.exec(
    text,
  )
  if (shape === null) throw problem(line, `expected NAME{LABEL="VALUE"} VALUES, got ${text}`)
  const [, name, inside = '', rest = ''] = shape
  const labels: Record<string, string> = name === undefined ? {} : { __name__: name }
  for (const [, label = '', value = '""'] of inside.matchAll(/(\w+)\s*=\s*("(?:[^"\\]|\\.)*")/g)) {
    labels[label] = JSON.parse(value) as string
  }
  return { labels, rest }
}

type Written = number | 'stale' | null

/** `1.5`, `NaN`, `-Inf`, `_` for none, `stale`, `0..60` by ones or `0..60/2`, and `xN` behind any for N of them. */
function valuesOf(text: string, line: number): Written[] {
  return text.split(/\s+/).flatMap(word => {
    const repeated = /^(.+)x(\d+)$/.exec(word)
    const one = repeated?.[1] ?? word
    return Array.from({ length: Number(repeated?.[2] ?? 1) }, () => valueOf(one, line)).flat()
  })
}

function valueOf(word: string, line: number): Written[] {
  if (word === '_') return [null]
  if (word === 'stale') return ['stale']
  const range = /^(-?[\d.]+?)\.\.(-?[\d.]+)(?:\/([\d.]+))?$/.exec(word)
  if (range === null) return [number(word, line)]
  const [from, to, by] = [Number(range[1]), Number(range[2]), Number(range[3] ?? 1)]
  const count = Math.floor(Math.abs(to - from) / by + 1e-9) + 1
  return Array.from({ length: count }, (_, at) => from + Math.sign(to - from) * at * by)
}

function number(word: string, line: number): number {
  const value = Number(word.replace('Inf', 'Infinity'))
  if (Number.isNaN(value) && word !== 'NaN') throw problem(line, `expected a number, got ${word}`)
  return value
}

function timeMs(word: string, line: number): number {
  const ms = parseDurationMs(word)
  if (ms === null) throw problem(line, `expected a duration, got ${word}`)
  return ms
}

function splitOnce(text: string): [string, string] {
  const at = text.search(/\s/)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at).trim()]
}

function problem(line: number, message: string): Error {
  return new SyntaxError(`line ${line}: ${message}`)
}
