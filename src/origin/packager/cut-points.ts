// Owns the choice of segment boundaries: at key frames, near the target, equal for all renditions that agree.

/** Segments of 4 s: short enough to change renditions quickly, long enough that requests are few. */
export const SEGMENT_TARGET_S = 4
/** A segment may be this much longer than the target rather than end at the key frame before. */
const TARGET_SLACK_S = 0.5
/** Key frames of two renditions closer than this are the same: timescales round differently. */
const AGREE_S = 0.001
/** Where the common key frames are further apart than this, renditions are cut each for itself. */
const COMMON_GAP_S_MAX = 10

/** Chooses out of ascending key frame times, as indices; the first one always starts the first segment. */
export function chooseCuts(keyTimesS: ArrayLike<number>, endS: number): number[] {
  const cuts: number[] = []
  let start = 0
  for (let key = 0; key < keyTimesS.length; key += 1) {
    const time = at(keyTimesS, key)
    if (cuts.length === 0) {
      cuts.push(key)
      start = time
      continue
    }
    const next = key + 1 < keyTimesS.length ? at(keyTimesS, key + 1) : endS
    // Cut here when waiting for the next key frame, or for the end, would make the segment too long.
    if (next - start > SEGMENT_TARGET_S + TARGET_SLACK_S) {
      cuts.push(key)
      start = time
    }
  }
  return cuts
}

/** The times of the first list that all others have too; null when these are too few to cut at. */
export function commonTimes(lists: readonly Float64Array[], endS: number): Float64Array | null {
  const [first, ...others] = lists
  if (first === undefined) return null
  let common = Array.from(first)
  for (const other of others) common = intersect(common, other)
  const own = Math.max(...lists.map(list => longestGap(list, endS)))
  if (common.length === 0 || longestGap(common, endS) > Math.max(COMMON_GAP_S_MAX, own + AGREE_S)) return null
  return Float64Array.from(common)
}

/** Index of the time that agrees with `time`, or of the first one after it. */
export function indexOfTime(times: ArrayLike<number>, time: number): number {
  let low = 0
  let high = times.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (at(times, middle) < time - AGREE_S) low = middle + 1
    else high = middle
  }
  return low
}

function intersect(common: readonly number[], other: Float64Array): number[] {
  return common.filter(time => {
    const found = other[indexOfTime(other, time)]
    return found !== undefined && Math.abs(found - time) <= AGREE_S
  })
}

/** The longest segment that cutting at all of these would give, the one at the end included. */
export function longestGap(times: ArrayLike<number>, endS: number): number {
  let longest = 0
  for (let index = 0; index < times.length; index += 1) {
    const next = index + 1 < times.length ? at(times, index + 1) : endS
    longest = Math.max(longest, next - at(times, index))
  }
  return longest
}

function at(array: ArrayLike<number>, index: number): number {
  return array[index] as number
}
