// Owns the shapes of the control room's API under /api/v1, for the server, the pages and the command line.
// All times are fleet time in ms since 1970.
import { z } from 'zod'
import { titleReport } from './channel.ts'
import { overrideView, serverTags } from './enrol.ts'
import { serverId, serverRoles, serverStates, shownStates, titleId, userRoles } from './names.ts'

const time = z.number()

/** `GET /api/v1/ledger?start=&end=` (seconds since 1970) -> `{ rows: [...] }` */
export const ledgerRow = z.object({
  /** UTC, as 2026-01-31. */
  day: z.string(),
  server: z.string(),
  role: z.enum(['edge', 'origin']),
  measure: z.enum(['bytes', 'requests', 'viewer-seconds']),
  class: z.string(),
  value: z.number(),
})
export type LedgerRowView = z.infer<typeof ledgerRow>
export const ledgerAnswer = z.object({ rows: z.array(ledgerRow) })

/** `GET /api/v1/titles` -> `{ titles: [...] }` */
export const titleView = titleReport.extend({
  /** Where it can be watched, on the control room. */
  watchPath: z.string(),
})
export type TitleView = z.infer<typeof titleView>
export const titlesAnswer = z.object({ titles: z.array(titleView) })

/** One observer's evidence on a server, in words and figures. */
export const evidence = z.object({
  /** `agent`, `control`, the id of the edge that looked, or `viewers`. */
  witness: z.string(),
  kind: z.enum(['inside', 'outside', 'playing', 'viewers']),
  ok: z.boolean(),
  /** It cannot tell: neither for nor against, whatever `ok` is. */
  unsure: z.literal(true).optional(),
  /** For people: `no HTTP answer for 3.2 s (TCP connect in 0.1 ms)`. */
  text: z.string(),
  /** When it was seen. */
  at: time,
})
export type Evidence = z.infer<typeof evidence>

/** What a server sent that was not taken. */
export const refusalView = z.object({
  reason: z.string(),
  /** For people. */
  text: z.string(),
  /** The last one, in more words; null: there are none. */
  detail: z.string().nullable(),
  /** Since the control room started. */
  count: z.int(),
  at: time,
})
export type RefusalView = z.infer<typeof refusalView>
/** Of an answer to `?at=`: the fleet as it was then. */
export const pastMoment = z.object({
  at: time,
  /**
   * `yes`: the control room ran then. `no`: it did not, and nobody judged. `not-kept`: samples of that time are dropped
   * (or were never there); states are those of the log of changes.
   */
  watched: z.enum(['yes', 'no', 'not-kept']),
})
export type PastMoment = z.infer<typeof pastMoment>

/** `GET /api/v1/servers` -> `{ now, servers: [...] }`; one of them at `/api/v1/servers/{id}`. */
export const serverView = z.object({
  id: serverId,
  region: z.string(),
  role: z.enum(serverRoles),
  state: z.enum(shownStates),
  /** Why it is in this state, in one line of words. */
  reason: z.string(),
  /** When it entered this state. */
  since: time,
  version: z.string(),
  url: z.string(),
  hostId: z.string(),
  tags: serverTags,
  /** What a person ordered; null: the witnesses alone decide. */
  override: overrideView.nullable(),
  /** Process-group leader; on a local fleet only, else null. */
  pid: z.int().nullable(),
  /** Sessions last fed by it in the last 30 s; edges sum to the fleet's total. */
  watching: z.int().nullable(),
  /** Of which estimated, because no player told its session id. Null, as above: not known of that moment. */
  watchingEstimated: z.int().nullable(),
  /** Of which simulated: nobody sits there. */
  watchingSimulated: z.int().optional(),
  /** When its agent was last heard; null: never. */
  agentSeen: time.nullable(),
  weight: z.number().nullable(),
  /** Of an edge: the part of all new sessions that it may get, above 0 to 100; null: not known of that moment. */
  sharePercent: z.number().nullable(),
  /** Of a foreign server: what is looked at, and its share of new viewers. */
  foreign: z.object({ url: z.string(), weight: z.number() }).nullable().optional(),
  evidence: z.array(evidence),
  /** Of the last day, newest first. */
  refused: z.array(refusalView).optional(),
})
export type ServerView = z.infer<typeof serverView>
export const serversAnswer = z.object({
  now: time,
  servers: z.array(serverView),
  /** With `?at=` only. */
  past: pastMoment.optional(),
})

