// Owns which titles are played to prove an edge: one that lies in memory, one that lies on disk, one that only the
// origin has. Pure: the same library and viewers in the same minute give the same titles.
import { createHash } from 'node:crypto'

export interface PlayableTitle {
  readonly id: string
  readonly state: 'ready' | 'broken'
  readonly class: string
}

const TURN_MS = 60_000

export function titleTurn(fleetMs: number): number {
  return Math.floor(fleetMs / TURN_MS)
}

/** The sample, one that is watched now, one that nobody watches; fewer where there are no such. */
export function chooseTitles(
  titles: readonly PlayableTitle[],
  watched: readonly string[],
  turn: number,
): string[] {
  const ready = titles.filter(({ state }) => state === 'ready')
  const ids = new Set(ready.map(({ id }) => id))
  const warm = watched.filter(id => ids.has(id))
  const sample = ready.find(title => title.class === 'builtin')?.id ?? ready[0]?.id
  const cold = ready.filter(({ id }) => id !== sample && !warm.includes(id)).map(({ id }) => id)
  const chosen = [sample, warm[turn % Math.max(1, warm.length)], pick(cold, turn)]
  return [...new Set(chosen.filter(id => id !== undefined))]
}

function pick(ids: readonly string[], turn: number): string | undefined {
  if (ids.length === 0) return undefined
  const hash = createHash('sha256').update(`cold ${turn}`).digest().readUInt32BE(0)
  return ids[hash % ids.length]
}
