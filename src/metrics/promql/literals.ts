// Owns the literals of PromQL: numbers, durations and quoted strings. It refuses malformed ones with their position.
// See https://prometheus.io/docs/prometheus/latest/querying/basics/#literals
import { parseNumber } from '../format-number.ts'
import { syntaxFault } from './syntax-fault.ts'

const UNIT_MS: Readonly<Record<string, number>> = {
  y: 31_536_000_000, // 365 days
  w: 604_800_000,
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
}

/** Milliseconds of `1h30m` or of a plain number of seconds; null when it is neither. */
export function parseDurationMs(text: string): number | null {
  if (/^(?:\d+(?:ms|[ywdhms]))+$/.test(text)) {
    let sum = 0
    for (const [, count, unit] of text.matchAll(/(\d+)(ms|[ywdhms])/g))
      sum += Number(count) * (UNIT_MS[unit ?? ''] ?? 0)
    return sum
  }
  const seconds = parseNumber(text.replaceAll('_', ''))
  return seconds === null ? null : Math.round(seconds * 1000)
}

/** A number, or a duration, which counts as seconds. */
export function parseNumberLiteral(text: string, position: number): number {
  const plain = parseNumber(text.replaceAll('_', ''))
  if (plain !== null) return plain
  const durationMs = parseDurationMs(text)
  if (durationMs === null) throw syntaxFault(`expected a number, got ${JSON.stringify(text)}`, position)
  return durationMs / 1000
}

const SIMPLE: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
  "'": "'",
}

/** Unquotes as Go does; backquoted strings are taken as they are. */
export function parseString(quoted: string, position: number): string {
  const quote = quoted[0] ?? ''
  if (quoted.length < 2 || !quoted.endsWith(quote)) throw syntaxFault('unterminated string', position)
  const body = quoted.slice(1, -1)
  if (quote === '`') return body
  if (body.includes('\n')) throw syntaxFault('a line break inside a quoted string', position)
  let text = ''
  let bytes: number[] = []
  const flush = (): void => {
    // \x and octal escapes give bytes, which together are UTF-8.
    text += Buffer.from(bytes).toString('utf8')
    bytes = []
  }
  let at = 0
  const pattern =
    /\\(?:([abfnrtv\\"'])|x([0-9a-fA-F]{2})|([0-3][0-7]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/y
  while (at < body.length) {
    const plain = body[at] ?? ''
    if (plain !== '\\') {
      if (plain === quote) throw syntaxFault('a quote inside a string', position + at)
      if (bytes.length > 0) flush()
      text += plain
      at += 1
      continue
    }
    pattern.lastIndex = at
    const match = pattern.exec(body)
    if (match === null || (match[1] !== undefined && `'"`.includes(match[1]) && match[1] !== quote)) {
      throw syntaxFault(`unknown escape ${JSON.stringify(body.slice(at, at + 2))}`, position + at)
    }
    const [whole, simple, hex, octal, short, long] = match
    at += whole.length
    if (hex !== undefined) bytes.push(Number.parseInt(hex, 16))
    else if (octal !== undefined) bytes.push(Number.parseInt(octal, 8))
    else {
      if (bytes.length > 0) flush()
      text += simple === undefined ? codePoint(short ?? long ?? '', position + at) : (SIMPLE[simple] ?? '')
    }
  }
  if (bytes.length > 0) flush()
  return text
}

function codePoint(hex: string, position: number): string {
  const code = Number.parseInt(hex, 16)
  const isSurrogate = code >= 0xd800 && code <= 0xdfff
  if (code > 0x10ffff || isSurrogate) throw syntaxFault(`no such character: ${hex}`, position)
  return String.fromCodePoint(code)
}
