// Owns the words and tones of incidents on the pages. Pure.
import type { IncidentAnswer, IncidentView, Verdict } from '#wire'
import { timeOfDay, type Zone } from '../time-format.ts'

/** The reader's zone is put in here: the control room's text is in the operators'. */
export function verdictText({ class: kind, decideBy, text }: Verdict, zone: Zone): string {
  if (kind !== 'decide' || decideBy === null) return text.charAt(0).toUpperCase() + text.slice(1)
  return `Decide by ${timeOfDay(decideBy, zone).slice(0, 5)}`
}

const tones = {
  sleep: 'healthy',
  decide: 'degraded',
  'get-up': 'unreachable',
  'cannot-tell': 'moving',
} as const

export function toneOfIncident({ resolvedAt, verdict }: IncidentView): string {
  return resolvedAt === null ? tones[verdict.class] : 'resting'
}

export function countText(value: number | null): string {
  return value === null ? '–' : String(Math.round(value))
}

/** `2 h 05 min` of viewers' time. */
export function lostText(viewerSeconds: number): string {
  const minutes = Math.round(viewerSeconds / 60)
  if (viewerSeconds < 60) return `${Math.round(viewerSeconds)} s`
  return minutes < 60
    ? `${minutes} min`
    : `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`
}

/** `servers`: those of the incident; the others are what it is compared with. */
export function feltWords(
  { server, worst, waitedS, estimated }: IncidentAnswer['felt'][number],
  servers: readonly string[],
): string {
  const elsewhere = servers.includes(server) ? '' : ', not concerned'
  const how = estimated < 0.5 ? '' : ` ${estimated.toFixed(0)} % of their viewing time is estimated.`
  if (waitedS < 0.05) return `${server}${elsewhere}: its viewers did not wait.${how}`
  return `${server}${elsewhere}: its viewers waited ${lostText(waitedS)}; in the worst half minute ${worst.toFixed(0)} % of the time they wanted to watch.${how}`
}

export function confidenceText(confidence: number): string {
  if (confidence === 0) return 'no cause named'
  return `${confidence >= 0.85 ? 'sure' : confidence >= 0.7 ? 'likely' : 'perhaps'}, ${Math.round(confidence * 100)} %`
}

/** Open ones first, the worst of them first; then those that are over, newest first. */
export function inListOrder(incidents: readonly IncidentView[]): IncidentView[] {
  const rank = ({ verdict }: IncidentView): number =>
    ['get-up', 'decide', 'cannot-tell', 'sleep'].indexOf(verdict.class)
  return incidents.toSorted((a, b) => {
    const open = Number(a.resolvedAt !== null) - Number(b.resolvedAt !== null)
    if (open !== 0) return open
    return (a.resolvedAt === null ? rank(a) - rank(b) : 0) || b.openedAt - a.openedAt
  })
}

/** Points of a line from the left border to the right one, from 0 to the highest. */
export function hurtPath(
  points: readonly { readonly at: number; readonly value: number }[],
  width: number,
  height: number,
): string {
  const [first] = points
  const last = points.at(-1)
  if (first === undefined || last === undefined || first.at === last.at) return ''
  const most = Math.max(1, ...points.map(({ value }) => value))
  const places = points.map(({ at, value }) => {
    const x = ((at - first.at) / (last.at - first.at)) * width
    const y = height - 2 - (value / most) * (height - 4)
    return `${x.toFixed(1)} ${y.toFixed(1)}`
  })
  return `M${places.join('L')}`
}

const BRIEF_MAX = 110

/** What a server did and the first reason; reasons of reasons stand in the timeline. */
export function briefState(text: string): string {
  const brief = text.split(': ').slice(0, 2).join(': ')
  return brief.length <= BRIEF_MAX ? brief : `${brief.slice(0, BRIEF_MAX - 1).trimEnd()}…`
}
