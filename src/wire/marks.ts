// Owns marks: moments at which something changed, told by people, by deployment scripts and by agents. They stand
// beside every graph, because most trouble begins with a change.
import { z } from 'zod'
import { serverId } from './names.ts'

export const markKinds = [
  'deployment',
  'note',
  'version',
  'package',
  'kernel',
  'parameter',
  'hardware',
  'boot',
  'process',
  'configuration',
  'certificate',
  'time-source',
  /** Samples that came late, from an agent's flight recorder. */
  'recovered',
] as const
export type MarkKind = (typeof markKinds)[number]

/** `POST /api/v1/marks` (operator): what people and deployment scripts tell. */
export const markRequest = z.strictObject({
  kind: z.enum(['deployment', 'note']),
  text: z.string().trim().min(1).max(512),
  /** Fleet time in ms; now when left out, at most a day ahead. */
  at: z.number().min(0).optional(),
  /** What it is about; the whole fleet when left out. */
  server: serverId.optional(),
  /** Where more is said: a pipeline, a change request. */
  url: z
    .url({ protocol: /^https?$/ })
    .max(1024)
    .optional(),
})
export type MarkRequest = z.infer<typeof markRequest>

/** One change that an agent saw. */
export const seenChange = z.strictObject({
  kind: z.enum(markKinds).exclude(['deployment', 'note']),
  /** What changed: a package's name, a file's path. */
  subject: z.string().max(256),
  from: z.string().max(256).nullable(),
  to: z.string().max(256).nullable(),
  /** Fleet time in ms. */
  at: z.number().min(0),
})
export type SeenChange = z.infer<typeof seenChange>

export const CHANGES_MAX = 500

/** `POST /api/v1/marks/seen`, by an agent as its server. The same change told again is the same mark. */
export const seenRequest = z.strictObject({ changes: z.array(seenChange).max(CHANGES_MAX) })

export const markView = z.object({
  id: z.int(),
  at: z.number(),
  /** Null: the whole fleet. */
  server: serverId.nullable(),
  kind: z.enum(markKinds),
  text: z.string(),
  by: z.string(),
  url: z.string().nullable(),
})
export type MarkView = z.infer<typeof markView>

/** `GET /api/v1/marks?from=&to=&server=&near=&limit=`: newest first, or nearest to `near` first. */
export const marksAnswer = z.object({ now: z.number(), marks: z.array(markView) })
