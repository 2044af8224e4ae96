// Owns the shapes of drills: a rehearsed night on marked servers, told while it goes on and scored at its end.
import { z } from 'zod'
import { causeKinds } from './incidents.ts'
import { serverId } from './names.ts'

const time = z.number()

export const drillKinds = ['leap-second-2012', 'edge-frozen', 'clock-step', 'leap-flag-bogus'] as const
export type DrillKind = (typeof drillKinds)[number]

export const drillFaultKinds = ['frozen', 'early-timers', 'stepped', 'leap-flag'] as const
export type DrillFaultKind = (typeof drillFaultKinds)[number]

/** `broken-off`: whoever led it ended, and all was undone. */
export const drillStates = ['running', 'passed', 'failed', 'stopped', 'broken-off'] as const
export type DrillState = (typeof drillStates)[number]

/** One server that was hurt. Times are fleet time; null: not yet, or never. */
export const drillTarget = z.object({
  server: serverId,
  fault: z.enum(drillFaultKinds),
  /** Nothing is run for it: only finding it counts. */
  runbook: z.string().nullable(),
  injectedAt: time.nullable(),
  /** The first alert that names it, and which that was. */
  detectedAt: time.nullable(),
  detectedBy: z.string().nullable(),
  /** Viewers that it fed when it was hurt. */
  viewers: z.int(),
  /** None of them is fed by it any more. */
  movedAt: time.nullable(),
  /** The runbook's command has ended well. */
  mendedAt: time.nullable(),
  /** It takes viewers as before. */
  returnedAt: time.nullable(),
  /** Of `POST /api/v1/runs`; null: none was begun. */
  run: z.string().nullable(),
})
export type DrillTarget = z.infer<typeof drillTarget>

/** One line of the score. */
export const drillMark = z.object({
  name: z.string(),
  ok: z.boolean(),
  /** What came, with its figure. */
  text: z.string(),
  /** Left out: the text says it. */
  wanted: z.string().optional(),
})
export type DrillMark = z.infer<typeof drillMark>

/** Per cent of the time that viewers wanted to watch which they waited; null: nobody did. */
export const drillFelt = z.object({
  server: serverId,
  /** From the fault until none of its viewers was left on it. */
  sick: z.number(),
  /** Meanwhile, on edges that were not hurt. */
  elsewhere: z.number().nullable(),
  /** Of all viewers, from then on. */
  after: z.number().nullable(),
})
export type DrillFelt = z.infer<typeof drillFelt>

/** A runbook that was carried out, once for all servers with the same fault. */
export const drillRun = z.object({
  id: z.string(),
  runbook: z.string(),
  /** In the order in which they were taken. */
  servers: z.array(serverId),
  /** Taken alone before the others; null: one server has none, and some runbooks have none. */
  canary: serverId.nullable(),
})
export type DrillRun = z.infer<typeof drillRun>

export const drillIncident = z.object({
  id: z.string(),
  title: z.string(),
  cause: z.enum(causeKinds),
  causeText: z.string(),
  lostViewerSeconds: z.number(),
})

export const drillView = z.object({
  id: z.string(),
  kind: z.enum(drillKinds),
  state: z.enum(drillStates),
  by: z.string(),
  startedAt: time,
  endedAt: time.nullable(),
  /** What it does now, or how it ended. */
  text: z.string(),
  /** People are rung as on a real night. */
  ring: z.boolean(),
  targets: z.array(drillTarget),
  /** What happened, oldest first. */
  log: z.array(z.object({ at: time, text: z.string() })),
  incidents: z.array(drillIncident),
  /** Left out: by an older version, which did not say. */
  runs: z.array(drillRun).optional(),
  /** What of the runbooks a drill does otherwise. */
  shortened: z.array(z.string()),
  /** Null until it has ended. */
  score: z
    .object({
      points: z.int(),
      of: z.int(),
      marks: z.array(drillMark),
      /** Of what viewers asked to see: time that they waited, in minutes of one viewer; null: not measured. */
      viewerMinutesLost: z.number().nullable(),
      /** REALTIME minus MONOTONIC of this machine, end against beginning; null: cannot be read. */
      clockMovedMs: z.number().nullable(),
      /** Left out: nobody watched, or nothing of the drill is felt by viewers. */
      felt: drillFelt.optional(),
    })
    .nullable(),
})
export type DrillView = z.infer<typeof drillView>

/** `POST /api/v1/drills` (admin). */
export const drillRequest = z.strictObject({
  drill: z.enum(drillKinds),
  /** Left out: nobody is rung. */
  ring: z.boolean().optional(),
  /** Simulated viewers, at least. */
  viewers: z.int().min(0).max(100).optional(),
  /** Somebody follows it: without `POST .../follow` for 15 s it is broken off. */
  attended: z.boolean().optional(),
})
export type DrillRequest = z.infer<typeof drillRequest>

export const drillAnswer = z.object({ now: time, drill: drillView })

/** `GET /api/v1/drills` (viewer): newest first. */
export const drillsAnswer = z.object({
  now: time,
  drills: z.array(drillView),
  /** Servers that may be hurt: marked by their tag, or of the local fleet. */
  targets: z.array(serverId),
  /** Why none can be begun; null: it can. */
  problem: z.string().nullable(),
})
export type DrillsAnswer = z.infer<typeof drillsAnswer>
