// Owns the shapes of runbooks: what an agent is ordered to do and says of it, and what people see of a run.
// A control room sends the name of a step and its arguments, never a command: that stands in the agent's own list.
import { z } from 'zod'
import { serverId, userRoles } from './names.ts'

const time = z.number()
export const STEP_OUTPUT_CHARACTERS_MAX = 8192
const STEPS_MAX = 100
const ARGUMENTS_MAX = 20

export const stepName: z.ZodString = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,62}$/, 'expected a step name as restart-edge')
const parameterName = z.string().regex(/^[a-z][a-z0-9_]{0,31}$/, 'expected a parameter name as instance')
export const stepArguments = z
  .record(parameterName, z.string().max(512))
  .refine(all => Object.keys(all).length <= ARGUMENTS_MAX, `at most ${ARGUMENTS_MAX} arguments`)

/** To an agent. The same id again changes nothing: the answer is what came of it. */
export const stepOrder = z.object({
  type: z.literal('step-order'),
  id: z.string().min(1).max(200),
  step: stepName,
  arguments: stepArguments,
})
export type StepOrder = z.infer<typeof stepOrder>

/** `unknown`: it was begun, and nobody knows whether it came to its end. */
export const stepStates = ['running', 'done', 'failed', 'refused', 'unknown'] as const
export type StepState = (typeof stepStates)[number]

/** From an agent: at each change, and again whenever the order comes again. */
export const stepReport = z.object({
  type: z.literal('step-report'),
  id: z.string().min(1).max(200),
  state: z.enum(stepStates),
  /** In words. */
  text: z.string().max(512),
  /** What the command printed, its end where it was too long. */
  output: z.string().max(STEP_OUTPUT_CHARACTERS_MAX),
})
export type StepReport = z.infer<typeof stepReport>

export const allowedStep = z.object({
  name: stepName,
  description: z.string().max(512),
  /** By name: the pattern that an argument has to match as a whole. */
  parameters: z.record(parameterName, z.string().max(256)),
  idempotent: z.boolean(),
  hasCheck: z.boolean(),
  timeoutS: z.number(),
})
export type AllowedStep = z.infer<typeof allowedStep>

/** From an agent after each welcome: what it would carry out. */
export const stepList = z.object({
  type: z.literal('step-list'),
  steps: z.array(allowedStep).max(STEPS_MAX),
  /** Why its file is not taken; null: it is, or there is none. */
  problem: z.string().max(1024).nullable(),
})
export type StepList = z.infer<typeof stepList>

export const runStepKinds = ['drain', 'run', 'wait-until', 'verify', 'undrain', 'notify', 'approve'] as const
export type RunStepKind = (typeof runStepKinds)[number]

export const runbookView = z.object({
  name: z.string(),
  title: z.string(),
  description: z.string(),
  /** `restart-edge.yaml`. */
  file: z.string(),
  alerts: z.array(z.string()),
  causes: z.array(z.string()),
  /** Who may start it. */
  role: z.enum(userRoles),
  approval: z.enum(userRoles).nullable(),
  mayRunByItself: z.boolean(),
  steps: z.array(z.string()),
  onFailure: z.array(z.string()),
  preconditions: z.array(z.string()),
})
export type RunbookView = z.infer<typeof runbookView>

/** `GET /api/v1/runbooks` (viewer). With `?incident=ID` only those that fit it, with the servers that it concerns. */
export const runbooksAnswer = z.object({
  now: time,
  runbooks: z.array(runbookView),
  /** Why the files as they stand are not in force; null: they are. */
  problem: z.string().nullable(),
  /** Of an incident: what may be offered for which of its servers. */
  offers: z.array(z.object({ runbook: z.string(), servers: z.array(serverId), why: z.string() })),
})
export type RunbooksAnswer = z.infer<typeof runbooksAnswer>

/** `POST /api/v1/runs` (operator), and `/api/v1/runs/dry-run`, which changes nothing. */
export const runRequest = z.strictObject({
  runbook: z.string().min(1).max(64),
  servers: z.array(serverId).min(1).max(200),
  reason: z.string().trim().min(1).max(512),
  incident: z.string().max(64).optional(),
})
export type RunRequest = z.infer<typeof runRequest>

/** One line of a dry run: what would be done where, and to whom. */
export const plannedStep = z.object({
  kind: z.enum(runStepKinds),
  text: z.string(),
  /** Who carries it out: an agent, or the control room. */
  where: z.string(),
  /** Why it would be refused; null: it would not. */
  problem: z.string().nullable(),
})

