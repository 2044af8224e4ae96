// Owns attribute lists (draft-pantos-hls-rfc8216bis section 4.2): AttributeName=AttributeValue, separated by commas.
// It refuses values that the list cannot carry, since quoted strings have no escape.
import { mediaFaults } from '../faults.ts'

export const ATTRIBUTES_MAX = 64 // on one tag; the longest tag of the specification has about 20

/** Attribute values as they stand in the text; quoted strings without their quotes. */
export class AttributeList {
  readonly #values: ReadonlyMap<string, { text: string; quoted: boolean }>
  readonly #where: string

  constructor(values: ReadonlyMap<string, { text: string; quoted: boolean }>, where: string) {
    this.#values = values
    this.#where = where
  }

  /** A quoted string; null when the attribute is absent. */
  quoted(name: string): string | null {
    const value = this.#values.get(name)
    if (value === undefined) return null
    if (!value.quoted) throw this.#wrong(name, 'a quoted string', value.text)
    return value.text
  }

  requiredQuoted(name: string): string {
    const value = this.quoted(name)
    if (value === null) throw this.#missing(name)
    return value
  }

  /** An enumerated string out of `allowed`; another one reads as absent, as section 6.3.1 asks of clients. */
  oneOf<Value extends string>(name: string, allowed: readonly Value[]): Value | null {
    const value = this.#values.get(name)
    if (value === undefined) return null
    if (value.quoted) throw this.#wrong(name, `one of ${allowed.join(', ')}`, `"${value.text}"`)
    return allowed.find(one => one === value.text) ?? null
  }

  /** YES or NO; absent means NO. */
  flag(name: string): boolean {
    return this.oneOf(name, ['YES', 'NO']) === 'YES'
  }

  /** A decimal integer up to 2^53 - 1. */
  integer(name: string): number | null {
    return this.#number(name, /^\d{1,20}$/, 'a decimal integer')
  }

  requiredInteger(name: string): number {
    const value = this.integer(name)
    if (value === null) throw this.#missing(name)
    return value
  }

  /** A decimal floating-point number without sign. */
  decimal(name: string): number | null {
    return this.#number(name, /^\d{1,20}(\.\d{0,20})?$/, 'a decimal number')
  }

  /** `1280x720`. */
  resolution(name: string): { width: number; height: number } | null {
    const value = this.#values.get(name)
    if (value === undefined) return null
    const match = /^(\d{1,6})x(\d{1,6})$/.exec(value.text)
    if (match === null || value.quoted) throw this.#wrong(name, 'WIDTHxHEIGHT', value.text)
    return { width: Number(match[1]), height: Number(match[2]) }
  }

  #number(name: string, shape: RegExp, expected: string): number | null {
    const value = this.#values.get(name)
    if (value === undefined) return null
    const number = Number(value.text)
    if (value.quoted || !shape.test(value.text) || number > Number.MAX_SAFE_INTEGER) {
      throw this.#wrong(name, expected, value.text)
    }
    return number
  }

  #wrong(name: string, expected: string, came: string): Error {
    const message = `${this.#where}: ${name} is ${came.slice(0, 80)}, expected ${expected}`
    return mediaFaults.fault('media-hls-unreadable', message)
  }

  #missing(name: string): Error {
    return mediaFaults.fault('media-hls-unreadable', `${this.#where}: ${name} is missing`)
  }
}

const attribute = /([A-Z0-9-]+)=(?:"([^"\r\n]*)"|([^",\s][^",]*))(?:,|$)/y

/** Reads the text after a tag's colon. `where` names tag and line for messages. */
export function readAttributeList(text: string, where: string): AttributeList {
  const values = new Map<string, { text: string; quoted: boolean }>()
  attribute.lastIndex = 0
  let at = 0
  while (at < text.length) {
    // Blanks after a comma are not allowed, but players accept them, and so do we.
    while (text[at] === ' ') at += 1
    attribute.lastIndex = at
    const match = attribute.exec(text)
    const name = match?.[1]
    if (match === null || name === undefined) {
      const rest = text.slice(at, at + 40)
      throw mediaFaults.fault('media-hls-unreadable', `${where}: expected NAME=VALUE, found ${rest}`)
    }
    if (values.has(name)) throw mediaFaults.fault('media-hls-unreadable', `${where}: ${name} stands twice`)
    if (values.size >= ATTRIBUTES_MAX) {
      throw mediaFaults.fault('media-hls-unreadable', `${where}: more than ${ATTRIBUTES_MAX} attributes`)
    }
    const quoted = match[2]
    values.set(
      name,
      quoted === undefined ? { text: match[3] ?? '', quoted: false } : { text: quoted, quoted: true },
    )
    at = attribute.lastIndex
  }
  return new AttributeList(values, where)
}

/** Builds an attribute list in the order of the calls; null values are left out. */
export class AttributeWriter {
  readonly #parts: string[] = []
  readonly #tag: string

  constructor(tag: string) {
    this.#tag = tag
  }

  quoted(name: string, value: string | null): this {
    if (value === null) return this
    if (hasControlOrQuote(value)) throw this.#refuse(name, value, 'a quotation mark or control character')
    this.#parts.push(`${name}="${value}"`)
    return this
  }

  /** An identifier with the closed alphabet that the specification gives it, quoted. */
  identifier(name: string, value: string | null, alphabet: RegExp): this {
    if (value !== null && !alphabet.test(value)) throw this.#refuse(name, value, `not ${alphabet.source}`)
    return this.quoted(name, value)
  }

  plain(name: string, value: string | null): this {
    if (value !== null) this.#parts.push(`${name}=${value}`)
    return this
  }

  integer(name: string, value: number | null): this {
    if (value === null) return this
    if (!Number.isSafeInteger(value) || value < 0) {
      throw this.#refuse(name, String(value), 'not an integer from 0 to 2^53 - 1')
    }
    return this.plain(name, String(value))
  }

  toString(): string {
    return `#${this.#tag}:${this.#parts.join(',')}`
  }

  #refuse(name: string, value: string, problem: string): Error {
    const shown = JSON.stringify(value.slice(0, 80))
    return mediaFaults.fault('media-hls-unwritable', `${this.#tag} ${name}=${shown}: ${problem}`)
  }
}

/** True for what neither a quoted string nor a URI line can carry: `"` and C0, DEL, C1, U+2028, U+2029. */
export function hasControlOrQuote(text: string): boolean {
  return /["\p{Cc}\u2028\u2029]/u.test(text)
}
