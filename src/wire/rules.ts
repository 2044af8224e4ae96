// Owns the shapes of rules as pages show them: what they ask, how their last evaluation went, and whether the files
// as they stand on disk are in force.
import { z } from 'zod'

const time = z.number()

/** `no-data`: not one series was there to be looked at, so that the rule says nothing about the servers. */
export const ruleStates = ['firing', 'pending', 'quiet', 'no-data', 'failing', 'unknown'] as const
export type RuleState = (typeof ruleStates)[number]

export const ruleView = z.object({
  kind: z.enum(['alert', 'record']),
  name: z.string(),
  expr: z.string(),
  /** File and line. */
  at: z.string(),
  forMs: z.number(),
  keepFiringForMs: z.number(),
  labels: z.record(z.string(), z.string()),
  annotations: z.record(z.string(), z.string()),
  state: z.enum(ruleStates),
  firing: z.number(),
  pending: z.number(),
  /** Fleet time of the last evaluation; null: none yet. */
  evaluatedAt: time.nullable(),
  tookMs: z.number().nullable(),
  /** Why it could not be evaluated; null: it could. */
  problem: z.string().nullable(),
})
export type RuleView = z.infer<typeof ruleView>

/** `GET /api/v1/rules` (viewer). */
export const rulesAnswer = z.object({
  now: time,
  /** Fleet time at which the rules in force were read. */
  loadedAt: time,
  /** Why the files as they stand now are not in force, and the rules read before go on; null: they are. */
  problem: z.string().nullable(),
  groups: z.array(
    z.object({
      name: z.string(),
      file: z.string(),
      intervalMs: z.number(),
      rules: z.array(ruleView),
    }),
  ),
})
export type RulesAnswer = z.infer<typeof rulesAnswer>
