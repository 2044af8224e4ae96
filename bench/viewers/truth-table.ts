// Owns holding what was told against what was: stalls by cause and by blame, ratios and start times. Pure but for what
// it prints.
import { type Blame, blames, type ViewerSessionAnswer } from '#wire'
import type { Seen, SeenStall } from './truth-page.ts'

export const kinds = ['origin', 'edge', 'path', 'player'] as const
export type Kind = (typeof kinds)[number]

export interface Injected {
  readonly kind: Kind
  /** In the midst of an answer: its beginning went through. */
  readonly isLate: boolean
  /** Milliseconds since 1970. */
  readonly at: number
  readonly until: number
}

export interface SessionTruth {
  readonly edge: string
  /** Left to its end; else it is what was known when it was broken off, and only its stalls count. */
  readonly isWhole: boolean
  readonly injected: readonly Injected[]
  readonly seen: Seen
  readonly told: ViewerSessionAnswer
}

export interface TruthSums {
  readonly ratioOffPoints: number
  readonly startOffMs: number
  readonly rightPercent: Readonly<Record<Kind, number>>
  readonly unknownPercent: number
}

type Told = Blame | 'not told'

/** A stall has to do with a fault that ended so shortly before it. */
const AFTER_MS = 2500
/** More of those that nobody injected, beside those that were, are no accident. */
const OTHERS_PART_MAX = 0.1
/** Clocks of the two, and the time until an element says that it waits. */
const APART_MS = 1500

export function tellTruth(truths: readonly SessionTruth[]): TruthSums {
  const table = new Map<Kind, Map<Told, number>>()
  // Nothing that was left to its end: nothing is known.
  const none = truths.some(({ isWhole }) => isWhole) ? 0 : Number.POSITIVE_INFINITY
  let [ratioOffPoints, startOffMs, others] = [none, none, 0]
  for (const [n, truth] of truths.entries()) {
    const { seen, told, injected } = truth
    const [real, said] = [ratioOf(seen), ratioTold(told)]
    const offPoints = Math.abs(real - said) * 100
    const offMs = Math.abs((told.session.startTimeS ?? Number.NaN) * 1000 - seen.startMs)
    if (truth.isWhole) {
      ratioOffPoints = worse(ratioOffPoints, offPoints)
      startOffMs = worse(startOffMs, offMs)
    }
    console.log(
      `  session ${n + 1} on ${truth.edge}${truth.isWhole ? '' : ' (broken off)'}: rebuffering ${percent(real)} seen, ${percent(said)} told; start ${Math.round(seen.startMs)} ms seen, ${Math.round((told.session.startTimeS ?? Number.NaN) * 1000)} ms told; stalls ${seen.stalls.length} seen, ${told.session.stalls.length} told; waiting ${seen.waited} times; fed by ${fedBy(told)}`,
    )
    for (const stall of seen.stalls) {
      const cause = injected.find(
        ({ at, until }) => stall.at + stall.seconds * 1000 >= at && stall.at <= until + AFTER_MS,
      )
      const match = told.session.stalls.find(one => overlaps(one, stall))
      const word = match?.blame ?? 'not told'
      if (cause === undefined) others += 1
      else count(table, cause.kind, word)
      if (cause === undefined || word !== cause.kind) {
        console.log(
          `    ${cause === undefined ? 'nothing injected' : nameOf(cause)} -> ${word}, ${stall.seconds.toFixed(2)} s seen: ${match?.evidence ?? ''}`,
        )
      }
    }
  }
  return { ratioOffPoints, startOffMs, ...sumUp(table, others) }
}

export function nameOf({ kind, isLate }: Pick<Injected, 'kind' | 'isLate'>): string {
  return isLate ? `${kind}, after the first bytes,` : kind
}

function sumUp(
  table: ReadonlyMap<Kind, ReadonlyMap<Told, number>>,
  others: number,
): Pick<TruthSums, 'rightPercent' | 'unknownPercent'> {
  const columns: readonly Told[] = [...blames, 'not told']
  console.log(`  ${'cause'.padEnd(8)}${columns.map(name => name.padStart(10)).join('')}     right`)
  const rightPercent: Record<string, number> = {}
  let [all, unknown] = [0, 0]
  for (const kind of kinds) {
    const row = columns.map(word => table.get(kind)?.get(word) ?? 0)
    const sum = row.reduce((a, b) => a + b, 0)
    rightPercent[kind] = sum === 0 ? 0 : round(((table.get(kind)?.get(kind) ?? 0) / sum) * 100)
    all += sum
    unknown += table.get(kind)?.get('unknown') ?? 0
    console.log(
      `  ${kind.padEnd(8)}${row.map(value => String(value).padStart(10)).join('')}${`${rightPercent[kind]} %`.padStart(10)}`,
    )
  }
  console.log(`  stalls that nothing was injected for: ${others}`)
  // Then the machine itself holds everything up, and causes that are called wrong may be right.
  if (others > all * OTHERS_PART_MAX) console.log('  the machine was too busy: this table says little')
  return {
    rightPercent: rightPercent as Record<Kind, number>,
    unknownPercent: all === 0 ? 100 : round((unknown / all) * 100),
  }
}

function ratioOf({ stalls, watchedS }: Seen): number {
  const stalledS = stalls.reduce((sum, { seconds }) => sum + seconds, 0)
  return stalledS / (stalledS + watchedS)
}

function ratioTold({ session: { rebufferS, watchedS } }: ViewerSessionAnswer): number {
  return rebufferS / (rebufferS + watchedS)
}

/** Faults are injected at one edge: a session that others fed as well says little. */
function fedBy({ session: { edges } }: ViewerSessionAnswer): string {
  return [...new Set(edges.map(({ id }) => id))].join(', ') || 'nobody known'
}

function overlaps(told: { at: number; seconds: number }, seen: SeenStall): boolean {
  return (
    told.at <= seen.at + seen.seconds * 1000 + APART_MS && told.at + told.seconds * 1000 >= seen.at - APART_MS
  )
}

function count(table: Map<Kind, Map<Told, number>>, kind: Kind, word: Told): void {
  const row = table.get(kind) ?? new Map<Told, number>()
  table.set(kind, row.set(word, (row.get(word) ?? 0) + 1))
}

/** What is not known is the worst. */
function worse(a: number, b: number): number {
  return Number.isNaN(b) ? Number.POSITIVE_INFINITY : Math.max(a, round(b))
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}

function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(2)} %`
}
