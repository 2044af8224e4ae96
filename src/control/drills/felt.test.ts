import { expect, it } from 'vitest'
import { newSession } from '../viewers/assemble.ts'
import { figuresOf } from '../viewers/figures.ts'
import type { Found } from '../viewers/session-search.ts'
import { sharesOf } from './felt.ts'

const S = 1000

/** Fed by each edge from that second on, until the last; stalls as [second, seconds]. */
function watched(
  runs: readonly (readonly [string, number])[],
  untilS: number,
  stalls: readonly (readonly [number, number])[] = [],
): Found {
  const session = newSession('s', 0)
  session.lastAt = untilS * S
  for (const [at, [edge, fromS]] of runs.entries())
    session.runs.push({ edge, from: fromS * S, to: (runs[at + 1]?.[1] ?? untilS) * S, by: 'access-log' })
  const figures = {
    ...figuresOf(session),
    stalls: stalls.map(([at, seconds]) => ({ from: at * S, at: at * S, seconds })),
  }
  return { session, figures }
}

it('a stall is the edge’s that fed when it began, with the time it took, also beyond the change of edge', () => {
  const one = watched(
    [
      ['sick', 0],
      ['well', 10],
    ],
    30,
    [[8, 5]],
  )
  expect(Object.fromEntries(sharesOf([one], { from: 0, to: 30 * S }))).toEqual({
    sick: { waitedS: 5, askedS: 13 },
    well: { waitedS: 0, askedS: 17 },
  })
})

it('only what lies within the span counts, of all who watched', () => {
  const two = [watched([['a', 0]], 60, [[18, 4]]), watched([['a', 25]], 60), watched([['b', 90]], 99)]
  expect(Object.fromEntries(sharesOf(two, { from: 20 * S, to: 40 * S }))).toEqual({
    a: { waitedS: 2, askedS: 35 },
  })
  expect(sharesOf([watched([], 60)], { from: 0, to: 60 * S }).size).toBe(0)
})
