// Owns `printf`: Go's verbs for what a template can hold, with flags, width and precision. As Go it never fails: a
// verb that does not fit says so in the text. Pure.
import { formatExponent, formatFixed, formatGeneral } from './format-float.ts'
import { kindOf, RenderProblem, toText, type Value } from './value.ts'

const WIDTH_MAX = 1000
const VERB = /%([-+# 0]*)(\d*)(?:\.(\d*))?([^]?)/gu

interface Verb {
  readonly flags: string
  readonly width: number
  readonly precision: number | null
  readonly letter: string
}

export function printf(format: string, args: readonly Value[]): string {
  let next = 0
  const text = format.replace(
    VERB,
    (whole, flags: string, width: string, precision: string | undefined, letter: string) => {
      if (letter === '%') return '%'
      if (letter === '') return '%!(NOVERB)'
      const verb = { flags, width: sizeOf(width), precision: precisionOf(precision), letter }
      if (next >= args.length) return `%!${letter}(MISSING)`
      const arg = args[next] ?? null
      next += 1
      return padded(verb, arg, format1(verb, arg, whole))
    },
  )
  const extra = args.slice(next).map(arg => `${kindOf(arg)}=${toText(arg)}`)
  return extra.length === 0 ? text : `${text}%!(EXTRA ${extra.join(', ')})`
}

function sizeOf(digits: string): number {
  const size = Number(digits)
  if (size > WIDTH_MAX) throw new RenderProblem(`printf: width ${digits}, expected at most ${WIDTH_MAX}`)
  return size
}

/** `%.f` is `%.0f`. */
function precisionOf(digits: string | undefined): number | null {
  return digits === undefined ? null : sizeOf(digits)
}

function format1(verb: Verb, arg: Value, whole: string): string {
  const { letter } = verb
  const text = letter === 'v' ? plain(verb, arg) : byKind(verb, arg)
  return text ?? `%!${letter}(${kindOf(arg)}=${toText(arg)})`.slice(0, whole.length + 1000)
}

function plain(verb: Verb, arg: Value): string {
  if (typeof arg === 'number') return plus(verb, formatGeneral(arg, verb.precision))
  if (typeof arg === 'bigint') return plus(verb, arg.toString())
  return cut(verb, toText(arg))
}

/** Null: the verb does not fit. */
function byKind(verb: Verb, arg: Value): string | null {
  if (typeof arg === 'number') return float(verb, arg)
  if (typeof arg === 'bigint') return integer(verb, arg)
  if (typeof arg === 'boolean') return verb.letter === 't' ? String(arg) : null
  if (typeof arg === 'string') return words(verb, arg)
  return verb.letter === 's' ? toText(arg) : null
}

function float(verb: Verb, value: number): string | null {
  const { letter, precision } = verb
  if (letter === 'f' || letter === 'F') return plus(verb, formatFixed(value, precision ?? 6))
  if (letter === 'e') return plus(verb, formatExponent(value, precision ?? 6))
  if (letter === 'E') return plus(verb, formatExponent(value, precision ?? 6).replace('e', 'E'))
  if (letter === 'g') return plus(verb, formatGeneral(value, precision))
  if (letter === 'G') return plus(verb, formatGeneral(value, precision).replace('e', 'E'))
  return null
}

const BASES: Readonly<Record<string, number>> = { d: 10, x: 16, X: 16, o: 8, b: 2 }

function integer(verb: Verb, value: bigint): string | null {
  const base = BASES[verb.letter]
  if (base === undefined) return null
  const text = value.toString(base)
  return plus(verb, verb.letter === 'X' ? text.toUpperCase() : text)
}

function words(verb: Verb, value: string): string | null {
  if (verb.letter === 's') return cut(verb, value)
  if (verb.letter === 'q') return JSON.stringify(cut(verb, value))
  if (verb.letter !== 'x' && verb.letter !== 'X') return null
  const hex = Buffer.from(value).toString('hex')
  return verb.letter === 'X' ? hex.toUpperCase() : hex
}

function cut({ precision }: Verb, text: string): string {
  return precision === null ? text : Array.from(text).slice(0, precision).join('')
}

function plus({ flags }: Verb, text: string): string {
  if (text === '+Inf') return flags.includes(' ') && !flags.includes('+') ? ' Inf' : text
  if (text.startsWith('-')) return text
  if (flags.includes('+')) return `+${text}`
  return flags.includes(' ') ? ` ${text}` : text
}

function padded({ flags, width }: Verb, arg: Value, text: string): string {
  const missing = width - Array.from(text).length
  if (missing <= 0) return text
  if (flags.includes('-')) return text + ' '.repeat(missing)
  const isNumber = typeof arg === 'number' ? Number.isFinite(arg) : typeof arg === 'bigint'
  if (!flags.includes('0') || !isNumber) return ' '.repeat(missing) + text
  const sign = /^[-+ ]/.exec(text)?.[0] ?? ''
  return sign + '0'.repeat(missing) + text.slice(sign.length)
}
