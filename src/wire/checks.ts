// Owns admission checks: what a new edge must show before viewers are sent to it, the order by which the control room
// has an edge check itself, and what the edge tells meanwhile.
import { z } from 'zod'
import { serverId, titleId } from './names.ts'

const time = z.number()
const nonNegative = z.number().min(0)
const MB = 1024 * 1024

/** In the order in which they are shown. */
export const checkSteps = [
  'joined',
  'clock',
  'ports',
  'dns',
  'certificate',
  'disk',
  'origin',
  'warm',
  'play',
] as const
export type CheckStepName = (typeof checkSteps)[number]

/** What only the edge itself can measure. */
export const selfSteps = ['clock', 'disk', 'origin', 'warm'] as const
export type SelfStepName = (typeof selfSteps)[number]

/** `skipped`: could not be measured, through no fault of the edge; the text says why. */
export const checkStates = ['pending', 'running', 'passed', 'failed', 'skipped'] as const
export type CheckState = (typeof checkStates)[number]

export const isCheckOver = (state: CheckState): boolean => state !== 'pending' && state !== 'running'

export const checkStep = z.object({
  step: z.enum(checkSteps),
  state: z.enum(checkStates),
  /** What was measured, with its figures, in words; '' while it is pending. */
  text: z.string().max(512),
  /** What to do; null: nothing. */
  advice: z.string().max(512).nullable(),
  /** Of the last change. */
  at: time.nullable(),
})
export type CheckStep = z.infer<typeof checkStep>

export const checkRun = z.object({
  id: z.string(),
  server: serverId,
  startedAt: time,
  /** Null: it runs. */
  endedAt: time.nullable(),
  by: z.string(),
  steps: z.array(checkStep),
})
export type CheckRun = z.infer<typeof checkRun>

/** `GET /api/v1/servers/{id}/checks` (viewer), newest first; `POST` (operator) begins one and answers with the same. */
export const checksAnswer = z.object({ now: time, runs: z.array(checkRun) })
export type ChecksAnswer = z.infer<typeof checksAnswer>

export const CHECK_DISK_BYTES_MAX: number = 64 * MB
export const CHECK_DISK_MS_MAX = 3000
export const CHECK_ORIGIN_BYTES_MAX: number = 32 * MB
export const CHECK_ORIGIN_MS_MAX = 5000
export const CHECK_WARM_BYTES_MAX: number = 256 * MB
export const CHECK_WARM_MS_MAX = 60_000
export const CHECK_WARM_TITLES_MAX = 20
export const CHECK_WARM_SEGMENTS_MAX = 10

/** To an edge: check yourself. It refuses a second one while one runs; the same `run` again changes nothing. */
export const checkOrder = z.object({
  type: z.literal('check'),
  run: z.string().min(1).max(64),
  disk: z.object({
    bytesMax: z.int().min(1).max(CHECK_DISK_BYTES_MAX),
    msMax: z.int().min(1).max(CHECK_DISK_MS_MAX),
  }),
  origin: z.object({
    /** Null: the library has none that is ready. */
    title: titleId.nullable(),
    bytesMax: z.int().min(1).max(CHECK_ORIGIN_BYTES_MAX),
    msMax: z.int().min(1).max(CHECK_ORIGIN_MS_MAX),
  }),
  warm: z.object({
    titles: z.array(titleId).max(CHECK_WARM_TITLES_MAX),
    /** Of each rendition, from the first one on. */
    segments: z.int().min(1).max(CHECK_WARM_SEGMENTS_MAX),
    bytesMax: z.int().min(1).max(CHECK_WARM_BYTES_MAX),
    msMax: z.int().min(1).max(CHECK_WARM_MS_MAX),
  }),
})
export type CheckOrder = z.infer<typeof checkOrder>

export const selfStep = z.object({
  step: z.enum(selfSteps),
  state: z.enum(checkStates),
  /** Why it failed or was left out, in words. */
  problem: z.string().max(256).nullable(),
  /** Clock: the host's wall clock minus fleet time. */
  offsetMs: z.number().optional(),
  bytes: nonNegative.optional(),
  ms: nonNegative.optional(),
  firstByteMs: nonNegative.optional(),
  /** Warm: objects and whole titles that are in the cache by now, of so many titles. */
  objects: z.int().min(0).optional(),
  titles: z.int().min(0).optional(),
  titlesOf: z.int().min(0).optional(),
})
export type SelfStep = z.infer<typeof selfStep>

/**
 * From an edge: at each change, each second while it runs, and after each welcome. `run` null: it was told of none
 * since it started, which is how a control room learns that an edge was restarted in between.
 */
export const checkReport = z.object({
  type: z.literal('check-report'),
  run: z.string().max(64).nullable(),
  /** `busy`: `run` goes on, and another order was refused. */
  state: z.enum(['idle', 'running', 'busy', 'ended']),
  steps: z.array(selfStep).max(selfSteps.length),
})
export type CheckReport = z.infer<typeof checkReport>
