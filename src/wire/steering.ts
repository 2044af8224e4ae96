// Owns the shapes of what steering decided and why: versions of the table, and the pathways of one session.
import { z } from 'zod'
import { serverId, serverStates, titleId } from './names.ts'

const time = z.number()

/** One edge as a version of the table saw it: what went in, and the weight that came out. */
export const steeringInput = z.object({
  id: serverId,
  region: z.string(),
  url: z.string(),
  state: z.enum(serverStates),
  /** Why it was in that state, in words. */
  reason: z.string(),
  /** Witnesses that doubted it. */
  doubts: z.int(),
  sessions: z.int(),
  /** What a person had ordered, in words; null: nothing. */
  order: z.string().nullable(),
  /** Of all new sessions, at most, 0 to 1. */
  share: z.number(),
  /** Null: not known. */
  capacity: z.object({ bps: z.number(), source: z.enum(['operator', 'measured']) }).nullable(),
  throughputBps: z.number().nullable(),
  /** Not below 0; null: not known. */
  capacityLeftBps: z.number().nullable(),
  /** For new viewers. */
  weight: z.number(),
  /** For viewers that it fed already. */
  keep: z.number(),
  /** Why it has that weight, in words. */
  why: z.string(),
})
export type SteeringInput = z.infer<typeof steeringInput>

export const steeringVersion = z.object({
  version: z.int(),
  /** Since when it held. */
  at: time,
  /** Until when; null: it holds. */
  until: time.nullable(),
  /** What differed from the version before, in words, one a difference. */
  changes: z.array(z.string()),
})
export type SteeringVersion = z.infer<typeof steeringVersion>

/** `GET /api/v1/steering/versions?at=` or `?from=&to=` (ms), newest first; without either the newest. */
export const steeringVersionsAnswer = z.object({
  now: time,
  /** Since when versions are kept; null: none is. */
  keptSince: time.nullable(),
  versions: z.array(steeringVersion),
  /** There are older ones in the span than the answer carries. */
  more: z.boolean(),
})

/** `GET /api/v1/steering/versions/{n}` */
export const steeringVersionAnswer = steeringVersion.extend({
  exhausted: z.boolean(),
  inputs: z.array(steeringInput),
})
export type SteeringVersionDetail = z.infer<typeof steeringVersionAnswer>

/** One change of a session's pathway, and where it came in. */
export const pathwayChange = z.object({
  at: time,
  edge: serverId,
  /** Null: it came in. */
  from: serverId.nullable(),
  /** The table by which that edge answered; null: not told. */
  version: z.int().nullable(),
  title: titleId,
  /** In words. */
  reason: z.string(),
})
export type PathwayChange = z.infer<typeof pathwayChange>

/** `GET /api/v1/sessions/{sid}/pathways`, oldest first. */
export const sessionPathwaysAnswer = z.object({
  now: time,
  sid: z.string(),
  /** No player told this id: several viewers behind one address may share it. */
  estimated: z.boolean(),
  /** The edge that feeds it now; null: it does not play. */
  edge: serverId.nullable(),
  changes: z.array(pathwayChange),
})
