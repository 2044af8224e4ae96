// Owns the messages of the control channel: one WebSocket from every server process to the control room,
// at /api/v1/channel, `Authorization: Bearer <server token>`. JSON text frames, one message a frame.
// Unknown fields are ignored and unknown `type`s skipped, so that a neighbour one minor version away works.
import { z } from 'zod'
import { REGION_CHARACTERS_MAX } from './address-regions.ts'
import { authorityMessage, authorityState } from './authority.ts'
import { checkOrder, checkReport } from './checks.ts'
import { serverId, serverRoles, titleClass, titleId, userRoles } from './names.ts'
import { stepList, stepOrder, stepReport } from './runbooks.ts'
import { viewerRecords, viewerRecordsTaken } from './viewers.ts'
import { sealedRoute, wallPicture, watcherState } from './watcher.ts'

/** Largest frame either side accepts; a list of titles is the largest message. */
export const CHANNEL_FRAME_BYTES_MAX = 8 * 1024 * 1024
/** The library of one origin, in one message. */
const TITLES_MAX = 20_000
/** Sessions that one report may carry; an edge with more splits its report. */
export const SESSIONS_REPORT_MAX = 20_000
const PROBES_MAX = 200

const nonNegative = z.number().min(0)

/** First message of a server: who it is. `process` tells an agent from the server that it watches. */
const hello = z.object({
  type: z.literal('hello'),
  protocol: z.object({ major: z.int(), minor: z.int() }),
  server: serverId,
  process: z.enum(['server', 'agent']),
  role: z.enum(serverRoles),
  region: z.string().max(64),
  version: z.string().max(64),
  pid: z.int(),
  /** Where viewers and probes reach it, without a slash at the end: `http://127.0.0.1:8081`. */
  url: z.string().max(512),
  /** Same value on every server of one host (the kernel's boot id), so that a host is drawn once. */
  hostId: z.string().max(128),
})

/** Each second. An agent's carries what it sees of the process that it watches. */
const heartbeat = z.object({
  type: z.literal('heartbeat'),
  sequence: z.int(),
  /** Sender's BOOTTIME in ms. */
  bootMs: z.number(),
  /** From an agent only. `state` is the letter of /proc/PID/stat: R S D T Z ...; null when there is no process. */
  watched: z
    .object({
      pid: z.int().nullable(),
      state: z.string().max(1).nullable(),
      /** Whether GET /healthz of the watched server answered the agent, and in what time. */
      httpOk: z.boolean(),
      httpMs: nonNegative.nullable(),
    })
    .optional(),
})

/** Four-timestamp exchange: t1 sender's BOOTTIME at sending; see `time-reply`. */
const timeRequest = z.object({ type: z.literal('time-request'), t1: z.number() })

/** From an origin, whole list on each change. */
export const titleReport = z.object({
  id: titleId,
  name: z.string().max(512),
  class: titleClass,
  state: z.enum(['ready', 'broken']),
  /** In words, when broken. */
  reason: z.string().max(1024).nullable(),
  durationMs: nonNegative.nullable(),
  /** Changes with the file's content; part of every segment's URL. */
  revision: z.string().max(64).nullable(),
  renditions: z
    .array(
      z.object({
        id: z.string().max(64),
        kind: z.enum(['video', 'audio', 'subtitles']),
        codecs: z.string().max(128),
        width: z.int().nullable(),
        height: z.int().nullable(),
        bitrateBps: nonNegative,
      }),
    )
    .max(100),
})
export type TitleReport = z.infer<typeof titleReport>

const titles = z.object({ type: z.literal('titles'), titles: z.array(titleReport).max(TITLES_MAX) })

/** From an edge, each second: sessions with a media request or a playing event since the last report. */
export const sessionReport = z.object({
  /** CMCD sid, or `~` and a hash where the session is an estimate. */
  sid: z.string().min(1).max(128),
  title: titleId,
  estimated: z.boolean(),
  /** Age of the last media request or playing event at the time of the report. */
  agoMs: nonNegative,
  /** Media bytes sent to this session since the last report. */
  bytes: nonNegative,
  /** Of a session that this edge began to feed, until it is told: how long ago, and by which table. */
  began: z.object({ agoMs: nonNegative, version: z.int().nullable() }).optional(),
})
export type SessionReport = z.infer<typeof sessionReport>

const sessions = z.object({
  type: z.literal('sessions'),
  /** One report may come in several parts. */
  sessions: z.array(sessionReport).max(SESSIONS_REPORT_MAX),
})