/** `GET /api/v1/servers/{id}/history` -> `{ changes: [...] }`, newest first. */
export const stateChange = z.object({
  at: time,
  from: z.enum(serverStates).nullable(),
  to: z.enum(serverStates),
  reason: z.string(),
  evidence: z.array(evidence),
})
export const historyAnswer = z.object({ changes: z.array(stateChange) })

/** `GET /api/v1/alerts` -> `{ now, alerts: [...] }`: pending and firing, and those resolved in the last hour;
 * with `?at=`, those pending or firing then. */
export const alertView = z.object({
  id: z.string(),
  rule: z.string(),
  state: z.enum(['pending', 'firing', 'resolved']),
  labels: z.record(z.string(), z.string()),
  annotations: z.record(z.string(), z.string()),
  value: z.number().nullable(),
  activeAt: time,
  firedAt: time.nullable(),
  resolvedAt: time.nullable(),
})
export type AlertView = z.infer<typeof alertView>
export const alertsAnswer = z.object({
  now: time,
  alerts: z.array(alertView),
  past: z.object({ at: time }).optional(),
})

/** `GET /api/v1/me` */
export const meAnswer = z.object({
  name: z.string(),
  role: z.enum(userRoles),
  /** Sent back as `x-vitrine-csrf` with every POST, PUT and DELETE from a page. */
  csrf: z.string(),
  version: z.string(),
  /** True when the Try it strip may be used: a local fleet, asked over loopback. */
  tryIt: z.boolean(),
  /** How this session began; a one-time link names nobody. */
  signedInBy: z.enum(['link', 'password', 'token']).optional(),
  /** Where own files go, on the control room's machine; null: not a local fleet, or not for this role. */
  mediaFolder: z.string().nullable().optional(),
})

/** `POST /api/v1/sign-in` with a one-time link's code, or a name and a password. Sets the session cookie. */
export const signInRequest = z.union([
  z.strictObject({ link: z.string().max(256) }),
  z.strictObject({ name: z.string().max(64), password: z.string().max(1024) }),
])

/** `POST /api/v1/try` (operator, loopback, local fleet): starts or ends one injection. */
export const tryRequest = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('viewers'), count: z.int().min(0).max(100) }),
  z.strictObject({ action: z.literal('freeze'), server: serverId }),
  z.strictObject({ action: z.literal('thaw'), server: serverId }),
  z.strictObject({ action: z.literal('slow'), server: serverId }),
  z.strictObject({ action: z.literal('unslow'), server: serverId }),
])
export type TryRequest = z.infer<typeof tryRequest>

/** `GET /api/v1/try`, and the answer to the POST. */
export const tryAnswer = z.object({
  now: time,
  /** Simulated viewers that were asked for. */
  viewers: z.int(),
  /** Faults that are in force or were in force last, newest first; at most 10. */
  faults: z.array(
    z.object({
      server: serverId,
      kind: z.enum(['freeze', 'slow']),
      startedAt: time,
      endedAt: time.nullable(),
      /** The server left `healthy` for the first time after the start, ms after it. */
      noticedMs: z.number().nullable(),
      /** Sessions on that server at the start, and how many have been fed elsewhere since (or ended). */
      sessionsAtStart: z.int(),
      sessionsMoved: z.int(),
      /** The last of them was fed elsewhere, ms after the start. */
      movedMs: z.number().nullable(),
    }),
  ),
})
export type TryAnswer = z.infer<typeof tryAnswer>

/** `GET /watch-table` on the control room and on every edge (no sign-in): what the player page needs. */
export const watchTable = z.object({
  /** Edges best first, with absolute URLs. */
  pathways: z.array(z.object({ id: serverId, region: z.string(), url: z.string() })),
  titles: z.array(z.object({ id: titleId, name: z.string(), durationMs: z.number().nullable() })),
})
export type WatchTable = z.infer<typeof watchTable>
