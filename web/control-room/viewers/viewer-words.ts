// Owns the words of viewers' pages: what a share is, what an event, a state and a blame are called. Pure.
import type { Blame, SessionView, ViewerSessionAnswer, WatchingPart } from '#wire'
import type { Tone } from '../parts/tone.ts'
import { figureText } from '../units.ts'

/** The one definition: docs/operate/viewers.md. */
export const WATCHING_DEFINITION =
  'A viewer is watching who asked for media or said that it plays in the last 30 s. The wall, the fleet, and vitrine_fleet_watching count the same sessions.'

/** `none estimated`, `12% estimated`. */
export function estimatedWords({
  watching,
  estimated,
}: Pick<WatchingPart, 'watching' | 'estimated'>): string {
  if (watching === 0) return ''
  return estimated === 0 ? 'none estimated' : `${shareText(estimated / watching)} estimated`
}

/** Never 0% of something that is there, and never 100% of something that is not whole. */
export function shareText(share: number): string {
  if (share > 0 && share < 0.01) return '<1%'
  if (share < 1 && share > 0.99) return '>99%'
  return `${Math.round(share * 100)}%`
}

/** A ratio of stalls: two places where it is small, since small is where it matters. */
export function ratioText(ratio: number): string {
  const percent = ratio * 100
  if (percent === 0) return '0%'
  if (percent < 0.01) return '<0.01%'
  return `${percent.toFixed(percent < 10 ? 2 : 1)}%`
}

/** What a name of a part means where it is none. */
export function partName(name: string): string {
  if (name === 'unknown' || name === 'none') return 'not known'
  return name === 'other' ? 'others' : name
}

type State = SessionView['state']

export function toneOfState(state: State): Tone {
  switch (state) {
    case 'playing':
      return 'healthy'
    case 'rebuffering':
      return 'degraded'
    case 'failed':
      return 'unreachable'
    case 'starting':
    case 'seeking':
      return 'moving'
    case 'paused':
    case 'waiting':
    case 'ended':
    case 'quit':
    case 'gone':
      return 'resting'
    default:
      return state satisfies never
  }
}

/** CTA-5004-B's letters. */
const EVENTS: Readonly<Record<string, string>> = {
  ps: 'state',
  e: 'error',
  t: 'report',
  rr: 'answer',
  bc: 'other bitrate',
  pr: 'other speed',
  c: 'other title',
  b: 'went to the background',
  m: 'muted',
  um: 'sound on',
  pe: 'fullscreen',
  pc: 'no fullscreen',
  as: 'advertisement',
  ae: 'advertisement over',
  abs: 'advertisement break',
  abe: 'break over',
  sk: 'skipped',
  ce: 'own event',
}

type Said = ViewerSessionAnswer['timeline'][number]

/** `rebuffering`, `error`, `report: playing` */
export function eventText({ event, state }: Pick<Said, 'event' | 'state'>): string {
  const name = EVENTS[event] ?? event
  if (event === 'ps' && state !== null) return state
  return state === null ? name : `${name}: ${state}`
}

export function eventTone({ event, state }: Pick<Said, 'event' | 'state'>): Tone {
  if (event === 'e') return 'unreachable'
  return event === 'ps' && state !== null ? toneOfState(state) : 'resting'
}

export const BLAMES: Readonly<Record<Blame, string>> = {
  origin: 'origin',
  edge: 'edge',
  path: 'path to the viewer',
  player: 'player',
  unknown: 'not known',
}

const SAID_BY: Readonly<Record<SessionView['edges'][number]['by'], string>> = {
  cmsd: 'the player echoes the edge’s own name (CMSD)',
  host: 'the host of the player’s request',
  'access-log': 'the edge’s own access record',
}

export function saidBy(by: SessionView['edges'][number]['by']): string {
  return SAID_BY[by]
}

/** Whole ids are for machines; the beginning tells sessions of a page apart. */
/** How long it took to the first frame; who was first told of in the midst of playing had one that nobody timed. */
export function startWords({ startTimeS, attempt }: Pick<SessionView, 'startTimeS' | 'attempt'>): string {
  if (startTimeS !== null) return figureText(startTimeS, 'seconds')
  if (attempt === 'started') return 'not told'
  return attempt === 'starting' ? 'no frame yet' : 'no frame'
}

/** Seconds and stalls; of a stall that a player only named (`bs` of CMCD v1) the length is not known. */
export function stallWords({ rebufferS, rebuffers }: Pick<SessionView, 'rebufferS' | 'rebuffers'>): string {
  if (rebufferS === 0 && rebuffers === 0) return 'none'
  return rebufferS === 0 ? 'length not known' : `${rebufferS.toFixed(1)} s`
}

export function shortSid(sid: string): string {
  return sid.length <= 24 ? sid : `${sid.slice(0, 22)}…`
}

/** Who the peers of those are that were asked for; null: nobody's, since all were. */
export function peersOf({
  edge,
  region,
}: {
  readonly edge?: string | undefined
  readonly region?: string | undefined
}): string | null {
  if (edge !== undefined) return 'peers on other edges'
  return region === undefined ? null : 'peers in other regions'
}
