// Owns floats as Go's fmt prints them (%g, %e, %f): ECMAScript's own differ in exponents, in when they use one, and
// in rounding what lies exactly between two. Pure.

/** `%g` decides by six digits where as few as tell the number apart are shown. */
const SHORTEST_DIGITS = 6
/** ECMAScript gives no more, and no double that lies between two roundings needs more. */
const DIGITS_MAX = 100

/** 0.d1d2d3... times ten to the `point`. */
interface Decimal {
  readonly digits: string
  readonly point: number
}

/** `%g`: `digits` significant ones, or as few as tell the number apart (null). */
export function formatGeneral(value: number, digits: number | null): string {
  const special = specialText(value)
  if (special !== null) return special
  const size = Math.abs(value)
  const wanted = digits === null ? null : Math.max(1, Math.min(digits, DIGITS_MAX))
  const decimal = wanted === null ? decimalOf(size.toExponential()) : rounded(exact(size), wanted)
  const power = decimal.point - 1
  const text =
    power < -4 || power >= (wanted ?? SHORTEST_DIGITS)
      ? `${stripZeros(withPoint(decimal.digits, 1))}e${exponentText(power)}`
      : stripZeros(plainText(decimal))
  return signed(value, text)
}

/** `%e`. */
export function formatExponent(value: number, digits: number): string {
  const special = specialText(value)
  if (special !== null) return special
  const decimal = rounded(exact(Math.abs(value)), Math.min(digits, DIGITS_MAX) + 1)
  return signed(value, `${withPoint(decimal.digits, 1)}e${exponentText(decimal.point - 1)}`)
}

/** `%f`: never an exponent. */
export function formatFixed(value: number, digits: number): string {
  const special = specialText(value)
  if (special !== null) return special
  const size = Math.abs(value)
  const places = Math.min(digits, DIGITS_MAX)
  // Doubles of that size are whole.
  if (size >= 2 ** 53) return signed(value, `${BigInt(size)}${places > 0 ? `.${'0'.repeat(places)}` : ''}`)
  const decimal = exact(size)
  const { digits: kept, point } = rounded(decimal, decimal.point + places)
  const whole = point <= 0 ? '0' : kept.slice(0, point).padEnd(point, '0')
  const rest = `${'0'.repeat(Math.max(0, -point))}${kept.slice(Math.max(0, point))}`
  return signed(value, places > 0 ? `${whole}.${rest.slice(0, places).padEnd(places, '0')}` : whole)
}

function exact(size: number): Decimal {
  return decimalOf(size.toExponential(DIGITS_MAX))
}

function decimalOf(text: string): Decimal {
  const [mantissa = '', exponent = '0'] = text.split('e')
  const digits = mantissa.replace('.', '')
  return { digits, point: /^0+$/.test(digits) ? 1 : Number(exponent) + 1 }
}

/** To `count` digits, to even where both are as near. None or fewer: what is left of it is 0, or one digit more. */
function rounded({ digits, point }: Decimal, count: number): Decimal {
  if (count < 0) return { digits: '', point }
  const kept = digits.slice(0, count)
  const rest = digits.slice(count)
  const half = `5${'0'.repeat(Math.max(0, rest.length - 1))}`
  const isOdd = Number(kept.at(-1) ?? '0') % 2 === 1
  if (rest < half || (rest === half && !isOdd) || rest === '')
    return { digits: kept.padEnd(count, '0'), point }
  const up = (BigInt(kept === '' ? '0' : kept) + 1n).toString().padStart(kept.length, '0')
  return up.length > kept.length
    ? { digits: count === 0 ? up : up.slice(0, count), point: point + 1 }
    : { digits: up, point }
}

function plainText({ digits, point }: Decimal): string {
  if (point <= 0) return `0.${'0'.repeat(-point)}${digits}`
  return withPoint(digits.padEnd(point, '0'), point)
}

function withPoint(digits: string, at: number): string {
  return digits.length > at ? `${digits.slice(0, at)}.${digits.slice(at)}` : digits
}

function signed(value: number, text: string): string {
  return value < 0 || Object.is(value, -0) ? `-${text}` : text
}

function specialText(value: number): string | null {
  if (Number.isNaN(value)) return 'NaN'
  if (Number.isFinite(value)) return null
  return value > 0 ? '+Inf' : '-Inf'
}

function exponentText(power: number): string {
  return `${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
}

function stripZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}
