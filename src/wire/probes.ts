// Owns the shapes of the matrix of probes: who looks at whom, what each saw last, and what looking costs.
import { z } from 'zod'
import { pastMoment } from './api.ts'
import { serverId, serverRoles } from './names.ts'

const time = z.number()
const ms = z.number().nullable()

/** What one observer saw of one target last. */
export const probeCell = z.object({
  /** `control` or the id of an edge. */
  observer: z.string(),
  target: serverId,
  at: time,
  /** An HTTP answer came. */
  ok: z.boolean(),
  connectMs: ms,
  /** Set where `connectMs` is not stored: whether TCP connected. */
  connected: z.boolean().optional(),
  tlsMs: ms,
  httpMs: ms,
  /** Null: ping is not permitted on the observer's host, or has not answered yet. */
  pingMs: ms,
  /** What went wrong, or why viewers refuse the certificate. */
  problem: z.string().nullable(),
  /** The last look at its stream; null: none yet. */
  play: z.object({ ok: z.boolean(), text: z.string(), at: time }).nullable(),
})
export type ProbeCell = z.infer<typeof probeCell>

export const probeTarget = z.object({
  id: serverId,
  role: z.enum(serverRoles),
  region: z.string(),
  /** Fewest days of its certificate that any observer saw; null: no TLS. */
  certificateDays: z.number().nullable(),
  /** What looks at its stream fetched this month; null: none are made. */
  usedBytes: z.number().nullable(),
})
export type ProbeTargetView = z.infer<typeof probeTarget>

/** `GET /api/v1/probes` (viewer). */
export const probesAnswer = z.object({
  now: time,
  /** `neighbours`: above 20 edges each looks at six others, and cells between the rest are none. */
  mesh: z.enum(['full', 'neighbours']),
  /** Of each target and month. */
  budgetBytes: z.number(),
  observers: z.array(z.object({ id: z.string(), region: z.string() })),
  targets: z.array(probeTarget),
  cells: z.array(probeCell),
  /** With `?at=` only. */
  past: pastMoment.optional(),
})
export type ProbesAnswer = z.infer<typeof probesAnswer>