/** From an edge: what its own probes saw of its peers, the last probe of each. */
export const probeReport = z.object({
  target: serverId,
  /** TCP connect, in ms; null when it failed. A stopped process still accepts. */
  connectMs: nonNegative.nullable(),
  /** GET /healthz to the last byte, in ms; null when there was no answer in time. */
  httpMs: nonNegative.nullable(),
  /** 200 is expected; null without an answer. */
  httpStatus: z.int().nullable(),
  /** Null or left out: plain HTTP, or TCP failed. */
  tls: z
    .object({
      /** The handshake, after TCP's; null: it failed. */
      ms: nonNegative.nullable(),
      /** Until the certificate ends; negative: it has. */
      daysLeft: z.number().nullable(),
      /** Why viewers refuse it; null: they do not. */
      problem: z.string().max(256).nullable(),
    })
    .nullable()
    .optional(),
  /** The server's clock minus fleet time, by its `Date` header; left out: it says none, or fleet time is not known. */
  clockOffsetS: z.number().optional(),
  /** ICMP echo; left out: not asked yet. `not-permitted` is no failure of the server that was looked at. */
  icmp: z
    .object({ result: z.enum(['answered', 'lost', 'not-permitted']), ms: nonNegative.nullable() })
    .optional(),
  /** Age of this probe at the time of the report. */
  agoMs: nonNegative,
  error: z.string().max(256).nullable(),
})
export type ProbeReport = z.infer<typeof probeReport>

const probes = z.object({ type: z.literal('probes'), probes: z.array(probeReport).max(PROBES_MAX) })

/** One look at a peer's stream, as a player would begin it. */
export const playReport = z.object({
  target: serverId,
  /** `stream` where a foreign server has but one. */
  title: titleId,
  ok: z.boolean(),
  /** What is wrong, in words; null: nothing. */
  problem: z.string().max(512).nullable(),
  startMs: nonNegative.nullable(),
  /** Seconds of media in a second; null: only a part of a segment was fetched. */
  speedRatio: nonNegative.nullable(),
  /** Of bodies; it counts for the budget of the target. */
  bytes: nonNegative,
  agoMs: nonNegative,
})
export type PlayReport = z.infer<typeof playReport>

/** From an edge, each look once. */
const plays = z.object({ type: z.literal('plays'), plays: z.array(playReport).max(PROBES_MAX) })

/** HTTP header in which a probe shows its credential. */
export const PROBE_HEADER = 'x-vitrine-probe'

/** What a server says to the control room. */
export const toControl = z.discriminatedUnion('type', [
  hello,
  heartbeat,
  timeRequest,
  titles,
  sessions,
  probes,
  plays,
  viewerRecords,
  checkReport,
  stepList,
  stepReport,
  authorityState,
  watcherState,
])
export type ToControl = z.infer<typeof toControl>
export type Hello = z.infer<typeof hello>
export type Heartbeat = z.infer<typeof heartbeat>

/** Answer to `hello`. */
const welcome = z.object({
  type: z.literal('welcome'),
  protocol: z.object({ major: z.int(), minor: z.int() }),
  /** Fleet time in ms at sending: a first guess until the exchange has an answer. */
  fleetMs: z.number(),
})

/** t1 as it came, t2 and t3 the control room's fleet time in ms at receipt and at sending. */
const timeReply = z.object({
  type: z.literal('time-reply'),
  t1: z.number(),
  t2: z.number(),
  t3: z.number(),
  /**
   * What fleet time has followed of whole seconds that the hosts took together, in ms: contained in t2 and t3 now, and
   * on its way to. `room` differs after each start of the control room. Left out: nothing, ever.
   */
  followed: z.object({ room: z.number(), nowMs: z.number(), toMs: z.number() }).optional(),
})

/** One edge as steering sees it. */
export const pathway = z.object({
  id: serverId,
  region: z.string().max(64),
  url: z.string().max(512),
  /** Share of new viewers; 0 takes it out: it moves to the end of every list. */
  weight: nonNegative,
  /** For those whom it feeds already; left out: the same. A full edge takes nobody new and keeps whom it has. */
  keep: nonNegative.optional(),
  /** Its drain has lasted as long as it may: nobody is fed any more where another edge can. Left out: no. */
  drainOver: z.boolean().optional(),
  /** Of all new sessions, at most; left out: as many as come. While it is below 1, who plays elsewhere is sent there last. */
  share: z.number().gt(0).max(1).optional(),
  /** Sessions that it fed in the last 30 s. */
  sessions: nonNegative,
})
export type Pathway = z.infer<typeof pathway>

