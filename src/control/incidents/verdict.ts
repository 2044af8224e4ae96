// Owns the verdict: whether somebody has to get up. Pure.
// It never guesses: where an input that matters is missing it says `cannot tell`, and which one.
import type { Verdict, VerdictClass } from '#wire'
import type { CapacityFacts, Planned } from './facts.ts'
import { clockTime } from './zone-time.ts'

export type Trend = 'rising' | 'steady' | 'falling'

export interface VerdictInput {
  readonly now: number
  /** Since when somebody is hurt without a pause. */
  readonly hurtSince: number
  /** When the last alert joined: whom that one hurts has to move first. */
  readonly grewAt: number
  /** Null: not known. */
  readonly hurtNow: number | null
  /** Against a minute ago; null: too early to tell. */
  readonly trend: Trend | null
  readonly moved: number | null
  /** Null: could not be had. */
  readonly capacity: CapacityFacts | null
  readonly planned: readonly Planned[]
  /** Why viewers are not known; null: they are, or need not be. */
  readonly blind: string | null
  readonly zone: string
}

/** Viewers change edge within seconds; who is still hurt after this does not move by himself. */
const MOVING_MS = 60_000
const HURT_MS_MAX = 3 * 60_000
/** However often it grew. */
const OPEN_HURT_MS_MAX = 10 * 60_000
/** To wake up, to look, to bring an edge back. */
const LEAD_MS = 30 * 60_000
const HOUR_MS = 3_600_000

type Found = Pick<Verdict, 'class' | 'decideBy' | 'reason'>

export function verdictOf(input: VerdictInput): Verdict {
  const found = hurtFirst(input) ?? capacityNext(input)
  return { ...found, text: textOf(found, input.zone), inputs: inputsOf(input), at: input.now }
}

/** 0: nobody has to do anything. A class that rises rings again. */
export const verdictRank: Readonly<Record<VerdictClass, number>> = {
  sleep: 0,
  'cannot-tell': 0,
  decide: 1,
  'get-up': 2,
}

function textOf({ class: kind, decideBy }: Found, zone: string): string {
  const at = decideBy === null ? '' : clockTime(decideBy, zone)
  return {
    sleep: 'you can sleep',
    decide: `decide by ${at}`,
    'get-up': 'get up',
    'cannot-tell': 'cannot tell',
  }[kind]
}

function cannotTell(reason: string): Found {
  return { class: 'cannot-tell', decideBy: null, reason }
}

function getUp(reason: string): Found {
  return { class: 'get-up', decideBy: null, reason }
}

function hurtFirst({ now, hurtSince, grewAt, hurtNow, trend, blind }: VerdictInput): Found | null {
  if (blind !== null) return cannotTell(blind)
  if (hurtNow === null) return cannotTell('How many viewers are hurt is not known.')
  if (hurtNow === 0) return null
  const ageMs = now - Math.max(hurtSince, grewAt)
  const who = hurtNow === 1 ? '1 viewer is' : `${hurtNow} viewers are`
  if (ageMs >= HURT_MS_MAX || now - hurtSince >= OPEN_HURT_MS_MAX) {
    return getUp(`${who} still hurt after ${Math.round((now - hurtSince) / 60_000)} minutes.`)
  }
  if (ageMs < MOVING_MS || trend === null) {
    return cannotTell(`${who} hurt now; whether they move away shows within a minute.`)
  }
  if (trend === 'falling') return cannotTell(`${who} hurt now and become fewer; wait a minute.`)
  return getUp(`${who} hurt, and they ${trend === 'rising' ? 'become more' : 'do not become fewer'}.`)
}

