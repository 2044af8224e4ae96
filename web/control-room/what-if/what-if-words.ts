// Owns what the page "If one is lost" says in words, and the shape of its chart of a week. Pure.
import type { Carry, CarryWord, LossView, WhatIfAnswer } from '#wire'
import { figureText } from '../units.ts'

export const CARRY_WORDS: Readonly<Record<CarryWord, { readonly text: string; readonly tone: string }>> = {
  'not-carried': { text: 'not carried', tone: 'unreachable' },
  'cannot-tell': { text: 'cannot tell', tone: 'moving' },
  tight: { text: 'tight', tone: 'degraded' },
  carried: { text: 'carried', tone: 'healthy' },
  'no-demand-known': { text: 'nothing measured', tone: 'resting' },
}

/** As the control room has it: above this share it is tight. */
const TIGHT = 0.8

/** A region of one edge is that edge: told once. */
export function rowsOf(losses: readonly LossView[]): LossView[] {
  return losses.filter(({ kind, edges }) => kind === 'edge' || edges.length > 1)
}

/** The one sentence on top: the worst that can happen. */
export function sentenceOf({ losses }: Pick<WhatIfAnswer, 'losses'>): {
  readonly text: string
  readonly tone: string
} {
  const rows = rowsOf(losses)
  const [worst] = rows
  if (worst === undefined) return { text: 'No edge is enrolled yet.', tone: 'resting' }
  const { tone } = CARRY_WORDS[worst.word]
  const what = worst.kind === 'region' ? `the region ${worst.name}` : worst.name
  const others = rows.filter(({ word }) => word === worst.word).length - 1
  const more =
    others === 0 ? '' : others === 1 ? ' The same goes for one more.' : ` The same goes for ${others} more.`
  switch (worst.word) {
    case 'not-carried':
      return worst.rest.edges.length === 0
        ? { text: `If ${what} is lost, nobody is left to take its viewers.${more}`, tone }
        : { text: `If ${what} is lost, the rest does not carry what is watched.${more}`, tone }
    case 'cannot-tell':
      return {
        text: `If ${what} is lost, nobody can tell whether the rest carries it: ${unknownText(worst)}.${more}`,
        tone,
      }
    case 'tight':
      return { text: `Every loss is carried now, but without ${what} it is tight.${atWorst(rows)}`, tone }
    case 'carried':
      return { text: `Whichever one is lost now, the rest carries it.${atWorst(rows)}`, tone }
    case 'no-demand-known':
      return { text: 'Nothing has been sent yet: there is no demand to weigh.', tone }
    default:
      return worst.word satisfies never
  }
}

/** Carried at this hour, and not at another one of the week. */
function atWorst(rows: readonly LossView[]): string {
  const lacking = rows.filter(({ week }) => week.word === 'not-carried')
  const [first] = lacking
  if (first === undefined) return ''
  const without = lacking.length === 1 ? first.name : `one of ${lacking.length} of them`
  return ` In the highest hour that is stored, ${without} would have been missed.`
}

export function unknownText({ rest }: Pick<LossView, 'rest'>): string {
  const [first, ...more] = rest.unknown
  if (first === undefined) return ''
  return `the capacity of ${more.length === 0 ? first : `${rest.unknown.length} edges`} is not known`
}

/** `120 Mbit/s, 25 % left`; `lacks 14 %`. */
export function carryText({ demandBps, headroom, word }: Carry): string {
  if (demandBps === null) return 'not measured'
  const demand = figureText(demandBps, 'bits')
  if (headroom === null || word === 'cannot-tell') return demand
  const percent = Math.round(Math.abs(headroom) * 100)
  return `${demand}, ${headroom < 0 ? `${percent} % too much` : `${percent} % left`}`
}

export interface WeekShape {
  /** One path a tone: hours that are carried, tight, and too much (all are one where no capacity is known). */
  readonly carried: string
  readonly tight: string
  readonly over: string
  /** Height of the capacity's line; null: above the picture, or not known. */
  readonly capacityY: number | null
}

/** Bars a unit wide, one an hour; `top` bits a second are `height` high. */
export function weekShape(
  week: WhatIfAnswer['week'],
  capacityBps: number | null,
  { top, height }: { readonly top: number; readonly height: number },
): WeekShape {
  const paths = { carried: '', tight: '', over: '' }
  const y = (bps: number): number => Math.max(0, height - (bps / top) * height)
  for (const [hour, { peakBps }] of week.entries()) {
    if (peakBps === null) continue
    const share = capacityBps === null ? 0 : peakBps / capacityBps
    const key = share > 1 ? 'over' : share > TIGHT ? 'tight' : 'carried'
    // Also next to nothing is seen.
    paths[key] += `M${hour} ${height}V${Math.min(y(peakBps), height - 0.5).toFixed(1)}h1V${height}z`
  }
  return { ...paths, capacityY: capacityBps === null || capacityBps > top ? null : y(capacityBps) }
}

/** The scale that all rows share: room for the highest hour, and for capacities that are not far above it. */
export function weekTop({ week, losses }: Pick<WhatIfAnswer, 'week' | 'losses'>): number {
  const highest = Math.max(1, ...week.map(({ peakBps }) => peakBps ?? 0))
  const near = losses.map(({ rest }) => rest.capacityBps).filter(bps => bps <= 3 * highest)
  return Math.max(highest, ...near) * 1.1
}
