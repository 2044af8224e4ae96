// Owns which records of a session were taken already: (sid, sn) is one record, whichever edges it came through. It
// remembers the last WINDOW numbers; what lies farther back is taken to be a repetition.

const WORDS = 4
const BITS = 32
const WINDOW = WORDS * BITS

/** The highest number, and one bit for each of those from it downwards. */
export function nothingSeen(): number[] {
  return [-1, 0, 0, 0, 0]
}

/** False: it was there already. */
export function markSeen(seen: number[], sn: number): boolean {
  const high = seen[0] ?? -1
  if (sn > high) {
    shift(seen, sn - high)
    seen[0] = sn
    seen[1] = (seen[1] ?? 0) | 1
    return true
  }
  const below = high - sn
  if (below >= WINDOW) return false
  const word = 1 + Math.floor(below / BITS)
  const bit = 1 << (below % BITS)
  if (((seen[word] ?? 0) & bit) !== 0) return false
  seen[word] = (seen[word] ?? 0) | bit
  return true
}

function shift(seen: number[], by: number): void {
  if (by >= WINDOW) {
    for (let word = 1; word <= WORDS; word += 1) seen[word] = 0
    return
  }
  const [words, bits] = [Math.floor(by / BITS), by % BITS]
  for (let word = WORDS; word >= 1; word -= 1) {
    const from = word - words
    const own = from >= 1 ? (seen[from] ?? 0) << bits : 0
    const carried = bits > 0 && from >= 2 ? (seen[from - 1] ?? 0) >>> (BITS - bits) : 0
    seen[word] = own | carried
  }
}
