// Owns joining sample lists by time. It refuses doubles: of two samples at one instant the earlier list's stays.
import { NO_SAMPLES, type Samples } from './sample-column.ts'

/** Joins ascending lists into one; lists that merely follow each other are copied as they are. */
export function mergeSamples(parts: readonly Samples[]): Samples {
  const filled = parts.filter(part => part.times.length > 0)
  const first = filled[0]
  if (first === undefined) return NO_SAMPLES
  if (filled.length === 1) return first
  const inOrder = filled.every(
    (part, index) => index === 0 || startOf(part) > endOf(filled[index - 1] ?? NO_SAMPLES),
  )
  const joined = concat(filled)
  return inOrder ? joined : sortSamples(joined)
}

/** Sorts by time; of equal times the first in the list stays. */
export function sortSamples({ times, values }: Samples): Samples {
  const order = Uint32Array.from(times, (_, index) => index)
  order.sort((a, b) => (times[a] ?? 0) - (times[b] ?? 0) || a - b)
  const outTimes = new Float64Array(times.length)
  const outValues = new Float64Array(times.length)
  let length = 0
  for (const from of order) {
    const time = times[from] ?? 0
    if (length > 0 && outTimes[length - 1] === time) continue
    outTimes[length] = time
    // One-element copies keep the bits of a NaN, which tell a stale marker from a plain one.
    outValues[length] = values[from] ?? 0
    length += 1
  }
  return { times: outTimes.subarray(0, length), values: outValues.subarray(0, length) }
}

function concat(parts: readonly Samples[]): Samples {
  const length = parts.reduce((sum, part) => sum + part.times.length, 0)
  const times = new Float64Array(length)
  const values = new Float64Array(length)
  let at = 0
  for (const part of parts) {
    times.set(part.times, at)
    values.set(part.values, at)
    at += part.times.length
  }
  return { times, values }
}

function startOf(part: Samples): number {
  return part.times[0] ?? Number.POSITIVE_INFINITY
}

function endOf(part: Samples): number {
  return part.times.at(-1) ?? Number.NEGATIVE_INFINITY
}
