// Owns why a session was fed by an edge, in words, from the version of the table by which that edge answered. Pure.
// It refuses to credit the table with what it did not ask for: a player also moves by itself.
import type { SteeringInput, SteeringVersion } from '#wire'
import { why } from './version-words.ts'

export interface Move {
  readonly edge: string
  /** Null: it came in. */
  readonly from: string | null
  readonly at: number
}

export interface VersionSeen {
  readonly version: number
  readonly inputs: readonly SteeringInput[]
}

/** A player that meets silence moves before the table does: a version so soon after is its explanation. */
export const SOON_MS = 15_000

/** `seen` null: that version is not kept any more. `later`: the next versions, oldest first. */
export function pathwayReason(
  move: Move,
  seen: VersionSeen | null,
  later: readonly (SteeringVersion & { readonly inputs: readonly SteeringInput[] })[],
): string {
  if (seen === null) return 'the table of that moment is not kept any more'
  const to = seen.inputs.find(({ id }) => id === move.edge)
  const weight = to === undefined ? `${move.edge} was not in the table` : standing(to)
  if (move.from === null) return `came in: ${weight}${others(seen, move.edge)}`
  const from = seen.inputs.find(({ id }) => id === move.from)
  if (from === undefined) return `${move.from} was not in the table; ${weight}`
  if (from.keep < 1 && from.keep < keepMax(seen.inputs)) return `${standing(from)}; ${weight}`
  const soon = later.find(
    version =>
      version.at - move.at <= SOON_MS &&
      (version.inputs.find(({ id }) => id === move.from)?.keep ?? 0) < from.keep,
  )
  const cause = soon?.inputs.find(({ id }) => id === move.from)
  if (soon !== undefined) {
    const seconds = Math.max(0, (soon.at - move.at) / 1000).toFixed(1)
    const words = cause === undefined ? `${move.from} left the table` : standing(cause)
    return `the player left ${move.from} by itself; ${seconds} s later version ${soon.version} said why: ${words}`
  }
  return `the player left ${move.from} by itself: the table kept it there (${from.why}); ${weight}`
}

function standing(input: SteeringInput): string {
  return `${input.id} had weight ${Number(input.weight.toPrecision(3))}, ${why(input)}`
}

function others({ inputs }: VersionSeen, edge: string): string {
  const open = inputs.filter(({ id, weight }) => id !== edge && weight > 0).length
  return open === 0
    ? '; no other edge took new viewers'
    : `; ${open} other ${open === 1 ? 'edge' : 'edges'} took new viewers too`
}

function keepMax(inputs: readonly SteeringInput[]): number {
  return Math.max(0, ...inputs.map(({ keep }) => keep))
}
