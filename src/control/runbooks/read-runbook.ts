// Owns reading a runbook's YAML. It refuses what it cannot carry out, naming file and line, and for a wrong word the
// nearest known one.
import { readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { z } from 'zod'
import { messageOf, nearest } from '#base'
import { describeQuery } from '#metrics'
import { causeKinds, runStepKinds, serverId, serverRoles, stepArguments, stepName, userRoles } from '#wire'
import { readDurationMs } from '../alerts/duration.ts'
import {
  invalidRules,
  type Mistake,
  mistakesOf,
  readTextFile,
  readYaml,
  type YamlPath,
} from '../alerts/read-yaml.ts'
import { signalNames } from '../bands/signals.ts'
import { fillIn, type Runbook, type RunbookStep } from './runbook.ts'

const STEPS_MAX = 50
const BATCH_MAX = 50
const DAY_MS = 86_400_000
const RUNBOOKS_MAX = 200

const duration = z.string().transform((text, context) => {
  const ms = readDurationMs(text)
  if (ms !== null && ms > 0 && ms <= DAY_MS) return ms
  context.addIssue({
    code: 'custom',
    message: 'expected a duration as 90s or 10m, above 0 and at most a day',
  })
  return z.NEVER
})
const words = z.string().trim().min(1).max(512)

const approval = {
  role: z.enum(userRoles).default('operator'),
  'second-person': z.boolean().default(false),
  timeout: duration.prefault('15m'),
}

/** Null where nothing has to be said: `- drain:`. */
const said = <Shape extends z.ZodRawShape>(
  shape: Shape,
): z.ZodPreprocess<z.ZodObject<Shape, z.core.$strict>> =>
  z.preprocess(value => value ?? {}, z.strictObject(shape))

/** Of steps that may be left out without leaving a server half-way. */
const when = words.optional()

const stepShapes = {
  drain: z.strictObject({ drain: said({ timeout: duration.prefault('15m'), max: duration.optional() }) }),
  run: z.strictObject({
    when,
    run: stepName,
    with: stepArguments.default({}),
    on: serverId.optional(),
    'looks-only': z.boolean().default(false),
    timeout: duration.prefault('5m'),
  }),
  'wait-until': z.strictObject({
    when,
    'wait-until': words,
    timeout: duration.prefault('5m'),
    otherwise: z.enum(['fail', 'go-on']).default('fail'),
  }),
  verify: z.strictObject({
    verify: said({
      signals: z.array(z.enum(signalNames)).min(1).optional(),
      timeout: duration.prefault('5m'),
      hold: duration.prefault('10s'),
    }),
  }),
  undrain: z.strictObject({
    undrain: said({ timeout: duration.prefault('15m'), stage: duration.prefault('60s') }),
  }),
  notify: z.strictObject({ when, notify: words }),
  approve: z.strictObject({
    when,
    approve: z.preprocess(
      value => value ?? {},
      z.strictObject({ ...approval, text: words.default('go on?') }),
    ),
  }),
} as const

const listed = z.array(z.record(z.string(), z.unknown())).max(STEPS_MAX)

const fileShape = z.strictObject({
  runbook: stepName,
  title: words,
  description: z.string().max(4000).default(''),
  match: z
    .strictObject({
      alerts: z.array(z.string().max(128)).max(50).default([]),
      causes: z.array(z.enum(causeKinds)).max(50).default([]),
    })
    .prefault({}),
  for: z.array(z.enum(serverRoles)).default([]),
  role: z.enum(['operator', 'admin']).default('operator'),
  approval: z.strictObject(approval).optional(),
  'may-run-by-itself': z.boolean().default(false),
  preconditions: z
    .array(z.strictObject({ text: words, expr: words }))
    .max(20)
    .default([]),
  strategy: z
    .strictObject({
      canary: z.boolean().default(true),
      batch: z.int().min(1).max(BATCH_MAX).default(1),
      'per-region': z.int().min(1).max(BATCH_MAX).default(1),
    })
    .prefault({}),
  limits: z
    .strictObject({
      'edges-left': z.int().min(0).max(1000).default(1),
      'unknown-capacity': z.enum(['allow', 'refuse']).default('allow'),
    })
    .prefault({}),
  timeout: duration.prefault('2h'),
  steps: listed.min(1),
  'on-failure': listed.default([]),
})

/** Throws control-rules-invalid with file and line of each mistake. */
export function readRunbook(text: string, file: string): Runbook {
  const { value } = readYaml(text, file, fileShape, furtherMistakes)
  const steps = value.steps.flatMap(step => stepOf(step))
  const onFailure = value['on-failure'].flatMap(step => stepOf(step))
  const preconditions = value.preconditions
  return {
    name: value.runbook,
    title: value.title,
    description: value.description,
    file,
    match: value.match,
    roles: value.for,
    role: value.role,
    approval: value.approval === undefined ? null : approvalOf(value.approval),
    mayRunByItself: value['may-run-by-itself'],
    preconditions,
    strategy: {
      canary: value.strategy.canary,
      batch: value.strategy.batch,
      perRegion: value.strategy['per-region'],
    },
    limits: {
      edgesLeftMin: value.limits['edges-left'],
      unknownCapacity: value.limits['unknown-capacity'],
    },
    timeoutMs: value.timeout,
    steps,
    onFailure,
  }
}

function approvalOf(said: {
  role: Runbook['role']
  'second-person': boolean
  timeout: number
}): NonNullable<Runbook['approval']> {
  return { role: said.role, secondPerson: said['second-person'], timeoutMs: said.timeout }
}

/** Of steps, their order and expressions: told also while the rest of the file is wrong. */
function furtherMistakes(plain: unknown): Mistake[] {
  const raw = z.looseObject({}).catch({}).parse(plain)
  const [steps, onFailure] = [listOf(raw.steps), listOf(raw['on-failure'])]
  return [
    ...steps.flatMap((step, place) => stepMistakes(step, ['steps', place])),
    ...onFailure.flatMap((step, place) => stepMistakes(step, ['on-failure', place])),
    ...listOf(raw.preconditions).flatMap(({ expr }, place) =>
      expressionMistakes(expr, ['preconditions', place, 'expr']),
    ),
    ...orderMistakes(steps.map(step => kindOf(step))),
  ]
}

function listOf(raw: unknown): Record<string, unknown>[] {
  const list = listed.safeParse(raw)
  return list.success ? list.data : []
}

function kindOf(raw: Record<string, unknown>): (typeof runStepKinds)[number] | undefined {
  return runStepKinds.find(known => Object.keys(raw).includes(known))
}

/** The word that says which step it is, with what is nearest where it is none. */
function stepMistakes(raw: Record<string, unknown>, path: YamlPath): Mistake[] {
  const kind = kindOf(raw)
  if (kind === undefined) {
    const word = Object.keys(raw)[0] ?? ''
    const near = nearest(word, [...runStepKinds])
    const hint = near === null ? '.' : `; did you mean ${near}?`
    const text = `${path.join('.')}: unknown step ${JSON.stringify(word)}${hint} Steps are ${runStepKinds.join(', ')}`
    return [{ path: [...path, word], text }]
  }
  const parsed = stepShapes[kind].safeParse(raw)
  return [
    ...(parsed.success ? [] : mistakesOf(parsed.error, Object.keys(stepShapes[kind].shape), path)),
    ...(parsed.success ? holdMistakes(parsed.data, path) : []),
    ...(kind === 'wait-until' ? expressionMistakes(raw[kind], [...path, kind]) : []),
    ...expressionMistakes(raw.when, [...path, 'when']),
  ]
}

function holdMistakes(step: StepData, path: YamlPath): Mistake[] {
  if (!('verify' in step) || step.verify.hold < step.verify.timeout) return []
  const [hold, timeout] = [step.verify.hold / 1000, step.verify.timeout / 1000]
  const text = `it could never hold: hold is ${hold} s, expected less than its timeout of ${timeout} s`
  return [{ path: [...path, 'verify', 'hold'], text: `${path.join('.')}.verify.hold: ${text}` }]
}

function stepOf(raw: Record<string, unknown>): RunbookStep[] {
  const kind = kindOf(raw)
  return kind === undefined ? [] : [toStep(stepShapes[kind].parse(raw))]
}

type StepData = {
  [Kind in keyof typeof stepShapes]: z.infer<(typeof stepShapes)[Kind]>
}[keyof typeof stepShapes]

/** Telling is writing a row: what cannot be written so long will not be. */
const NOTIFY_MS_MAX = 60_000

function toStep(data: StepData): RunbookStep {
  const step = ownStep(data)
  return 'when' in data && data.when !== undefined ? { ...step, when: data.when } : step
}

function ownStep(data: StepData): RunbookStep {
  if ('drain' in data) {
    const { timeout: timeoutMs, max: maxMs } = data.drain
    return { kind: 'drain', timeoutMs, ...(maxMs === undefined ? {} : { maxMs }) }
  }
  if ('run' in data) {
    const { run: name, with: given, on = null, timeout: timeoutMs } = data
    const step = { kind: 'run', name, arguments: given, on, timeoutMs } as const
    return data['looks-only'] ? { ...step, looksOnly: true } : step
  }
  if ('wait-until' in data) {
    const step = { kind: 'wait-until', expr: data['wait-until'], timeoutMs: data.timeout } as const
    return data.otherwise === 'go-on' ? { ...step, goOn: true } : step
  }
  if ('verify' in data) {
    const { signals = null, hold: holdMs, timeout: timeoutMs } = data.verify
    return { kind: 'verify', signals, holdMs, timeoutMs }
  }
  if ('undrain' in data)
    return { kind: 'undrain', timeoutMs: data.undrain.timeout, stageMs: data.undrain.stage }
  if ('notify' in data) return { kind: 'notify', text: data.notify, timeoutMs: NOTIFY_MS_MAX }
  return { kind: 'approve', text: data.approve.text, ...approvalOf(data.approve) }
}

function expressionMistakes(expr: unknown, path: YamlPath): Mistake[] {
  if (typeof expr !== 'string') return [] // the shape tells of that
  try {
    describeQuery(fillIn(expr, { id: 'server-1', region: 'region-1' }))
    return []
  } catch (error) {
    return [{ path, text: `${path.join('.')}: ${messageOf(error)}` }]
  }
}

/** A server that was touched is proven to be well before viewers come back. */
function orderMistakes(kinds: readonly (string | undefined)[]): Mistake[] {
  return kinds.flatMap((kind, place): Mistake[] => {
    if (kind !== 'undrain') return []
    const [before, path] = [kinds.slice(0, place), ['steps', place]]
    if (!before.includes('drain')) return [{ path, text: 'undrain without a drain before it' }]
    const ran = before.lastIndexOf('run')
    return ran >= 0 && !before.slice(ran).includes('verify')
      ? [{ path, text: 'undrain after a run needs a verify between them' }]
      : []
  })
}

/** Files of a folder, or the file itself; in order of name. */
export function runbookPaths(path: string): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path]
    return readdirSync(path)
      .filter(name => /\.ya?ml$/.test(name))
      .toSorted()
      .slice(0, RUNBOOKS_MAX)
      .map(name => join(path, name))
  } catch (error) {
    throw invalidRules(`${path}: ${messageOf(error)}`, error)
  }
}

