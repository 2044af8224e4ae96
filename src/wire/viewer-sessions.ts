// Owns the API's shapes of viewers: who watches now, sessions, one session, and who was affected by something.
import { z } from 'zod'
import { serverId, titleClasses, titleId } from './names.ts'
import { sessionView } from './viewers.ts'

const count = z.int().nonnegative()
const seconds = z.number().nonnegative()

/** "Watching": a media request or a playing event in the last 30 s; the one definition, as of the last second. */
export const watchingPart = z.object({
  /** Id of the edge or title, name of the region or player; `unknown`: not told; `other`: beyond the hundred largest. */
  name: z.string(),
  watching: count,
  /** Of them, those whose session id is an estimate. */
  estimated: count,
})
export const viewersNowAnswer = z.object({
  now: z.number(),
  watching: count,
  estimated: count,
  simulated: count,
  /** Each sums to `watching`. */
  byEdge: z.array(watchingPart),
  byTitle: z.array(watchingPart),
  byRegion: z.array(watchingPart),
  byPlayer: z.array(watchingPart),
})
export type WatchingPart = z.infer<typeof watchingPart>
export type ViewersNowAnswer = z.infer<typeof viewersNowAnswer>

const moment = z.coerce.number().min(0).max(8.64e15)
const yesNo = z.enum(['yes', 'no'])

export const viewerSessionsFilter = z.object({
  /** Fleet time in ms: sessions that touch this time. A day before `to`, and now, when left out. */
  from: moment.optional(),
  to: moment.optional(),
  edge: serverId.optional(),
  title: titleId.optional(),
  state: sessionView.shape.state.optional(),
  attempt: sessionView.shape.attempt.optional(),
  estimated: yesNo.optional(),
  rebufferSMin: z.coerce.number().nonnegative().optional(),
  sid: z.string().min(1).max(128).optional(),
  /** As the operator's site knows it: it is hashed here where references are stored so. */
  viewerRef: z.string().min(1).max(128).optional(),
})
export const viewerSessionsQuery = viewerSessionsFilter.extend({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  /** `next` of the answer before. */
  before: z.string().max(256).optional(),
})
export type ViewerSessionsFilter = z.infer<typeof viewerSessionsFilter>

export const viewerSessionsAnswer = z.object({
  now: z.number(),
  /** Newest first. */
  sessions: z.array(sessionView),
  /** For `before`; null: there are no more. */
  next: z.string().nullable(),
})
export type ViewerSessionsAnswer = z.infer<typeof viewerSessionsAnswer>

export const viewerSessionAnswer = z.object({
  now: z.number(),
  session: sessionView,
  /** What the player said, oldest first; state `starting`, event `t`. Null: not said with it. */
  timeline: z.array(
    z.object({
      at: z.number(),
      event: z.string(),
      state: sessionView.shape.state.nullable(),
      bufferS: seconds.nullable(),
      bitrateBps: seconds.nullable(),
    }),
  ),
  /** Answers of the last half minute, as the edges and as the player saw them. */
  answers: z.array(
    z.object({
      at: z.number(),
      edge: z.string().nullable(),
      seenBy: z.enum(['edge', 'player']),
      status: z.number().nullable(),
      firstByteMs: seconds.nullable(),
      lastByteMs: seconds.nullable(),
      upstreamMs: seconds.nullable(),
      bufferS: seconds.nullable(),
    }),
  ),
  /** False: the oldest part of the time line was summed up and is not shown. */
  complete: z.boolean(),
  lastError: z.string().nullable(),
  network: z.string().nullable(),
  records: z.object({ events: count, requests: count, duplicates: count, late: count }),
  /** Fleet time minus the player's clock; null: no event came. */
  clockOffsetMs: z.number().nullable(),
})
export type ViewerSessionAnswer = z.infer<typeof viewerSessionAnswer>

export const affectedQuery = z.object({
  from: moment,
  to: moment,
  edge: serverId.optional(),
  title: titleId.optional(),
  /** The viewer's, by the operator's table; class of the title. */
  region: z.string().min(1).max(64).optional(),
  class: z.enum(titleClasses).optional(),
  /** Seconds lost to stalls within the time from which on a viewer is affected. */
  lostSMin: z.coerce.number().min(0).max(3600).default(3),
  /** Seconds of waiting after which leaving before the first frame counts as `could not start`. */
  waitedSMin: z.coerce.number().min(0).max(3600).default(3),
})
export type AffectedQuery = z.infer<typeof affectedQuery>

const affectedCounts = z.object({
  /** Who was fed by the edge in that time (by any, when none is named); proven references count once, claimed ones too. */
  viewers: count,
  affected: count,
  couldNotStart: count,
  lostS: seconds,
  /** Viewers of the same titles on other edges (or of other regions, where only a region is named) in the same time. */
  peers: count,
  peersAffected: count,
  /** How many would be affected if it had gone as with the peers; null: neither edge nor region is named, or too few peers. */
  expected: seconds.nullable(),
  excess: seconds.nullable(),
})
export type AffectedCounts = z.infer<typeof affectedCounts>

export const affectedViewer = z.object({
  /** As stored; null: the session id stands for it. */
  viewerRef: z.string().nullable(),
  /** Null: no reference. */
  viewerRefIs: sessionView.shape.viewerRefIs,
  sid: z.string(),
  title: z.string().nullable(),
  at: z.number(),
  wantedS: seconds,
  lostS: seconds,
  couldNotStart: z.boolean(),
  edge: z.string().nullable(),
  estimated: z.boolean(),
  evidence: z.string(),
})
export type AffectedViewer = z.infer<typeof affectedViewer>

/** What grants are checked with; the private half is with the operator's site. */
export const grantKeyView = z.object({
  /** `kid` of the grants that it signs. */
  id: z.string(),
  name: z.string(),
  by: z.string(),
  at: z.number(),
})
export type GrantKeyView = z.infer<typeof grantKeyView>
export const grantKeyRequest = z.object({ name: z.string().min(1).max(64) })
/** `privateKey`: Ed25519, PKCS #8, PEM; shown this once. */
export const grantKeyMade = grantKeyView.extend({ privateKey: z.string() })
export type GrantKeyMade = z.infer<typeof grantKeyMade>
export const grantKeysAnswer = z.object({ now: z.number(), keys: z.array(grantKeyView) })

export const affectedAnswer = z.object({
  now: z.number(),
  measured: affectedCounts,
  estimated: affectedCounts,
  /** Most seconds lost first, at most 1,000; the CSV has all. */
  viewers: z.array(affectedViewer),
  /** True: more sessions touch that time than were looked at. */
  truncated: z.boolean(),
})
export type AffectedAnswer = z.infer<typeof affectedAnswer>
