// Owns the shapes of the clocks of a fleet: what each host's clock is like, and whether they are sick as in 2012.
import { z } from 'zod'
import { pastMoment } from './api.ts'
import { serverId, serverRoles } from './names.ts'

/** `2012-class`: timers fire early. `busy-without-early-timers`: not this, leave the clock alone. */
export const clockDiagnosis = z.object({
  kind: z.enum(['2012-class', 'busy-without-early-timers', 'cannot-tell', 'none']),
  text: z.string(),
  /** What to do, or to leave alone. */
  advice: z.string(),
  /** 0 to 1. */
  confidence: z.number(),
  servers: z.array(z.string()),
  for: z.array(z.string()),
  against: z.array(z.string()),
})
export type ClockDiagnosis = z.infer<typeof clockDiagnosis>

export const clockSource = z.object({
  /** Name or address as it is configured. */
  server: z.string(),
  /** 0 none, 1 a second is inserted, 2 one is deleted, 3 not synchronised; null: not known. */
  leap: z.int().nullable(),
  /** The host's clock minus this one's, seconds. */
  offsetS: z.number().nullable(),
  rttS: z.number().nullable(),
  stratum: z.number().nullable(),
})
export type ClockSourceView = z.infer<typeof clockSource>

export const clockRow = z.object({
  id: serverId,
  name: z.string(),
  role: z.enum(serverRoles),
  region: z.string(),
  /** `sick`: wants somebody now. `warn`: look at it. `unknown`: nothing is measured. */
  word: z.enum(['ok', 'warn', 'sick', 'unknown']),
  /** For people: what is wrong, all of it; or that nothing is. */
  text: z.string(),
  /** Host's clock minus fleet time; positive is ahead. Null: not measured. */
  offsetS: z.number().nullable(),
  /** Seen by the control room in the `Date` of its answers, to the second, because its agent does not say. */
  fromOutside: z.boolean(),
  /** Far from the others. */
  outlier: z.boolean(),
  errorBoundS: z.number().nullable(),
  /** `chrony`, `ntp`, `timesyncd`; null: none answers. */
  daemon: z.string().nullable(),
  synchronised: z.boolean().nullable(),
  /** Of the kernel: 1 a second will be inserted, -1 one deleted. */
  leapPending: z.int().nullable(),
  sources: z.array(clockSource),
  /** Time servers by whether they smear leap seconds. */
  smear: z.object({ yes: z.int(), no: z.int() }).nullable(),
  earlyS: z.number().nullable(),
  /** Fleet time at which timers began to fire early; null: they do not, or it began before what was looked at. */
  earlySince: z.number().nullable(),
  hrtimerErrorS: z.number().nullable(),
  /** The last step since its agent began, forwards positive, and when it was first seen; null: not known. */
  stepS: z.number().nullable(),
  stepAt: z.number().nullable(),
  steps: z.int().nullable(),
  /** What the agent may not read. */
  unreadable: z.array(z.string()),
})
export type ClockRow = z.infer<typeof clockRow>

/** `GET /api/v1/clocks`, also as it was (`?at=`). */
export const clocksAnswer = z.object({
  now: z.number(),
  diagnosis: clockDiagnosis,
  servers: z.array(clockRow),
  past: pastMoment.optional(),
})
export type ClocksAnswer = z.infer<typeof clocksAnswer>