export const dryRun = z.object({
  now: time,
  runbook: runbookView,
  /** Nothing of it stands in the way. */
  ready: z.boolean(),
  problems: z.array(z.string()),
  warnings: z.array(z.string()),
  batches: z.array(
    z.object({
      name: z.string(),
      servers: z.array(
        z.object({
          id: serverId,
          region: z.string(),
          state: z.string(),
          viewers: z.int(),
          /** Where they would be sent, with the part of them. */
          next: z.array(z.object({ edge: serverId, share: z.number() })),
          /** What those that are left carry, in words. */
          capacity: z.string(),
          steps: z.array(plannedStep),
        }),
      ),
    }),
  ),
  onFailure: z.array(z.string()),
})
export type DryRun = z.infer<typeof dryRun>

/** How a run ended. `refused`, `expired`: nothing was done. */
export const runConditions = ['completed', 'failed', 'stopped', 'refused', 'expired'] as const
export type RunCondition = (typeof runConditions)[number]

/** How a server was left. Never anything between. */
export const serverOutcomes = ['returned', 'held', 'untouched'] as const
export type ServerOutcome = (typeof serverOutcomes)[number]

export const runStepView = z.object({
  server: serverId,
  phase: z.enum(['main', 'failure']),
  step: z.int(),
  kind: z.enum(runStepKinds),
  title: z.string(),
  state: z.enum(['waiting', 'running', 'done', 'failed', 'unknown', 'skipped']),
  text: z.string(),
  /** What a command printed. */
  output: z.string(),
  beganAt: time.nullable(),
  endedAt: time.nullable(),
})
export type RunStepView = z.infer<typeof runStepView>

export const runView = z.object({
  id: z.string(),
  runbook: z.string(),
  title: z.string(),
  reason: z.string(),
  incident: z.string().nullable(),
  by: z.string(),
  startedAt: time,
  endedAt: time.nullable(),
  condition: z.enum(runConditions).nullable(),
  /** How it stands or ended, in one sentence. */
  text: z.string(),
  /** Whom it waits for; null: nobody. */
  waitsFor: z
    .object({ role: z.enum(userRoles), until: time, secondPerson: z.boolean(), text: z.string() })
    .nullable(),
  /** Taken alone before the others; null: nobody is. */
  canary: serverId.nullable(),
  stopping: z.boolean(),
  servers: z.array(
    z.object({
      id: serverId,
      batch: z.int(),
      outcome: z.enum(serverOutcomes).nullable(),
      text: z.string(),
      steps: z.array(runStepView),
    }),
  ),
})
export type RunView = z.infer<typeof runView>
export const runsAnswer = z.object({ now: time, runs: z.array(runView) })
export type RunsAnswer = z.infer<typeof runsAnswer>
export const runAnswer = z.object({ now: time, run: runView })
export type RunAnswer = z.infer<typeof runAnswer>

export const signalWords = ['ok', 'high', 'low', 'cannot-tell'] as const
export type SignalWord = (typeof signalWords)[number]

/** One signal of one server against what is normal for it. */
export const signalView = z.object({
  signal: z.string(),
  unit: z.string(),
  word: z.enum(signalWords),
  value: z.number().nullable(),
  low: z.number().nullable(),
  high: z.number().nullable(),
  /** Whose normal: its own of this hour, its peers', its own of some minutes; `none`: there is nothing to compare. */
  basis: z.enum(['own', 'peers', 'short baseline', 'none']),
  /** How many hours, peers or samples that is. */
  n: z.int(),
  text: z.string(),
  /** Since when it is so; left out: since a moment. */
  since: time.optional(),
})
export type SignalView = z.infer<typeof signalView>

/** `GET /api/v1/normal` (viewer), one server with `?server=ID`. */
export const normalAnswer = z.object({
  now: time,
  servers: z.array(
    z.object({
      id: serverId,
      state: z.string(),
      /** `ok` only if every signal that could be told is, and some could. */
      word: z.enum(['ok', 'out', 'cannot-tell']),
      text: z.string(),
      /** Since when it is so; left out: since a moment. */
      since: time.optional(),
      signals: z.array(signalView),
    }),
  ),
})
export type NormalAnswer = z.infer<typeof normalAnswer>

/** `GET /api/v1/normal/band` (viewer): what is normal for one line of a graph, over its window. */
export const bandAnswer = z.object({
  now: time,
  /** As of a signal; of whom the band is made. */
  basis: signalView.shape.basis,
  /** Days, peers or samples. */
  n: z.int(),
  /** For people: `its own of this hour, 8 earlier days`. */
  text: z.string(),
  points: z.array(z.object({ at: time, low: z.number(), high: z.number() })),
})
export type BandAnswer = z.infer<typeof bandAnswer>
