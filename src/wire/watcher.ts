// Owns what edges are told so that they can watch the control room, what they ask each other when it is gone, and the
// last picture of the fleet that they show meanwhile.
import { z } from 'zod'
import { serverId, shownStates } from './names.ts'
import { receiverConfig } from './notify.ts'

const time = z.number()
const MEMBERS_MAX = 1000
export const HOLDERS_MAX = 5
const RECEIVERS_MAX = 20
const names = z.array(z.string().max(63)).max(RECEIVERS_MAX)

/** To each edge: who is asked, who rings, and by what name this outage goes. On each change; complete. */
export const sealedRoute = z.object({
  type: z.literal('sealed-route'),
  /** Fleet time at which the control room was last known to be back: the next outage is named by it. */
  epoch: z.int(),
  /** Whoever has lost the control room for so long says so. */
  afterMs: z.number().min(1000).max(3_600_000),
  /** All edges of the fleet: more than half of them must have lost it. */
  members: z.int().min(0),
  /** In the order in which they ring; empty: nobody does. */
  holders: z.array(serverId).max(HOLDERS_MAX),
  controlUrl: z.string().max(512),
  /** Of the times in messages. */
  zone: z.string().max(64),
  /** To holders only: who is told, with what is secret of it; and whom they ask. */
  held: z
    .object({
      receivers: z.array(receiverConfig).max(RECEIVERS_MAX),
      /** Without the edge itself. The credential is shown to that one alone. */
      peers: z
        .array(z.object({ id: serverId, url: z.string().max(512), credential: z.string().max(128) }))
        .max(MEMBERS_MAX),
    })
    .nullable(),
})
export type SealedRoute = z.infer<typeof sealedRoute>

/** From an edge, as long as it knows of a page: the control room closes it, and begins a new epoch. */
export const watcherState = z.object({
  type: z.literal('watcher-state'),
  epoch: z.int(),
  /** Receivers that were told. */
  done: names,
  /** How long ago the first one was. */
  agoMs: z.number().min(0),
})
export type WatcherState = z.infer<typeof watcherState>

/** What one edge asks another: `POST /watcher`, with the probe credential of the one that is asked. */
export const watcherAsk = z.object({
  epoch: z.int(),
  from: serverId,
  /** `look` changes nothing; `claim` asks for the right to ring; `release` gives it back; all of them tell who was told. */
  act: z.enum(['look', 'claim', 'release']),
  done: names,
  complete: z.boolean(),
})
export type WatcherAsk = z.infer<typeof watcherAsk>

export const watcherAnswer = z.object({
  id: serverId,
  epoch: z.int(),
  /** For how long it has not heard the control room; 0: it hears it. */
  lostMs: z.number().min(0),
  /** Whether the claim is the asker's now. */
  granted: z.boolean(),
  done: names,
  complete: z.boolean(),
})
export type WatcherAnswer = z.infer<typeof watcherAnswer>

/** To edges, every few seconds and on change: what `/wall` shows while the control room is away. */
export const wallPicture = z.object({
  type: z.literal('wall-picture'),
  /** Fleet time. */
  at: time,
  controlUrl: z.string().max(512),
  watching: z.int().nullable(),
  /** Of which estimated: their players tell nothing. */
  watchingEstimated: z.int().optional(),
  /** Of all servers, also those that are not listed. */
  counts: z.record(z.string().max(32), z.int()),
  /** Those that are not well first. */
  servers: z
    .array(
      z.object({
        id: serverId,
        name: z.string().max(128),
        region: z.string().max(64),
        state: z.enum(shownStates),
        reason: z.string().max(160),
        since: time,
        watching: z.int().nullable(),
        watchingEstimated: z.int().optional(),
      }),
    )
    .max(200),
  more: z.int().min(0),
  incidents: z
    .array(
      z.object({
        id: z.string().max(128),
        title: z.string().max(200),
        severity: z.enum(['critical', 'warning', 'info']),
        openedAt: time,
        verdict: z.string().max(80),
        acknowledgedBy: z.string().max(64).nullable(),
      }),
    )
    .max(30),
})
export type WallPicture = z.infer<typeof wallPicture>