/** What is taken instead of a file that cannot be; null: nothing. */
export type Refused = (path: string, error: unknown) => Runbook | null

/**
 * All of all folders, by name; of two with one name the later one is taken, so that an operator can replace a shipped
 * one. `paths`: where each comes from. Without `refused` it throws what is wrong with the first that cannot be read.
 */
export function readRunbookFolders(
  folders: readonly string[],
  refused: Refused = (_path, error) => {
    throw error
  },
  paths: Map<string, Runbook> = new Map(),
): Runbook[] {
  const byName = new Map<string, Runbook>()
  for (const folder of folders) {
    const own = new Set<string>()
    for (const path of pathsOf(folder, refused)) {
      const runbook = readOne(path, own, refused)
      if (runbook === null) continue
      own.add(runbook.name)
      byName.set(runbook.name, runbook)
      paths.set(path, runbook)
    }
  }
  return [...byName.values()].toSorted((a, b) => a.name.localeCompare(b.name))
}

function pathsOf(folder: string, refused: Refused): string[] {
  try {
    return runbookPaths(folder)
  } catch (error) {
    refused(folder, error)
    return []
  }
}

function readOne(path: string, own: ReadonlySet<string>, refused: Refused): Runbook | null {
  try {
    const runbook = readRunbook(readTextFile(path), basename(path))
    if (own.has(runbook.name)) throw invalidRules(`${path}: a second runbook named ${runbook.name}`)
    return runbook
  } catch (error) {
    return refused(path, error)
  }
}
