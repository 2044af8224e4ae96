// Owns which edges fed a session, and when: runs that do not overlap, in order of time. A word that comes late splits a
// run or bridges two, so that the order of words does not matter.
import { offsetOf } from './player-clock.ts'
import { type EdgeRun, RUNS_MAX, type Session } from './session.ts'

const STRENGTH = { cmsd: 2, host: 1, 'access-log': 2 } as const

/** Fleet time; of answers and of the player's word together. Not to be changed. */
export function runsOf({ runs, said, clock }: Pick<Session, 'runs' | 'said' | 'clock'>): readonly EdgeRun[] {
  if (said.length === 0) return runs
  const all = runs.map(run => ({ ...run }))
  const offset = offsetOf(clock)
  for (const { edge, from, to, by } of said) {
    noteEdge(all, edge, from + offset, by)
    if (to > from) noteEdge(all, edge, to + offset, by)
  }
  return all
}

/** An edge answered at that moment. */
export function noteEdge(runs: EdgeRun[], edge: string, at: number, by: EdgeRun['by']): void {
  let next = runs.length
  while (next > 0 && (runs[next - 1]?.from ?? 0) > at) next -= 1
  const before = runs[next - 1]
  const after = runs[next]
  if (before?.edge === edge) {
    before.to = Math.max(before.to, at)
    before.by = stronger(before.by, by)
    return
  }
  if (before !== undefined && before.to >= at) {
    // Two edges at once: pictures from one and sound from another, or a clock that is off.
    const rest = { ...before, from: at }
    before.to = at
    runs.splice(next, 0, { edge, from: at, to: at, by }, ...(rest.to > at ? [rest] : []))
  } else if (after?.edge === edge) {
    after.from = at
    after.by = stronger(after.by, by)
  } else runs.splice(next, 0, { edge, from: at, to: at, by })
  while (runs.length > RUNS_MAX) runs.shift()
}

function stronger(a: EdgeRun['by'], b: EdgeRun['by']): EdgeRun['by'] {
  return STRENGTH[b] > STRENGTH[a] ? b : a
}

/** Whose media was played at that moment: the one that fed it last before. */
export function edgeAt(runs: readonly EdgeRun[], at: number): string | null {
  let found: string | null = null
  for (const run of runs) if (run.from <= at) found = run.edge
  return found
}
