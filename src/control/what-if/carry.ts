// Owns what the rest carries when an edge or a region is lost: demands against capacities, in words. Pure.
// A capacity that nobody knows counts as none: it may turn `cannot tell` into nothing better.
import type { Carry, CarryWord, LossView, ServerState, WhatIfAnswer } from '#wire'
import { type DemandHour, HOUR_MS } from '../state/demand.ts'

/** Above this share of the capacity it is tight: a player's burst and a second loss have no room any more. */
const TIGHT = 0.8
const WEEK_HOURS = 168
const WEEKS = 4

export interface EdgeFacts {
  readonly id: string
  readonly name: string
  readonly region: string
  readonly state: ServerState
  /** Takes new viewers now. */
  readonly takes: boolean
  readonly capacityBps: number | null
  readonly viewers: number
  readonly sentBps: number | null
}

export interface Demand {
  readonly peakBps: number
  readonly at: number
}

/** What all edges sent at most at one moment; null: not measured. */
export interface Demands {
  readonly now: Demand | null
  readonly usual: Demand | null
  readonly week: Demand | null
}

/** Every edge and every region, worst first. */
export function lossesOf(edges: readonly EdgeFacts[], demands: Demands): LossView[] {
  const regions = [...new Set(edges.map(({ region }) => region))]
  const losses = [
    ...edges.map(edge => lossOf({ kind: 'edge', id: edge.id, name: edge.name }, [edge], edges, demands)),
    ...regions.map(region => {
      const lost = edges.filter(edge => edge.region === region)
      return lossOf({ kind: 'region', id: region, name: region }, lost, edges, demands)
    }),
  ]
  return losses.toSorted(worstFirst)
}

function lossOf(
  what: Pick<LossView, 'kind' | 'id' | 'name'>,
  lost: readonly EdgeFacts[],
  edges: readonly EdgeFacts[],
  demands: Demands,
): LossView {
  const left = edges.filter(edge => edge.takes && !lost.includes(edge))
  const known = left.map(({ capacityBps }) => capacityBps).filter(bps => bps !== null)
  const rest = {
    edges: left.map(({ id }) => id),
    capacityBps: known.reduce((sum, bps) => sum + bps, 0),
    unknown: left.filter(({ capacityBps }) => capacityBps === null).map(({ id }) => id),
  }
  const sent = lost.map(({ sentBps }) => sentBps).filter(bps => bps !== null)
  const [now, usual, week] = [demands.now, demands.usual, demands.week].map(demand =>
    carryOf(rest, demand),
  ) as [Carry, Carry, Carry]
  return {
    ...what,
    edges: lost.map(({ id }) => id),
    viewers: lost.reduce((sum, { viewers }) => sum + viewers, 0),
    sentBps: sent.length === 0 ? null : sent.reduce((sum, bps) => sum + bps, 0),
    rest,
    word: worse(now.word, usual.word),
    now,
    usual,
    week,
  }
}

export function carryOf({ capacityBps, edges, unknown }: LossView['rest'], demand: Demand | null): Carry {
  // With nobody left there is nothing to weigh.
  if (edges.length === 0) {
    const lacks = { demandBps: demand?.peakBps ?? null, headroom: null, at: demand?.at ?? null }
    return { word: 'not-carried', ...lacks }
  }
  if (demand === null) return { word: 'no-demand-known', demandBps: null, headroom: null, at: null }
  const { peakBps: demandBps, at } = demand
  const headroom = capacityBps === 0 ? null : 1 - demandBps / capacityBps
  return { word: wordOf(demandBps, capacityBps, unknown.length > 0), demandBps, headroom, at }
}

/** What those do that are known is a lower bound: it may suffice without the others. */
function wordOf(demandBps: number, capacityBps: number, someUnknown: boolean): CarryWord {
  if (demandBps <= TIGHT * capacityBps && capacityBps > 0) return 'carried'
  if (someUnknown) return 'cannot-tell'
  return demandBps > capacityBps ? 'not-carried' : 'tight'
}

const badness: readonly CarryWord[] = ['not-carried', 'cannot-tell', 'tight', 'no-demand-known', 'carried']

function worse(one: CarryWord, other: CarryWord): CarryWord {
  return badness.indexOf(one) <= badness.indexOf(other) ? one : other
}

function worstFirst(one: LossView, other: LossView): number {
  const lack = (loss: LossView): number => Math.min(loss.now.headroom ?? 2, loss.usual.headroom ?? 2)
  return (
    badness.indexOf(one.word) - badness.indexOf(other.word) ||
    lack(one) - lack(other) ||
    other.viewers - one.viewers ||
    (one.kind === other.kind ? one.id.localeCompare(other.id) : one.kind === 'region' ? 1 : -1)
  )
}

export interface Recent extends Pick<WhatIfAnswer, 'sameHours' | 'week' | 'storedFrom'> {
  readonly usual: Demand | null
  readonly worst: Demand | null
}

/** The stored hours as the page shows them: this hour of earlier weeks, and the week hour by hour. */
export function recentOf(hours: readonly DemandHour[], nowMs: number): Recent {
  const measured = new Map(hours.filter(({ moments }) => moments > 0).map(hour => [hour.at, hour]))
  const thisHour = Math.floor(nowMs / HOUR_MS) * HOUR_MS
  const sameAs = (at: number): DemandHour[] =>
    Array.from({ length: WEEKS }, (_, week) => measured.get(at - week * WEEK_HOURS * HOUR_MS)).filter(
      hour => hour !== undefined,
    )
  const before = sameAs(thisHour - WEEK_HOURS * HOUR_MS)
  const week = Array.from({ length: WEEK_HOURS }, (_, back) => {
    const at = thisHour - (WEEK_HOURS - 1 - back) * HOUR_MS
    const same = sameAs(at)
    return { at, peakBps: highest(same)?.peakBps ?? null, n: same.length }
  })
  const recent = [...measured.values()].filter(({ at }) => at >= thisHour - WEEKS * WEEK_HOURS * HOUR_MS)
  return {
    sameHours: before.map(({ at, peakBps }) => ({ at, peakBps })),
    usual: highest(before),
    week,
    worst: highest(recent),
    storedFrom: recent.length === 0 ? null : Math.min(...recent.map(({ at }) => at)),
  }
}

function highest(hours: readonly DemandHour[]): Demand | null {
  const top = hours.reduce<DemandHour | null>(
    (best, hour) => (best === null || hour.peakBps > best.peakBps ? hour : best),
    null,
  )
  return top === null ? null : { peakBps: top.peakBps, at: top.peakAt }
}
