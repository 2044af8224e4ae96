// Owns what one observer's looks at servers of one role are like, for comparing one with the others. Made once an
// evaluation: a thousand servers that each look through all others would be a million looks, four times a second.
import type { ServerRecord } from '../fleet/fleet.ts'

export class PeerMedians {
  /** By role and observer, sorted. */
  readonly #outside = new Map<string, number[]>()
  /** By role: what agents themselves measure. */
  readonly #inside = new Map<string, number[]>()

  constructor(records: readonly ServerRecord[]) {
    for (const { role, inside, outside } of records) {
      put(this.#inside, role, inside.medianMs())
      for (const [witness, log] of outside) put(this.#outside, `${role}/${witness}`, log.medianMs())
    }
    for (const list of [...this.#outside.values(), ...this.#inside.values()]) list.sort((a, b) => a - b)
  }

  /** Of the others of its role, as this observer sees them; null: of none is anything known. */
  seenBy(witness: string, { role, outside }: ServerRecord): number | null {
    return without(this.#outside.get(`${role}/${witness}`) ?? [], outside.get(witness)?.medianMs() ?? null)
  }

  /** Of the others of its role, from inside. */
  fromInside({ role, inside }: ServerRecord): number | null {
    return without(this.#inside.get(role) ?? [], inside.medianMs())
  }
}

function put(lists: Map<string, number[]>, key: string, value: number | null): void {
  if (value === null) return
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [value])
  else list.push(value)
}

/** The median of a sorted list without one of its values; of an even number the higher one of the two. */
export function without(sorted: readonly number[], value: number | null): number | null {
  if (value === null) return sorted[Math.floor(sorted.length / 2)] ?? null
  const at = indexOf(sorted, value)
  const middle = Math.floor((sorted.length - 1) / 2)
  return sorted[middle < at ? middle : middle + 1] ?? null
}

/** Of the first value that is not less. */
function indexOf(sorted: readonly number[], value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? value) < value) low = middle + 1
    else high = middle
  }
  return low
}
