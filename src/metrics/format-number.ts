// Owns how Prometheus prints and reads numbers. It refuses nothing when printing; reading gives null for what is no number.

/** As the Prometheus API prints a sample: Go's FormatFloat 'f' between 1e-6 and 1e21, else 'e', shortest form. */
export function formatNumber(value: number): string {
  const size = Math.abs(value)
  // Nearly all numbers: here both print the same.
  if (size >= 1e-6 && size < 1e21) return String(value)
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  if (Number.isNaN(value)) return 'NaN'
  if (size === Infinity) return value > 0 ? '+Inf' : '-Inf'
  // ECMAScript switches to an exponent at the same two bounds, but Go gives the exponent two digits.
  return String(value).replace(/e([+-])(\d)$/, 'e$10$2')
}

/** As Go's FormatFloat 'f' with precision -1: never an exponent. Used for the label of count_values. */
export function formatPlain(value: number): string {
  const text = formatNumber(value)
  const parts = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text)
  if (parts === null) return text
  const [, sign = '', first = '', rest = '', exponentText = '0'] = parts
  const exponent = Number(exponentText)
  const digits = first + rest
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`
  return sign + digits.padEnd(exponent + 1, '0')
}

const PLAIN_NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/
const HEX_INTEGER = /^([+-]?)0[xX]([0-9a-fA-F]+)$/

/** Reads a number as Prometheus' text format and PromQL do; null when it is none. */
export function parseNumber(text: string): number | null {
  if (PLAIN_NUMBER.test(text)) return Number(text)
  const word = /^([+-]?)(inf|infinity|nan)$/i.exec(text)
  if (word !== null) {
    if (word[2]?.toLowerCase() === 'nan') return Number.NaN
    return word[1] === '-' ? -Infinity : Infinity
  }
  const hex = HEX_INTEGER.exec(text)
  if (hex === null) return null
  const value = Number.parseInt(hex[2] ?? '', 16)
  return hex[1] === '-' ? -value : value
}