/** To edges, on each change and every 10 s. Complete: it replaces the one before. A version is one decision: it is issued again with other figures. */
export const steeringTable = z.object({
  type: z.literal('steering-table'),
  version: z.int(),
  /** Fleet time in ms. */
  issuedMs: z.number(),
  /** Best first. */
  pathways: z.array(pathway).max(1000),
  /** Foreign servers that share new viewers at entry, and never one who plays already. `url` holds `{title}`. */
  foreign: z
    .array(
      z.object({ id: serverId, region: z.string().max(64), url: z.string().max(512), weight: nonNegative }),
    )
    .max(100)
    .optional(),
  /** Seconds that players wait before they ask again, 5 to 30. */
  ttlS: z.int().min(1).max(300),
})
export type SteeringTable = z.infer<typeof steeringTable>

/** To each edge, its own: whom it probes. On each change, and every 10 minutes above 20 edges. */
export const probePlan = z.object({
  type: z.literal('probe-plan'),
  /** `full`: every edge sees every other; `neighbours`: six each, which change every 10 minutes. */
  mesh: z.enum(['full', 'neighbours']),
  targets: z
    .array(
      z.object({
        id: serverId,
        url: z.string().max(512),
        /** Whether its stream is looked at as well: in turn with the others, at each turn, or not (no budget left). */
        play: z.enum(['turn', 'suspect', 'no']),
        /** Of a foreign server: what is asked for, instead of `/healthz` and the titles; null: one of ours. */
        stream: z.string().max(512).nullable(),
        /** Shown to this target alone, so that it knows a probe from a viewer. */
        credential: z.string().max(128),
      }),
    )
    .max(PROBES_MAX),
  /** What is played, in turn: the sample, one that is watched now, one that nobody watches. */
  titles: z.array(titleId).max(3),
  /** SHA-256 of the credentials by which this edge knows probes. */
  accepts: z.array(z.string().length(64)).max(4),
})
export type ProbePlan = z.infer<typeof probePlan>

/** To every server: who may read /metrics and the like. SHA-256 of each token, hex. */
const access = z.object({
  type: z.literal('access'),
  tokens: z
    .array(
      z.object({
        sha256: z.string().length(64),
        role: z.enum(userRoles),
        /** Fleet time in ms at which it ends, also while the control room is away; left out: it does not. */
        endsMs: z.number().optional(),
      }),
    )
    .max(10_000),
  /** To origins: SHA-256 of the credentials of the edges that may fetch media. */
  edges: z.array(z.object({ id: serverId, sha256: z.string().length(64) })).max(10_000),
})
export type Access = z.infer<typeof access>

/** To edges: titles that may be watched, for the names on the watch page. */
const catalogue = z.object({
  type: z.literal('catalogue'),
  titles: z
    .array(
      z.object({
        id: titleId,
        name: z.string().max(512),
        class: titleClass,
        durationMs: nonNegative.nullable(),
      }),
    )
    .max(TITLES_MAX),
})
export type Catalogue = z.infer<typeof catalogue>

/** To edges: the operator's table of regions by address, `cidr region` a line. On each change. */
const regions = z.object({ type: z.literal('regions'), text: z.string().max(REGION_CHARACTERS_MAX) })
export type Regions = z.infer<typeof regions>

/** Said before the control room closes a channel that it will not take back as it is. */
const refused = z.object({ type: z.literal('refused'), reason: z.string().max(512) })

/** What the control room says to a server. */
export const fromControl = z.discriminatedUnion('type', [
  welcome,
  timeReply,
  steeringTable,
  probePlan,
  access,
  catalogue,
  checkOrder,
  stepOrder,
  authorityMessage,
  regions,
  sealedRoute,
  wallPicture,
  viewerRecordsTaken,
  refused,
])
export type FromControl = z.infer<typeof fromControl>

export type Parsed<Message> =
  | { readonly kind: 'message'; readonly message: Message }
  | { readonly kind: 'unknown-type'; readonly type: string }
  | { readonly kind: 'invalid'; readonly problem: string }

/** Reads one frame. Never throws: a bad frame is a value. */
export function parseToControl(text: string): Parsed<ToControl> {
  return parseFrame(toControl, text)
}

/** Reads one frame. Never throws: a bad frame is a value. */
export function parseFromControl(text: string): Parsed<FromControl> {
  return parseFrame(fromControl, text)
}

function parseFrame<Message>(schema: z.ZodType<Message>, text: string): Parsed<Message> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { kind: 'invalid', problem: 'not JSON' }
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return { kind: 'message', message: parsed.data }
  const issue = parsed.error.issues[0]
  const type = typeof value === 'object' && value !== null && 'type' in value ? String(value.type) : ''
  if (issue?.path[0] === 'type' && type !== '') return { kind: 'unknown-type', type }
  return { kind: 'invalid', problem: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}` }
}
