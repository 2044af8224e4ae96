// Owns the shapes of what viewers went through: records that edges take from players and from their own answers, and
// forward to the control room, which alone makes sessions of them.
import { z } from 'zod'
import { serverId, titleId } from './names.ts'

const nonNegative = z.number().nonnegative()

/** Events of CMCD v2 (CTA-5004-B, event mode) that are taken; others are counted as `unknown-event`. */
export const cmcdEvents = [
  'ps',
  'e',
  't',
  'rr',
  'bc',
  'pr',
  'c',
  'b',
  'm',
  'um',
  'pe',
  'pc',
  'as',
  'ae',
  'abs',
  'abe',
  'sk',
  'ce',
] as const
export type CmcdEvent = (typeof cmcdEvents)[number]

/**
 * One event report of a player, as an edge took it. `keys` are the record's CMCD keys as read (numbers, strings,
 * booleans; inner lists as arrays), without `sid`, `sn`, `e` and `ts`; unknown and custom keys are kept, all bounded.
 */
export const viewerEvent = z.object({
  kind: z.literal('event'),
  /** Fleet time in ms at which the edge took it. */
  at: z.number(),
  sid: z.string().min(1).max(64),
  /** Number of the record in its session: (sid, sn) is one record, whichever edges it came through. Null: none given. */
  sn: z.int().nonnegative().nullable(),
  e: z.enum(cmcdEvents),
  /** The player's own clock, ms since 1970: only differences within a session mean something. */
  ts: z.number(),
  /** Milliseconds between the player's sending and the edge's taking are unknown; a whole batch shares this number. */
  batch: z.int().nonnegative(),
  keys: z.record(z.string().max(64), z.unknown()),
})
export type ViewerEvent = z.infer<typeof viewerEvent>

/** How the edge's cache answered; `none`: it was not asked. */
export const cacheAnswers = [
  'memory',
  'disk',
  'shared',
  'miss',
  'stale',
  'negative',
  'error',
  'none',
] as const

/** One answer of an edge to a player (playlists and segments; never probes), from its own accounting. */
export const viewerRequest = z.object({
  kind: z.literal('request'),
  /** Fleet time in ms at which the request came. */
  at: z.number(),
  /** CMCD sid, the session id in the path, or `~` and a hash where it is an estimate. */
  sid: z.string().min(1).max(128),
  estimated: z.boolean(),
  title: titleId,
  object: z.enum(['multivariant', 'playlist', 'init', 'segment']),
  /** Seconds of media in a segment, and its nominal bitrate; null: not known, or no segment. */
  mediaS: nonNegative.nullable(),
  bitrateBps: nonNegative.nullable(),
  /** Sequence of the segment within its rendition; null: no segment. */
  segment: z.int().nonnegative().nullable(),
  /** `video`, `audio`, `subtitles`, `muxed`; null: no segment. */
  media: z.enum(['video', 'audio', 'subtitles', 'muxed']).nullable(),
  status: z.int(),
  bytes: nonNegative,
  /** Whether the last byte was handed to the kernel. */
  whole: z.boolean(),
  /** From the request to this edge's first byte, and to the last, in ms. */
  firstByteMs: nonNegative.nullable(),
  durationMs: nonNegative,
  cache: z.enum(cacheAnswers),
  /** First byte of the upstream's answer on a miss, in ms; null: no upstream was asked. */
  upstreamMs: nonNegative.nullable(),
  /** For how long the edge's process stood still meanwhile or just before, at most, in ms; left out: it did not. */
  heldMs: nonNegative.optional(),
  /** What the player said with the request (CMCD v1 or v2): buffer length in ms, `su`, `bs`; null: nothing. */
  bufferMs: nonNegative.nullable(),
  starting: z.boolean(),
  starved: z.boolean(),
  /** Where the viewer comes from: region by the operator's table, network class; truncated address; null: not known. */
  viewerRegion: z.string().max(64).nullable(),
  network: z.string().max(64).nullable(),
  player: z.string().max(64).nullable(),
})
export type ViewerRequest = z.infer<typeof viewerRequest>

export const viewerRecord = z.discriminatedUnion('kind', [viewerEvent, viewerRequest])
export type ViewerRecord = z.infer<typeof viewerRecord>

/** Records in a message, and its characters: a frame of the channel is bounded. */
export const VIEWER_RECORDS_MAX = 1000
export const VIEWER_RECORDS_CHARACTERS_MAX: number = 512 * 1024

