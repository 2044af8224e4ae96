// Owns what is kept of one session while it is assembled: plain values, so that it can be packed (rest/). It holds no
// behaviour.
import type { Blame } from '#wire'
import type { Delivery } from './estimate.ts'
import type { Playback } from './playback.ts'
import type { SessionGrant } from './prove.ts'

/** States of CMCD v2 (CTA-5004-B, key `sta`); the first: nothing was said. */
const STATES = ['', 's', 'p', 'k', 'r', 'a', 'w', 'e', 'f', 'q', 'd'] as const
type StateLetter = (typeof STATES)[number]
export type StateCode = number & { readonly of: 'state' }

export function stateCode(letter: StateLetter): StateCode {
  return STATES.indexOf(letter) as StateCode
}

/** The code of nothing where it is no state of CMCD. */
export function readState(value: unknown): StateCode {
  return Math.max(0, STATES.indexOf(value as StateLetter)) as StateCode
}

export function stateLetter(code: number): StateLetter {
  return STATES[code] ?? ''
}

/** Columns of a point of playback; `event` counts in `cmcdEvents`. */
export const POINT = { ts: 0, sn: 1, state: 2, event: 3, bufferMs: 4, bitrate: 5, width: 6 } as const
/** About an hour of reports each 30 s and changes of state: 5 KB a session. */
export const POINTS_MAX = 96

/** What the player said of an answer (`rr`); `edge` counts in `edgeNames`, -1: not said. */
export const REPLY = { ts: 0, ttfbMs: 1, ttlbMs: 2, bufferMs: 3, status: 4, edge: 5, width: 6 } as const
/** What the edge said of it (request records). */
export const ANSWER = {
  at: 0,
  firstByteMs: 1,
  durationMs: 2,
  upstreamMs: 3,
  bufferMs: 4,
  status: 5,
  edge: 6,
  width: 7,
} as const
/** Evidence of the last half minute: a stall is judged within that. */
export const EVIDENCE_MAX = 12
/**
 * A slow answer is kept so long after its end, whatever quick ones come: it is what stalls are judged by. Longer, and
 * slow ones of stalls before push out the edge's quick word on the answer that was lost on its way.
 */
export const SLOW_KEPT_MS = 15_000

/** Times in which an edge stood still or waited for the rest of an upstream's answer, or a page was late; a page's own. */
export const DELAY = { by: 0, from: 1, to: 2, ms: 3, width: 4 } as const
export const DELAY_BY = { edge: 0, page: 1, upstream: 2 } as const
/** Of each of them. */
export const DELAYS_MAX = 6

/** Segments of the estimate, in order of arrival. */
export const SEGMENT = {
  doneAt: 0,
  askedAt: 1,
  mediaS: 2,
  bitrate: 3,
  number: 4,
  starved: 5,
  width: 6,
} as const
export const SEGMENTS_MAX = 12

export interface EdgeRun {
  edge: string
  from: number
  to: number
  by: 'cmsd' | 'host' | 'access-log'
}
/** Beyond it the oldest are forgotten. */
export const RUNS_MAX = 32
/** Stalls of which the blame is kept. */
export const STALLS_MAX = 32

export interface JudgedStall {
  /** Fleet time at its start. */
  readonly at: number
  readonly seconds: number
  readonly edge: string | null
  readonly blame: Blame
  readonly evidence: string
  /** The player's clock at its start: what it is known by. */
  readonly from: number
}

/** What the metrics were told of it; they never take back. */
export interface Told {
  sessions: number
  started: number
  exits: number
  startFailures: number
  failures: number
  watchedS: number
  rebufferS: number
  rebuffers: number
  switches: number
  errors: number
  ratedS: number
  ratedBits: number
}

export interface Session {
  readonly sid: string
  title: string | null
  player: string | null
  viewerRegion: string | null
  network: string | null
  /** As it is stored: a keyed hash, or the reference itself where the configuration says so. */
  viewerRef: string | null
  /** Left out: no grant came. */
  grant?: SessionGrant
  /** Fleet time here when the last record was taken: an edge may tell late. */
  heardAt: number
  /** Fleet time here when the first one was. */
  knownAt: number
  /** Fleet time of the first and the last record. */
  firstAt: number
  lastAt: number
  /** Of the last answer that an edge gave. */
  lastAnswerAt: number
  events: number
  requests: number
  duplicates: number
  /** Came after what they would have changed was summed up. */
  late: number
  errors: number
  lastError: string | null
  /** `msd` of the player, in seconds. */
  startS: number
  /** Receive time minus the player's clock: period, its minimum, that of the period before. */
  clock: number[]
  /** Record numbers that were taken: the highest, and the ones below it as bits. */
  seen: number[]
  /** All before the oldest point. */
  base: Playback
  points: number[]
  replies: number[]
  answers: number[]
  delays: number[]
  delivery: Delivery
  segments: number[]
  edgeNames: string[]
  /** By the edges' own answers; fleet time. All of them: `runsOf`. */
  runs: EdgeRun[]
  /** By the player's word, on the player's clock: how far that is off becomes known later. */
  said: EdgeRun[]
  /** Before the oldest point. */
  stalls: { from: number; seconds: number }[]
  judged: JudgedStall[]
  told: Told
  /** Fleet time; null: it goes on. */
  endedAt: number | null
}
