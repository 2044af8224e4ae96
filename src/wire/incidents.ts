// Owns the shapes of incidents: several alerts with one likely cause, what was done about it, and whether somebody
// has to get up.
import { z } from 'zod'
import { markView } from './marks.ts'
import { serverId, serverStates } from './names.ts'

const time = z.number()
const words = z.record(z.string(), z.string())

/** What an operator is told first. `cannot-tell` when an input is missing: never a guess. */
export const verdictClasses = ['sleep', 'decide', 'get-up', 'cannot-tell'] as const
export type VerdictClass = (typeof verdictClasses)[number]

/** One input of a verdict, in words with its figure; `missing` when it could not be had. */
export const verdictInput = z.object({
  name: z.string(),
  text: z.string(),
  value: z.number().nullable(),
  unit: z.string(),
  missing: z.boolean(),
})

export const verdict = z.object({
  class: z.enum(verdictClasses),
  /** `you can sleep`, `decide by 02:40`, `get up`, `cannot tell`: the reader's zone is put in by the page. */
  text: z.string(),
  /** Fleet time by which somebody has to decide; null unless the class is `decide`. */
  decideBy: time.nullable(),
  /** In one sentence. */
  reason: z.string(),
  inputs: z.array(verdictInput),
  at: time,
})
export type Verdict = z.infer<typeof verdict>

export const causeKinds = [
  /** Timers fire early, as after the leap second of 2012. */
  'clock-2012',
  'edge-frozen',
  'host-silent',
  'path-cut',
  'origin-slow',
  'origin-down',
  'disk-full',
  'certificate',
  'clock-stepped',
  /** A time source announces a leap second that nobody plans. */
  'leap-announced',
  'cpu-pegged',
  'bad-release',
  'observer-cut-off',
  'cannot-tell',
] as const
export type CauseKind = (typeof causeKinds)[number]

export const cause = z.object({
  kind: z.enum(causeKinds),
  /** In one sentence. */
  text: z.string(),
  /** 0 to 1. */
  confidence: z.number().min(0).max(1),
  /** In words, each with where it can be looked at. */
  for: z.array(z.string()),
  against: z.array(z.string()),
})
export type Cause = z.infer<typeof cause>

export const incidentEventKinds = [
  'opened',
  'alert-joined',
  'alert-resolved',
  'class-changed',
  'cause-changed',
  'acknowledged',
  'assigned',
  'comment',
  'waiting',
  'steering',
  'state',
  'mark',
  'notified',
  'resolved',
  'reopened',
] as const
export type IncidentEventKind = (typeof incidentEventKinds)[number]

export const incidentEvent = z.object({
  id: z.int(),
  at: time,
  kind: z.enum(incidentEventKinds),
  /** A person, a token or `vitrine`. */
  by: z.string(),
  text: z.string(),
})
export type IncidentEvent = z.infer<typeof incidentEvent>

export const incidentView = z.object({
  /** Short enough to be said on the telephone. */
  id: z.string(),
  title: z.string(),
  /** Of a drill: its id; left out: it is real. */
  drill: z.string().optional(),
  openedAt: time,
  /** Null while it is open. */
  resolvedAt: time.nullable(),
  severity: z.enum(['critical', 'warning', 'info']),
  servers: z.array(serverId),
  /** Firing alerts now, and all that ever joined. */
  firing: z.int(),
  alerts: z.int(),
  verdict,
  cause,
  acknowledgedBy: z.string().nullable(),
  acknowledgedAt: time.nullable(),
  assignedTo: z.string().nullable(),
  /** Nobody is rung before; null: nobody asked to wait. */
  waitUntil: time.nullable(),
  viewers: z.object({
    /** Null: not known. */
    hurtNow: z.number().nullable(),
    peak: z.number().nullable(),
    moved: z.number().nullable(),
    /** Viewers x seconds. */
    lostViewerSeconds: z.number(),
  }),
})
export type IncidentView = z.infer<typeof incidentView>

/** `GET /api/v1/incidents` (viewer): open ones, and those resolved in the last week. */
export const incidentsAnswer = z.object({ now: time, incidents: z.array(incidentView) })

export const silenceMatcher = z.object({
  name: z.string().max(128),
  value: z.string().max(1024),
  isRegex: z.boolean(),
  /** False: `!=` or `!~`. */
  isEqual: z.boolean(),
})

/** A silence, or a maintenance when it recurs: its alerts are seen, open nothing and ring nobody. */
export const silenceView = z.object({
  id: z.string(),
  matchers: z.array(silenceMatcher).min(1).max(20),
  startsAt: time,
  endsAt: time,
  /** Null: once. Weekday (0 Sunday), minute of day in the zone, minutes. */
  recurs: z
    .object({
      weekdays: z.array(z.int().min(0).max(6)),
      fromMinute: z.int(),
      minutes: z.int(),
      zone: z.string(),
    })
    .nullable(),
  comment: z.string(),
  by: z.string(),
  createdAt: time,
  endedAt: time.nullable(),
})
export type SilenceView = z.infer<typeof silenceView>

