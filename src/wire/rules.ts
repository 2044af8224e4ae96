// Owns the shapes of rules as pages show them: what they ask, how their last evaluation went, and whether the files
// as they stand on disk are in force.
import { z } from 'zod'

const time = z.number()

/** `no-data`: not one series was there to be looked at, so that the rule says nothing about the servers. */
export const ruleStates = ['firing', 'pending', 'quiet', 'no-data', 'failing', 'unknown'] as const
export type RuleState = (typeof ruleStates)[number]

/** What became of an alerting rule's alerts in the last 30 days. */
export const ruleHistory = z.object({
  /** Alerts that began to fire: one for each label set and time. */
  fired: z.int(),
  /** Of those: somebody acknowledged, commented, assigned, put off or resolved the incident that they belong to. */
  actedOn: z.int(),
  /** Of those: ended, and nobody did. The rest still fires. */
  ignored: z.int(),
})
export type RuleHistoryView = z.infer<typeof ruleHistory>

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
  /** Null: a recording rule, which tells nobody. */
  history: ruleHistory.nullable(),
  /** Comes with Vitrine. */
  shipped: z.boolean(),
  /** It takes the place of one that ships. */
  replaces: z.boolean(),
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
      /** Of the file for `GET /api/v1/rules/files/:folder/:name`; null: not known any more. */
      folder: z.int().nullable(),
      intervalMs: z.number(),
      rules: z.array(ruleView),
    }),
  ),
})
export type RulesAnswer = z.infer<typeof rulesAnswer>

/** Small enough for a page; rule files of programs are put into a folder by those. */
export const RULE_TEXT_MAX = 256 * 1024
const ruleText = z.string().max(RULE_TEXT_MAX)
/** No folders, nothing hidden. */
export const ruleFileName: z.ZodType<string> = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}\.ya?ml$/,
    'expected a name such as own.yaml: letters, digits, - _ and dots',
  )

export const ruleFileView = z.object({
  /** Place of its folder in the order in which they are read. */
  folder: z.int(),
  path: z.string(),
  name: z.string(),
  /** Comes with Vitrine: it is copied, not changed. */
  shipped: z.boolean(),
  /** False: shipped, or the control room may not write there. */
  writable: z.boolean(),
})
export type RuleFileView = z.infer<typeof ruleFileView>

/** `GET /api/v1/rules/files` (operator). */
export const ruleFilesAnswer = z.object({
  files: z.array(ruleFileView),
  /** Where new files can be written, the first that was named first. */
  folders: z.array(z.object({ folder: z.int(), path: z.string() })),
})
export type RuleFilesAnswer = z.infer<typeof ruleFilesAnswer>

/** `GET /api/v1/rules/files/:folder/:name` (operator). */
export const ruleFileAnswer = ruleFileView.extend({
  text: z.string(),
  /** Of what was read: saving refuses when somebody has changed the file since. */
  sha256: z.string(),
})
export type RuleFileAnswer = z.infer<typeof ruleFileAnswer>

/** `POST /api/v1/rules/check` (operator): what `vitrine rules check` would say. */
export const ruleCheckRequest = z.strictObject({ name: ruleFileName, text: ruleText })
export const ruleCheckAnswer = z.object({
  /** Null: the file would be taken. */
  problem: z.object({ line: z.int().nullable(), text: z.string() }).nullable(),
  rules: z.array(
    z.object({
      kind: z.enum(['alert', 'record']),
      name: z.string(),
      line: z.int(),
      expr: z.string(),
      /** An own rule of the same name takes the place of a shipped one. */
      replaces: z.boolean(),
    }),
  ),
})
export type RuleCheckAnswer = z.infer<typeof ruleCheckAnswer>

/** `PUT /api/v1/rules/files/:folder/:name` (operator). */
export const ruleSaveRequest = z.strictObject({
  text: ruleText,
  /** Of the file as it was read; null: there was none. */
  sha256: z.string().max(64).nullable(),
})
export const ruleSavedAnswer = z.object({
  sha256: z.string(),
  /** Why the files together are not in force; null: they are. */
  problem: z.string().nullable(),
})

/** `POST /api/v1/rules/back-tests` (operator). */
export const backTestRequest = z.strictObject({
  name: ruleFileName,
  text: ruleText,
  /** Line of the rule, as `check` tells; left out: its first alerting rule. */
  line: z.int().optional(),
  /** How far back. */
  rangeMs: z
    .number()
    .min(60_000)
    .max(400 * 86_400_000),
})
export type BackTestRequest = z.infer<typeof backTestRequest>

const backTestSpan = z.object({
  state: z.enum(['pending', 'firing']),
  from: time,
  /** Null: it goes on. */
  to: time.nullable(),
})

export const backTestSet = z.object({
  labels: z.record(z.string(), z.string()),
  /** Oldest first. */
  spans: z.array(backTestSpan),
  alerts: z.int(),
  firingMs: z.number(),
})
export type BackTestSet = z.infer<typeof backTestSet>

export const backTestResult = z.object({
  rule: z.string(),
  expr: z.string(),
  forMs: z.number(),
  keepFiringForMs: z.number(),
  from: time,
  to: time,
  /** Between two evaluations: the group's interval, or longer where that would be too many. */
  stepMs: z.number(),
  intervalMs: z.number(),
  /** Times at which it would have begun to fire. */
  alerts: z.int(),
  /** Pending and over before `for` had passed. */
  neverFired: z.int(),
  longestMs: z.number(),
  /** Label sets that were ever pending or firing. */
  sets: z.int(),
  /** Those that fired longest; the rest is counted alone. */
  shown: z.array(backTestSet),
  /** What the expression compares, for the chart. */
  watched: z.object({
    text: z.string(),
    bound: z.number().nullable(),
    stepMs: z.number(),
    /** More series than these were left out. */
    cut: z.boolean(),
    series: z.array(
      z.object({
        labels: z.record(z.string(), z.string()),
        /** Time in ms and value. */
        points: z.array(z.tuple([z.number(), z.number()])),
      }),
    ),
  }),
  /** False: not one series was there to be looked at. */
  hadData: z.boolean(),
  /** What to know when reading it. */
  notes: z.array(z.string()),
})
export type BackTestResult = z.infer<typeof backTestResult>

/** `GET /api/v1/rules/back-tests/:id` (operator). */
export const backTestAnswer = z.object({
  id: z.string(),
  state: z.enum(['running', 'done', 'failed']),
  /** 0 to 1. */
  progress: z.number(),
  problem: z.string().nullable(),
  result: backTestResult.nullable(),
})
export type BackTestAnswer = z.infer<typeof backTestAnswer>
