// Owns cutting a template into text and actions, and an action into tokens, as Go's text/template does: delimiters,
// trim markers, comments, literals. It refuses what it cannot read, with the offset at which it stands. Pure.
import { messageOf } from '#base'
import { parseString } from '#metrics'

export type Token =
  | { readonly kind: 'name' | 'field' | 'variable' | 'string'; readonly text: string; readonly at: number }
  | { readonly kind: 'number'; readonly value: number | bigint; readonly at: number }
  | { readonly kind: 'mark'; readonly text: string; readonly at: number; readonly spaced: boolean }

export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly tokens: readonly Token[]; readonly at: number }

/** What is wrong with a template, and at which character of it. */
export class TemplateProblem extends Error {
  override readonly name = 'TemplateProblem'
  readonly at: number

  constructor(message: string, at: number) {
    super(message)
    this.at = at
  }
}

const OPEN = '{{'
const CLOSE = '}}'
const CHARACTERS_MAX = 64 * 1024
const SPACE = /[ \t\r\n]/

export function scan(source: string): Piece[] {
  if (source.length > CHARACTERS_MAX)
    throw new TemplateProblem(`${source.length} characters, expected at most ${CHARACTERS_MAX}`, 0)
  const pieces: Piece[] = []
  let at = 0
  let trimNext = false
  for (;;) {
    const open = source.indexOf(OPEN, at)
    const text = source.slice(at, open < 0 ? source.length : open)
    const trimEnd = open >= 0 && source[open + 2] === '-' && SPACE.test(source[open + 3] ?? '')
    const kept = trimmed(text, trimNext, trimEnd)
    if (kept !== '') pieces.push({ kind: 'text', text: kept })
    if (open < 0) return pieces
    const inside = open + (trimEnd ? 3 : 2)
    const { tokens, end, trim } = scanAction(source, inside, open)
    if (tokens.length > 0) pieces.push({ kind: 'action', tokens, at: open })
    at = end
    trimNext = trim
  }
}

function trimmed(text: string, start: boolean, end: boolean): string {
  const left = start ? text.replace(/^[ \t\r\n]+/, '') : text
  return end ? left.replace(/[ \t\r\n]+$/, '') : left
}

interface ScannedAction {
  /** None: a comment. */
  readonly tokens: readonly Token[]
  /** Behind the closing delimiter. */
  readonly end: number
  readonly trim: boolean
}

const COMMENT = /[ \t\r\n]*\/\*[\s\S]*?\*\/[ \t\r\n]*(-?)\}\}/y
const CLOSING = /[ \t\r\n]+-\}\}|\}\}/y
const BLANK = /[ \t\r\n]+/y

function scanAction(source: string, from: number, open: number): ScannedAction {
  const comment = matchAt(COMMENT, source, from)
  if (comment !== null) return { tokens: [], end: from + comment[0].length, trim: comment[1] === '-' }
  const tokens: Token[] = []
  let at = from
  let spaced = true
  for (;;) {
    const closing = matchAt(CLOSING, source, at)
    if (closing !== null) {
      if (tokens.length === 0) throw new TemplateProblem('missing value for command', open)
      return { tokens, end: at + closing[0].length, trim: closing[0].includes('-') }
    }
    if (at >= source.length) throw new TemplateProblem(`${OPEN} is not closed by ${CLOSE}`, open)
    const blank = matchAt(BLANK, source, at)
    if (blank !== null) {
      at += blank[0].length
      spaced = true
      continue
    }
    const { token, end } = scanToken(source, at, spaced)
    tokens.push(token)
    at = end
    spaced = false
  }
}

const NUMBER =
  /[+-]?(?:0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)(?![A-Za-z0-9_.])/y
const STRING = /"(?:[^"\\\n]|\\.)*"/y
const RAW = /`[^`]*`/y
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y
const FIELD = /\.[A-Za-z_][A-Za-z0-9_]*/y
const VARIABLE = /\$(?:[A-Za-z_][A-Za-z0-9_]*)?/y
const MARK = /:=|[=|(),.]/y

function scanToken(source: string, at: number, spaced: boolean): { token: Token; end: number } {
  const number = matchAt(NUMBER, source, at)?.[0]
  if (number !== undefined)
    return { token: { kind: 'number', value: numberOf(number), at }, end: at + number.length }
  const quoted = matchAt(STRING, source, at)?.[0]
  if (quoted !== undefined)
    return { token: { kind: 'string', text: unquote(quoted, at), at }, end: at + quoted.length }
  const raw = matchAt(RAW, source, at)?.[0]
  if (raw !== undefined)
    return { token: { kind: 'string', text: raw.slice(1, -1), at }, end: at + raw.length }
  const variable = matchAt(VARIABLE, source, at)?.[0]
  if (variable !== undefined)
    return { token: { kind: 'variable', text: variable, at }, end: at + variable.length }
  const field = matchAt(FIELD, source, at)?.[0]
  // After a space a field is one of the dot; without, of what stands before it.
  if (field !== undefined) {
    const text = field.slice(1)
    return {
      token: { kind: spaced ? 'field' : 'mark', text: spaced ? text : field, at, spaced },
      end: at + field.length,
    }
  }
  const name = matchAt(NAME, source, at)?.[0]
  if (name !== undefined) return { token: { kind: 'name', text: name, at }, end: at + name.length }
  const mark = matchAt(MARK, source, at)?.[0]
  if (mark !== undefined) return { token: { kind: 'mark', text: mark, at, spaced }, end: at + mark.length }
  throw new TemplateProblem(`${JSON.stringify(source[at])} is not expected here`, at)
}

function matchAt(pattern: RegExp, source: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at
  return pattern.exec(source)
}

/** Whole numbers are integers, as Go's constants; `%d` takes those alone. */
function numberOf(text: string): number | bigint {
  const digits = text.replace(/^[+-]/, '')
  const whole = /^(?:0[xXoObB][0-9a-fA-F]+|\d+)$/.test(digits)
  if (!whole) return Number(text)
  const value = BigInt(digits)
  return text.startsWith('-') ? -value : value
}

/** As PromQL's: both are Go's. */
function unquote(quoted: string, at: number): string {
  try {
    return parseString(quoted, at)
  } catch (error) {
    throw new TemplateProblem(messageOf(error), at)
  }
}
