// Owns reading the Prometheus text format 0.0.4 into samples. It refuses malformed lines by their number, and floods.
// See https://prometheus.io/docs/instrumenting/exposition_formats/
import type { Fault, Labels } from '#base'
import { metricsFaults } from '../faults.ts'
import { parseNumber } from '../format-number.ts'

/** One sample of an exposition. `labels` includes `__name__`; the timestamp is null when the text gives none. */
export interface ExpositionSample {
  readonly labels: Labels
  readonly value: number
  readonly timestampMs: number | null
}

export interface ExpositionLimits {
  readonly charactersMax: number
  readonly samplesMax: number
  readonly labelsMax: number
}

/** A busy node_exporter shows 2,000 samples in 300 KB; fifty times that is no longer one server. */
export const EXPOSITION_LIMITS: ExpositionLimits = {
  charactersMax: 16 * 1024 * 1024,
  samplesMax: 100_000,
  labelsMax: 64,
}

const NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y
const LABEL_NAME = /[a-zA-Z_][a-zA-Z0-9_]*/y
const QUOTED = /"(?:[^"\\\n]|\\[\\"n])*"/y
const BLANK = /[ \t]*/y
const WORD = /[^ \t]+/y

/** Reads samples in the order of the text; comments, HELP and TYPE lines are checked for form and dropped. */
export function parseExposition(
  text: string,
  limits: ExpositionLimits = EXPOSITION_LIMITS,
): readonly ExpositionSample[] {
  if (text.length > limits.charactersMax) {
    throw invalid(`expected at most ${limits.charactersMax} characters, got ${text.length}`)
  }
  const samples: ExpositionSample[] = []
  const lines = text.split('\n')
  for (const [index, raw] of lines.entries()) {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw
    const start = line.trimStart()
    if (start === '') continue
    if (start.startsWith('#')) {
      checkComment(start, index + 1)
      continue
    }
    if (samples.length >= limits.samplesMax) {
      throw invalid(`line ${index + 1}: expected at most ${limits.samplesMax} samples`)
    }
    samples.push(new LineReader(line, index + 1, limits.labelsMax).sample())
  }
  return samples
}

const TYPES = new Set(['counter', 'gauge', 'histogram', 'summary', 'untyped'])

function checkComment(line: string, number: number): void {
  const words = line.split(/[ \t]+/)
  if (words[0] !== '#' || words[1] !== 'TYPE') return
  if (words.length < 4 || !TYPES.has(words[3] ?? '')) {
    throw invalid(`line ${number}: expected "# TYPE name type", got ${shown(line)}`)
  }
}

/** A cursor over one sample line. */
class LineReader {
  readonly #line: string
  readonly #number: number
  readonly #labelsMax: number
  #at = 0

  constructor(line: string, number: number, labelsMax: number) {
    this.#line = line
    this.#number = number
    this.#labelsMax = labelsMax
  }

  sample(): ExpositionSample {
    this.#take(BLANK)
    const name = this.#need(NAME, 'a metric name')
    const labels: Record<string, string> = { __name__: name }
    this.#take(BLANK)
    if (this.#line[this.#at] === '{') this.#labels(labels)
    this.#take(BLANK)
    const valueText = this.#need(WORD, 'a value')
    const value = parseNumber(valueText)
    if (value === null) throw this.#fault(`a number, got ${shown(valueText)}`)
    this.#take(BLANK)
    const stampText = this.#take(WORD)
    const timestampMs = stampText === '' ? null : Number(stampText)
    if (timestampMs !== null && !/^-?\d{1,15}$/.test(stampText)) {
      throw this.#fault(`a timestamp in milliseconds, got ${shown(stampText)}`)
    }
    this.#take(BLANK)
    if (this.#at < this.#line.length) throw this.#fault('the end of the line')
    return { labels, value, timestampMs }
  }

  #labels(labels: Record<string, string>): void {
    let count = 0
    this.#at += 1
    for (;;) {
      this.#take(BLANK)
      if (this.#line[this.#at] === '}') break
      const name = this.#need(LABEL_NAME, 'a label name or "}"')
      // Object.hasOwn and not `in`: a label may be named like a member of Object.prototype.
      if (Object.hasOwn(labels, name)) throw this.#fault(`each label once, got ${name} again`)
      count += 1
      if (count > this.#labelsMax) throw this.#fault(`at most ${this.#labelsMax} labels`)
      this.#take(BLANK)
      if (this.#line[this.#at] !== '=') throw this.#fault('"="')
      this.#at += 1
      this.#take(BLANK)
      define(labels, name, unescape(this.#need(QUOTED, 'a quoted label value')))
      this.#take(BLANK)
      if (this.#line[this.#at] === ',') this.#at += 1
      else if (this.#line[this.#at] !== '}') throw this.#fault('"," or "}"')
    }
    this.#at += 1
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#line)?.[0] ?? ''
    this.#at += found.length
    return found
  }

  #need(pattern: RegExp, what: string): string {
    const found = this.#take(pattern)
    if (found === '') throw this.#fault(what)
    return found
  }

  #fault(expected: string): Fault {
    const rest = shown(this.#line.slice(this.#at))
    return invalid(`line ${this.#number}, column ${this.#at + 1}: expected ${expected}, before ${rest}`)
  }
}

/** Sets also `__proto__`, which a plain assignment would swallow. */
function define(labels: Record<string, string>, name: string, value: string): void {
  Object.defineProperty(labels, name, { value, enumerable: true, writable: true, configurable: true })
}

function unescape(quoted: string): string {
  return quoted
    .slice(1, -1)
    .replaceAll(/\\([\\"n])/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped))
}

function shown(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}...` : text)
}

function invalid(message: string): Fault {
  return metricsFaults.fault('metrics-exposition-invalid', `exposition: ${message}`)
}