/**
 * From an edge, in the order of its spool. `spool` names the spool (new when its files are), `first` numbers its
 * records from 0 on; sent again after a reconnect until taken. `lines`: one JSON object (a `viewerRecord`) a line.
 */
export const viewerRecords = z.object({
  type: z.literal('viewer-records'),
  spool: z.string().min(1).max(64),
  first: z.int().nonnegative(),
  /** All below this are taken already, or were dropped by the spool: what lies from here to `first` will never come. */
  from: z.int().nonnegative().optional(),
  lines: z.string().max(VIEWER_RECORDS_CHARACTERS_MAX),
  /** Records that this spool dropped so far, by reason: it is bounded. */
  dropped: z.record(z.string().max(32), z.int().nonnegative()),
})
export type ViewerRecords = z.infer<typeof viewerRecords>

/** To an edge: all records of its spool below `next` are in the control room's hands. */
export const viewerRecordsTaken = z.object({
  type: z.literal('viewer-records-taken'),
  spool: z.string().min(1).max(64),
  next: z.int().nonnegative(),
})
export type ViewerRecordsTaken = z.infer<typeof viewerRecordsTaken>

/** Who a stall is laid to. `unknown` when the evidence does not say. */
export const blames = ['origin', 'edge', 'path', 'player', 'unknown'] as const
export type Blame = (typeof blames)[number]

/** `claimed`: anybody can write it; `proven`: a grant of the operator's site says so. */
export const referenceProofs = ['claimed', 'proven'] as const

/** Why a grant proves nothing. */
export const grantRefusals = [
  'malformed',
  'unknown-key',
  'wrong-session',
  'wrong-stream',
  'expired',
  'lives-too-long',
  'bad-signature',
  'too-many',
] as const
export type GrantRefusal = (typeof grantRefusals)[number]

/** Of a session: CMCD's states of a player, and `gone`: it said nothing more. */
export const sessionStates = [
  'starting',
  'playing',
  'seeking',
  'rebuffering',
  'paused',
  'waiting',
  'ended',
  'failed',
  'quit',
  'gone',
] as const

/** What a viewer went through in one session. Times are fleet time in ms; durations in seconds. */
export const sessionView = z.object({
  sid: z.string(),
  title: titleId.nullable(),
  /** From segment requests alone: playback is estimated. */
  estimated: z.boolean(),
  startedAt: z.number(),
  lastAt: z.number(),
  /** Null while it goes on. */
  endedAt: z.number().nullable(),
  state: z.enum(sessionStates),
  /** Whether the first frame was never seen: `exit` before start, `failure` to start, or not yet. */
  attempt: z.enum(['started', 'starting', 'exit', 'failure']),
  startTimeS: nonNegative.nullable(),
  watchedS: nonNegative,
  rebufferS: nonNegative,
  rebuffers: z.int().nonnegative(),
  bitrateBps: nonNegative.nullable(),
  bitratePeakBps: nonNegative.nullable(),
  switches: z.int().nonnegative(),
  errors: z.int().nonnegative(),
  viewerRegion: z.string().nullable(),
  player: z.string().nullable(),
  viewerRef: z.string().nullable(),
  /** Null: no reference. */
  viewerRefIs: z.enum(referenceProofs).nullable(),
  /** Why the last grant proved nothing; null: none came, or it did. */
  grantRefused: z.enum(grantRefusals).nullable(),
  /** Edges that fed it, in order. `by`: what says so. */
  edges: z.array(
    z.object({
      id: serverId,
      fromAt: z.number(),
      toAt: z.number(),
      by: z.enum(['cmsd', 'host', 'access-log']),
    }),
  ),
  /** Seconds of watching and rebuffering that no edge could be named for. */
  unattributedS: nonNegative,
  stalls: z.array(
    z.object({
      at: z.number(),
      seconds: nonNegative,
      edge: z.string().nullable(),
      blame: z.enum(blames),
      evidence: z.string(),
    }),
  ),
})
export type SessionView = z.infer<typeof sessionView>

/** Custom key of CMCD in which a player claims whose session it is: an opaque reference from the operator's site. */
export const viewerRefKey = 'com.vitrine-viewer'
/** Custom key in which a player hands on the grant that the operator's site signed: it proves the reference. */
export const viewerGrantKey = 'com.vitrine-grant'

/** CMCD custom key with which our player says how late its busy page was, in ms: of an answer, or of a state. */
export const viewerLateKey = 'com.vitrine-late'
