// Owns the shapes of the wall, which is read from across the room, and of the links that open it on a screen.
import { z } from 'zod'
import { pastMoment } from './api.ts'
import { serverId, serverRoles, shownStates } from './names.ts'
import { signalWords } from './runbooks.ts'

const time = z.number()

/** All witnesses of one kind together. */
export const wallWitness = z.object({
  kind: z.enum(['inside', 'outside', 'viewers']),
  /** `divided`: some speak for the server and some against it. `unknown`: nobody has said anything. */
  says: z.enum(['for', 'against', 'divided', 'unknown']),
  /** For people: `2 of 3 reach it`. */
  text: z.string(),
  /** The newest word; null where there is none. */
  at: time.nullable(),
})
export type WallWitness = z.infer<typeof wallWitness>

/** What viewers lost to stalls in the last five minutes. */
export const wallRebuffering = z.object({
  /** Rebuffering by the time asked for, sum over sum. */
  ratio: z.number().nonnegative(),
  /** Seconds asked for, watched and rebuffering: what the ratio is of. */
  askedS: z.number().nonnegative(),
  /** From segment requests alone, because no player reports; measured and estimated are never added. */
  estimated: z.boolean(),
})
export type WallRebuffering = z.infer<typeof wallRebuffering>

/** Whether it is within its normal ranges, by signal, and since when; a word that was seen once alone is not told. */
export const wallNormal = z.object({
  word: z.enum(['ok', 'out', 'cannot-tell']),
  since: time,
  /** Compared with some minutes of its own alone. */
  short: z.boolean(),
  signals: z.array(
    z.object({ signal: z.string(), word: z.enum(signalWords), since: time, text: z.string() }),
  ),
})
export type WallNormal = z.infer<typeof wallNormal>

export const wallRow = z.object({
  id: serverId,
  /** What people call it; its id where nobody gave it a name. */
  name: z.string(),
  region: z.string(),
  state: z.enum(shownStates),
  reason: z.string(),
  since: time,
  /** Null: not known of that moment. */
  watching: z.int().nullable(),
  /** Of which estimated: their players tell nothing. */
  watchingEstimated: z.int().optional(),
  /** Of which simulated. */
  watchingSimulated: z.int().optional(),
  /** Bit/s sent; null: not measured. */
  throughputBps: z.number().nullable(),
  /** What an operator says that its line carries. */
  capacityBps: z.number().nullable(),
  /** Null: nobody watched. */
  rebuffering: wallRebuffering.nullable(),
  /** Cores in use by its process group, oldest first; null where nothing was measured. */
  cpu: z.array(z.number().nullable()),
  /** Its host's clock minus fleet time. */
  clockOffsetS: z.number().nullable(),
  /** Null: not looked at yet, or a moment in the past. */
  normal: wallNormal.nullable(),
  witnesses: z.array(wallWitness),
})
export type WallRow = z.infer<typeof wallRow>

/** `GET /api/v1/wall`: all that a wall shows, in one answer. */
export const wallAnswer = z.object({
  now: time,
  edges: z.array(wallRow),
  /** Servers that are no edges and are not healthy: the sentence on top names them. */
  others: z.array(
    z.object({
      id: serverId,
      role: z.enum(serverRoles),
      state: z.enum(shownStates),
      reason: z.string(),
    }),
  ),
  /** Seconds that the cells of `cpu` are apart. */
  cpuStepS: z.number(),
  /** With `?at=` only. */
  past: pastMoment.optional(),
})
export type WallAnswer = z.infer<typeof wallAnswer>

/** `POST /api/v1/wall-links` (admin). */
export const wallLinkRequest = z.strictObject({
  /** Which screen it is for. */
  name: z.string().trim().min(1).max(64),
})

export const wallLinkView = z.object({
  id: z.string(),
  name: z.string(),
  createdAt: time,
  createdBy: z.string(),
  revokedAt: time.nullable(),
})
export type WallLinkView = z.infer<typeof wallLinkView>
export const wallLinksAnswer = z.object({ now: time, links: z.array(wallLinkView) })
/** The only place where the link itself is shown: a path of the control room. */
export const wallLinkMade = wallLinkView.extend({ path: z.string() })
