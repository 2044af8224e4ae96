// Owns the expanding notation of input series in rule tests, as promtool reads it: `1 2 3`, `_`, `stale`, `0+10x3`,
// `5-1x3`, `7x4`, `_x2`. It refuses native histograms, and more values than a test can need. Pure.

const VALUES_MAX = 1_000_000

/** Null: no sample there. */
export type InputValue = number | 'stale' | null

/** Throws SyntaxError with the word that was not understood. */
export function readValues(text: string): InputValue[] {
  const values: InputValue[] = []
  for (const word of text.split(/\s+/).filter(part => part !== '')) {
    for (const value of wordValues(word)) values.push(value)
    if (values.length > VALUES_MAX) throw new SyntaxError(`more than ${VALUES_MAX} values`)
  }
  return values
}

const NUMBER = String.raw`[+-]?(?:\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|0[xX][0-9a-fA-F]+|[iI][nN][fF]|[nN][aA][nN])`
const STEPS = new RegExp(`^(${NUMBER})([+-]${NUMBER.replace('[+-]?', '')})x(\\d+)$`)
const REPEATED = new RegExp(`^(${NUMBER}|_|stale)x(\\d+)$`)
const SINGLE = new RegExp(`^(?:${NUMBER}|_|stale)$`)

function* wordValues(word: string): Generator<InputValue> {
  const steps = STEPS.exec(word)
  if (steps !== null) {
    const [first, by, count] = [numberOf(steps[1] ?? ''), numberOf(steps[2] ?? ''), countOf(steps[3])]
    // As promtool adds: one after the other, with what floats lose on the way.
    let value = first
    for (let n = 0; n <= count; n += 1) {
      yield value
      value += by
    }
    return
  }
  const repeated = REPEATED.exec(word)
  if (repeated !== null) {
    const value = oneValue(repeated[1] ?? '')
    // `_x3` is three gaps; `5x3` is 5 and three more.
    const count = countOf(repeated[2]) + (value === null ? 0 : 1)
    for (let n = 0; n < count; n += 1) yield value
    return
  }
  if (!SINGLE.test(word)) throw new SyntaxError(`${JSON.stringify(word)} is no value, _, stale, or a+bxn`)
  yield oneValue(word)
}

function countOf(text: string | undefined): number {
  const count = Number(text)
  if (count > VALUES_MAX) throw new SyntaxError(`x${text}: more than ${VALUES_MAX} values`)
  return count
}

function oneValue(word: string): InputValue {
  if (word === '_') return null
  return word === 'stale' ? 'stale' : numberOf(word)
}

/** `1e3`, `0x1f`, `+Inf`, `nan`. */
export function numberOf(text: string): number {
  const word = text.toLowerCase()
  if (/^[+-]?nan$/.test(word)) return Number.NaN
  const sign = word.startsWith('-') ? -1 : 1
  const size = word.replace(/^[+-]/, '')
  return sign * (size === 'inf' ? Number.POSITIVE_INFINITY : Number(size))
}