export const noticeReasons = [
  'opened',
  'worse',
  'edge-lost',
  'reminder',
  'resolved',
  'test',
  // The notifier's own: nobody had it in time, and somebody has it.
  'escalated',
  'acknowledged',
] as const
export type NoticeReason = (typeof noticeReasons)[number]

export const deliveryView = z.object({
  id: z.int(),
  at: time,
  receiver: z.string(),
  incident: z.string().nullable(),
  reason: z.enum(noticeReasons),
  rings: z.boolean(),
  state: z.enum(['waiting', 'sent', 'failed', 'given-up']),
  attempts: z.int(),
  nextTryAt: time.nullable(),
  problem: z.string().nullable(),
  sentAt: time.nullable(),
  /** What the receiver said to the last attempt that came through; null: nothing yet. */
  answer: z.string().nullable(),
})
export type DeliveryView = z.infer<typeof deliveryView>

export const incidentAlertView = z.object({
  id: z.string(),
  joinedAt: time,
  /** Null: it fires. */
  resolvedAt: time.nullable(),
  labels: words,
  annotations: words,
})
export type IncidentAlertView = z.infer<typeof incidentAlertView>

export const trends = ['rising', 'steady', 'falling'] as const

/** A server outside the incident that shows its sign and still takes viewers: perhaps the next one. */
export const showingServer = z.object({
  server: serverId,
  state: z.enum(serverStates),
  /** What it shows, in words. */
  sign: z.string(),
  viewers: z.int(),
  /** Fleet time since when; null: not known. */
  since: time.nullable(),
})
export type ShowingServer = z.infer<typeof showingServer>

/** `GET /api/v1/incidents/{id}` (viewer): the timeline oldest first, with what steering and servers did meanwhile. */
export const incidentAnswer = z.object({
  now: time,
  incident: incidentView,
  /** Of the events that are not the incident's own, the id is 0. */
  timeline: z.array(incidentEvent),
  alerts: z.array(incidentAlertView),
  /** What changed in the 24 hours before, nearest first. */
  changes: z.array(markView),
  /** The next morning of the operators' zone: until then one may wait. */
  morning: time,
  hurt: z.object({
    /** Over a minute; null: it is over, too new, or not known. */
    trend: z.enum(trends).nullable(),
    /** Viewers hurt in the last minutes of the incident, oldest first. */
    recent: z.array(z.object({ at: time, value: z.number() })),
  }),
  showing: z.array(showingServer),
  /** What viewers of each edge felt while it lasted, the worst first: per cent of the time they wanted to watch. */
  felt: z.array(
    z.object({
      server: serverId,
      worst: z.number(),
      waitedS: z.number(),
      /** Per cent of that time that is estimated: its players tell nothing themselves. */
      estimated: z.number(),
    }),
  ),
})
export type IncidentAnswer = z.infer<typeof incidentAnswer>

/** `POST /api/v1/incidents/{id}/...` (operator). */
export const commentRequest = z.strictObject({ text: z.string().trim().min(1).max(4000) })
export const assignRequest = z.strictObject({ to: z.string().trim().min(1).max(64) })
/** Until then nobody is rung; left out: the next morning. */
export const waitRequest = z.strictObject({ until: time.optional() })
export const incidentActed = z.object({ incident: incidentView })

/** `GET /api/v1/actors` (operator): whom an incident can be handed to. */
export const actorsAnswer = z.object({ people: z.array(z.string()) })

/** `POST /api/v1/silences` (operator). */
export const silenceRequest = silenceView
  .pick({ matchers: true, startsAt: true, endsAt: true, recurs: true })
  .extend({ comment: z.string().trim().min(1).max(512) })
export type SilenceRequest = z.infer<typeof silenceRequest>
export const silencesAnswer = z.object({ now: time, silences: z.array(silenceView) })

/** `POST /api/v1/silences/preview` (viewer): what fires and would be covered. */
export const silencePreviewRequest = z.strictObject({ matchers: silenceView.shape.matchers })
export const silencePreview = z.object({
  /** Firing alerts that every matcher matches, the first of them, and all that fire. */
  covered: z.int(),
  firing: z.int(),
  alerts: z.array(z.object({ labels: words, summary: z.string() })),
})
export type SilencePreview = z.infer<typeof silencePreview>

/** The last moment that a date can be (ECMA-262, Time Values). */
const MOMENT_MAX = 8.64e15

/** `POST /api/v1/silences/{id}/extend` (operator). */
export const extendRequest = z.strictObject({ endsAt: time.max(MOMENT_MAX) })

/** What viewers felt before an incident was noticed belongs to it. */
export const AFFECTED_BEFORE_MS = 30_000
