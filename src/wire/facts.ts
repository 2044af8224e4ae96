// Owns the shapes of what a host is (its facts, as its agent tells them whole) and of how two servers differ.
import { z } from 'zod'
import { serverTags } from './enrol.ts'
import { serverId, serverRoles } from './names.ts'

const time = z.number()

/** What stays as it is until somebody changes it; boots and process starts are events, and stand among the marks. */
export const factKinds = [
  'version',
  'package',
  'kernel',
  'parameter',
  'hardware',
  'configuration',
  'certificate',
  'time-source',
] as const
export type FactKind = (typeof factKinds)[number]

/** 20,000 packages and what else there is. */
export const FACTS_MAX = 20_500

export const fact = z.tuple([z.enum(factKinds), z.string().min(1).max(256), z.string().max(256)])
export type Fact = z.infer<typeof fact>

/** `POST /api/v1/facts`, by an agent as its server: everything, when something changed and now and again. */
export const factsRequest = z.strictObject({
  /** Fleet time in ms at which it was read. */
  at: z.number().min(0),
  facts: z.array(fact).max(FACTS_MAX),
})
export const factsAnswer = z.object({
  /** Counts the different sets that this server has told. */
  version: z.int(),
  sha256: z.string(),
})

/** One thing that is not the same on both. Null: it is not there. */
export const factDifference = z.object({
  kind: z.enum([...factKinds, 'tag']),
  subject: z.string(),
  a: z.string().nullable(),
  b: z.string().nullable(),
  /** When the younger of the two changed; null: not known, because it was so before anybody looked. */
  since: time.nullable(),
})
export type FactDifference = z.infer<typeof factDifference>

/** The newest; `total` counts all. */
const packageList = z.object({ total: z.int(), list: z.array(factDifference) })

/** One metric of one server over the time compared: the middle of its minutes, and the half of them around it. */
export const behaviourFigures = z.object({
  median: z.number(),
  low: z.number(),
  high: z.number(),
  /** Minutes with samples. */
  n: z.int(),
})
export type BehaviourFigures = z.infer<typeof behaviourFigures>

export const behaviourDifference = z.object({
  id: z.string(),
  title: z.string(),
  note: z.string(),
  unit: z.enum(['cores', 'bits', 'bytes', 'seconds', 'percent']),
  a: behaviourFigures.nullable(),
  b: behaviourFigures.nullable(),
  /** `unknown`: too few minutes on a side. `far`: twice and more, and most minutes of the two do not overlap. */
  apart: z.enum(['far', 'some', 'near', 'unknown']),
  /** The larger median by the smaller one, smallest differences that matter taken off; null: unknown. */
  times: z.number().nullable(),
})
export type BehaviourDifference = z.infer<typeof behaviourDifference>

export const diffSide = z.object({
  id: serverId,
  name: z.string(),
  role: z.enum(serverRoles),
  region: z.string(),
  tags: serverTags,
  /** What its agent told last; null: never. */
  facts: z
    .object({ version: z.int(), sha256: z.string(), at: time, toldAt: time, firstAt: time, total: z.int() })
    .nullable(),
  /** The last start of its process and of its host that an agent saw; null: none. */
  processStartedAt: time.nullable(),
  bootedAt: time.nullable(),
})
export type DiffSide = z.infer<typeof diffSide>

/** `GET /api/v1/servers/{a}/diff/{b}` (viewer). */
export const diffAnswer = z.object({
  now: time,
  a: diffSide,
  b: diffSide,
  /** Both agents run on the same host: only what is said of the servers themselves can differ. */
  sameHost: z.boolean(),
  /** Newest first; without packages. Empty also when the facts of one are not known: see the sides. */
  differences: z.array(factDifference),
  packages: z.object({ onlyA: packageList, onlyB: packageList, otherVersion: packageList }),
  /** How many are the same on both, by kind. */
  equal: z.partialRecord(z.enum([...factKinds, 'tag']), z.int()),
  /** Farthest apart first. */
  behaviour: z.object({ from: time, to: time, metrics: z.array(behaviourDifference) }),
})
export type DiffAnswer = z.infer<typeof diffAnswer>
