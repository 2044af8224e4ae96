// Owns numbers made from many: sums, means, deviations, quantiles, over a stretch of an array.
// It refuses empty stretches by contract: callers ask only where there is at least one value.

/** Takes `values[from..to)`. */
export type Reducer = (values: Float64Array, from: number, to: number) => number

/** Neumaier's compensated sum, as Prometheus 3 uses it. */
export const sumOf: Reducer = (values, from, to) => {
  let sum = 0
  let lost = 0
  for (let at = from; at < to; at += 1) {
    const value = values[at] ?? 0
    const next = sum + value
    if (next === Infinity || next === -Infinity) lost = 0
    else if (Math.abs(sum) >= Math.abs(value)) lost += sum - next + value
    else lost += value - next + sum
    sum = next
  }
  return Number.isFinite(sum) ? sum + lost : sum
}

/** Sum over count, and where the sum overflows a running mean. */
export const meanOf: Reducer = (values, from, to) => {
  const sum = sumOf(values, from, to)
  const count = to - from
  if (Number.isFinite(sum) || Number.isNaN(sum)) return sum / count
  let mean = 0
  for (let at = from; at < to; at += 1) {
    const value = values[at] ?? 0
    const index = at - from + 1
    if (Number.isFinite(mean) || Number.isNaN(mean)) mean += value / index - mean / index
    else if (Number.isNaN(value) || value === -mean) return Number.NaN
  }
  return mean
}

/** NaN only when all are: a NaN is replaced by any number. */
export const minOf: Reducer = (values, from, to) => {
  let least = values[from] ?? Number.NaN
  for (let at = from + 1; at < to; at += 1) {
    const value = values[at] ?? 0
    if (value < least || Number.isNaN(least)) least = value
  }
  return least
}

export const maxOf: Reducer = (values, from, to) => {
  let most = values[from] ?? Number.NaN
  for (let at = from + 1; at < to; at += 1) {
    const value = values[at] ?? 0
    if (value > most || Number.isNaN(most)) most = value
  }
  return most
}

export const countOf: Reducer = (_values, from, to) => to - from

/**
 * Population variance by Welford's method, with compensated sums as Prometheus has them over time and not between
 * series: a large level must not eat the digits of what varies.
 */
export const varianceOverTime: Reducer = (values, from, to) => {
  let mean = 0
  let meanLost = 0
  let squares = 0
  let squaresLost = 0
  for (let at = from; at < to; at += 1) {
    const value = values[at] ?? 0
    const delta = value - (mean + meanLost)
    const step = delta / (at - from + 1)
    const nextMean = mean + step
    // Once it is infinite there is nothing left to compensate.
    if (nextMean === Infinity || nextMean === -Infinity) meanLost = 0
    else if (Math.abs(mean) >= Math.abs(step)) meanLost += mean - nextMean + step
    else meanLost += step - nextMean + mean
    mean = nextMean
    const square = delta * (value - (mean + meanLost))
    const nextSquares = squares + square
    if (nextSquares === Infinity || nextSquares === -Infinity) squaresLost = 0
    else if (Math.abs(squares) >= Math.abs(square)) squaresLost += squares - nextSquares + square
    else squaresLost += square - nextSquares + squares
    squares = nextSquares
  }
  return (squares + squaresLost) / (to - from)
}

/** Linear interpolation between the two nearest ranks; NaN sorts below all numbers. */
export function quantileOf(quantile: number, values: Float64Array, from: number, to: number): number {
  if (Number.isNaN(quantile)) return Number.NaN
  if (quantile < 0) return -Infinity
  if (quantile > 1) return Infinity
  const sorted = values.slice(from, to).sort()
  // A typed array sorts NaN last.
  const nans = sorted.findIndex(Number.isNaN)
  const at = (index: number): number => {
    const shifted = nans < 0 ? index : index - (sorted.length - nans)
    return shifted < 0 ? Number.NaN : (sorted[shifted] ?? Number.NaN)
  }
  const rank = quantile * (sorted.length - 1)
  const lower = Math.max(0, Math.floor(rank))
  const upper = Math.min(sorted.length - 1, lower + 1)
  const weight = rank - Math.floor(rank)
  return at(lower) * (1 - weight) + at(upper) * weight
}