function capacityNext({ now, capacity, planned, zone }: VerdictInput): Found {
  if (capacity === null) return cannotTell('What the remaining edges carry could not be looked up.')
  const { restBps, restEdges, unknown, out, nowBps, hours } = capacity
  if (restEdges === 0) return getUp('No edge takes viewers.')
  const sleep = (reason: string): Found => ({ class: 'sleep', decideBy: null, reason })
  if (out.length === 0) return sleep('Nobody is hurt, and every edge takes viewers.')
  // What is known of the capacity is a lower bound: it decides only where it suffices.
  const lacks = (demand: number): boolean => demand > restBps
  const peaks = hours.flatMap(({ at, peakBps }) => (peakBps === null ? [] : [{ at, peakBps }]))
  const missing = peaks.length === 0 || nowBps === null
  if (unknown.length > 0 && (missing || peaks.some(({ peakBps }) => lacks(peakBps)) || lacks(nowBps ?? 0))) {
    return cannotTell(`Nobody is hurt now; the capacity of ${unknown.length} remaining edges is not known.`)
  }
  if (nowBps !== null && lacks(nowBps)) {
    return getUp(`The remaining edges carry ${rate(restBps)}, and ${rate(nowBps)} is asked now.`)
  }
  const first = peaks.find(({ peakBps }) => lacks(peakBps))
  if (first !== undefined) {
    const decideBy = first.at - LEAD_MS
    const why = `The remaining edges carry ${rate(restBps)}; from ${clockTime(first.at, zone)} on ${rate(first.peakBps)} is usual.`
    return decideBy <= now ? getUp(why) : { class: 'decide', decideBy, reason: why }
  }
  if (missing) return cannotTell('Nobody is hurt now; what is usual in the coming hours is not known yet.')
  const soon = planned.find(({ from, to, capacityBps }) =>
    peaks.some(({ at, peakBps }) => at < to && at + HOUR_MS > from && peakBps > restBps - capacityBps),
  )
  if (soon !== undefined) {
    const why = `${soon.text} takes ${soon.servers.join(', ')} away from ${clockTime(soon.from, zone)} on.`
    return soon.from - LEAD_MS <= now
      ? getUp(why)
      : { class: 'decide', decideBy: soon.from - LEAD_MS, reason: why }
  }
  const worst = Math.max(...peaks.map(({ peakBps }) => peakBps))
  return sleep(
    `Nobody is hurt, and the remaining edges carry ${rate(restBps)}, more than the ${rate(worst)} that is usual.`,
  )
}

function inputsOf({ hurtNow, trend, moved, capacity, planned, zone }: VerdictInput): Verdict['inputs'] {
  const worst =
    capacity === null ? [] : capacity.hours.flatMap(({ peakBps }) => (peakBps === null ? [] : [peakBps]))
  const peak = worst.length === 0 ? null : Math.max(...worst)
  const one = (
    name: string,
    value: number | null,
    unit: string,
    text: string,
  ): Verdict['inputs'][number] => ({
    name,
    text: value === null ? 'not known' : text,
    value,
    unit,
    missing: value === null,
  })
  const known = capacity === null || capacity.restBps === 0 ? null : capacity.restBps
  const more =
    capacity === null || capacity.unknown.length === 0
      ? ''
      : `, and ${capacity.unknown.length} of unknown capacity`
  return [
    one('Viewers hurt now', hurtNow, 'viewers', String(hurtNow ?? '')),
    one(
      'Trend of a minute',
      trend === null ? null : { rising: 1, steady: 0, falling: -1 }[trend],
      '',
      trend ?? '',
    ),
    one('Viewers moved', moved, 'viewers', String(moved ?? '')),
    one(
      'Edges left',
      capacity?.restEdges ?? null,
      'edges',
      `${capacity?.restEdges ?? 0}, ${capacity?.out.length ?? 0} take no viewers`,
    ),
    one('They carry', known, 'bit/s', `${rate(known ?? 0)}${more}`),
    one('Asked now', capacity?.nowBps ?? null, 'bit/s', rate(capacity?.nowBps ?? 0)),
    one('Usual peak of the next 12 h', peak, 'bit/s', rate(peak ?? 0)),
    one(
      'Maintenance in the next 12 h',
      planned.length,
      '',
      planned.length === 0
        ? 'none'
        : planned.map(({ text, from }) => `${text} at ${clockTime(from, zone)}`).join('; '),
    ),
  ]
}

function rate(bps: number): string {
  const units = ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s', 'Tbit/s']
  const place = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bps)) / 3)))
  const value = bps / 1000 ** place
  return `${value.toFixed(value < 10 && place > 0 ? 1 : 0)} ${units[place] ?? ''}`
}
