// Owns the list of what this host lets a control room ask for: names with their own commands. It refuses a file that
// anybody but root or the agent's own user can write, unknown keys, and commands with placeholders nobody declared.
import { lstatSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { RE2JS } from 're2js'
import { LineCounter, parseDocument } from 'yaml'
import { z } from 'zod'
import { Fault, messageOf } from '#base'
import { type AllowedStep, stepName } from '#wire'
import { agentFaults } from '../faults.ts'

const FILE_BYTES_MAX = 256 * 1024
const STEPS_MAX = 100
const TIMEOUT_S_MAX = 3600
const OTHERS_WRITE = 0o022
const PLACEHOLDER = /\{([a-z][a-z0-9_]{0,31})\}/g

const argv = z.array(z.string().min(1).max(1024)).min(1).max(64)

const stepShape = z.strictObject({
  description: z.string().max(512).default(''),
  command: argv,
  check: argv.optional(),
  parameters: z.record(z.string().regex(/^[a-z][a-z0-9_]{0,31}$/), z.string().min(1).max(256)).default({}),
  idempotent: z.boolean().default(false),
  timeout: z.number().positive().max(TIMEOUT_S_MAX).default(60),
  user: z.string().min(1).max(64).optional(),
  environment: z.record(z.string().regex(/^[A-Z_][A-Z0-9_]{0,63}$/), z.string().max(1024)).default({}),
})

const fileShape = z.strictObject({
  steps: z
    .record(stepName, stepShape)
    .refine(all => Object.keys(all).length <= STEPS_MAX, `at most ${STEPS_MAX} steps`),
})

/** What a step does where it is carried out by a command. */
export interface CommandStep extends AllowedStep {
  readonly kind: 'command'
  readonly command: readonly string[]
  readonly check: readonly string[] | null
  readonly user: string | null
  readonly environment: Readonly<Record<string, string>>
}

/** One that this process carries out itself. */
export interface BuiltinStep extends AllowedStep {
  readonly kind: 'builtin'
  /** What was done, in words; rejects with why it was not. */
  run(this: void): Promise<string>
}

export type KnownStep = CommandStep | BuiltinStep

/** Throws agent-steps-invalid: with the file, the line where there is one, and what was expected. */
export function readAllowList(path: string): CommandStep[] {
  const text = readSafely(path)
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true })
  const broken = document.errors[0]
  if (broken !== undefined)
    throw invalid(`${path}:${lines.linePos(broken.pos[0]).line}: ${broken.message.split('\n')[0] ?? ''}`)
  const parsed = fileShape.safeParse(document.toJS() ?? {})
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw invalid(
      `${path}: ${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? 'not such a file'}`,
    )
  }
  return Object.entries(parsed.data.steps).map(([name, step]) => toStep(path, name, step))
}

function toStep(path: string, name: string, step: z.infer<typeof stepShape>): CommandStep {
  const { description, command, check, parameters, idempotent, timeout, user, environment } = step
  const used = new Set([...command, ...(check ?? [])].flatMap(placeholdersOf))
  const undeclared = [...used].find(one => !(one in parameters))
  if (undeclared !== undefined)
    throw invalid(`${path}: steps.${name}: {${undeclared}} stands in the command and not in parameters`)
  // What is run is never chosen from afar.
  if (placeholdersOf(command[0] ?? '').length > 0 || placeholdersOf(check?.[0] ?? '').length > 0)
    throw invalid(`${path}: steps.${name}: the program itself cannot be a parameter`)
  for (const [parameter, pattern] of Object.entries(parameters)) {
    try {
      RE2JS.compile(pattern)
    } catch (error) {
      throw invalid(`${path}: steps.${name}.parameters.${parameter}: ${messageOf(error)}`)
    }
  }
  return {
    kind: 'command',
    name,
    description,
    command,
    check: check ?? null,
    parameters,
    idempotent,
    hasCheck: check !== undefined,
    timeoutS: timeout,
    user: user ?? null,
    environment,
  }
}

function placeholdersOf(text: string): string[] {
  return [...text.matchAll(PLACEHOLDER)].map(match => match[1] ?? '')
}

/** Why these arguments do not fit; null: they do. */
export function argumentProblem(
  { name, parameters }: AllowedStep,
  given: Readonly<Record<string, string>>,
): string | null {
  for (const [parameter, pattern] of Object.entries(parameters)) {
    const value = given[parameter]
    if (value === undefined) return `${name} needs the argument ${parameter} (${pattern})`
    if (!RE2JS.compile(pattern).matches(value))
      return `${name}: argument ${parameter} is ${JSON.stringify(value.slice(0, 64))}, expected ${pattern}`
  }
  const extra = Object.keys(given).find(parameter => !(parameter in parameters))
  return extra === undefined ? null : `${name} has no parameter ${extra}`
}

/** Each placeholder is replaced within its own word: no argument becomes two, and no shell sees it. */
export function fillCommand(command: readonly string[], given: Readonly<Record<string, string>>): string[] {
  return command.map(word => word.replace(PLACEHOLDER, (_, parameter: string) => given[parameter] ?? ''))
}

/** Refuses links to elsewhere, files and folders of others, and what a group or anybody may write. */
function readSafely(path: string): string {
  try {
    if (lstatSync(path).isSymbolicLink()) throw invalid(`${path}: a symbolic link; name the file itself`)
    const file = statSync(path)
    checkOwner(path, file)
    const folder = dirname(realpathSync(path))
    checkOwner(folder, statSync(folder))
    if (!file.isFile() || file.size > FILE_BYTES_MAX)
      throw invalid(`${path}: expected a file of at most ${FILE_BYTES_MAX} bytes`)
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Fault) throw error
    throw invalid(`${path}: ${messageOf(error)}`)
  }
}

function checkOwner(path: string, { uid, mode }: { readonly uid: number; readonly mode: number }): void {
  const own = process.getuid?.() ?? 0
  if (uid !== 0 && uid !== own)
    throw invalid(`${path}: owned by user ${uid}; expected root or the agent's own user (${own})`)
  if ((mode & OTHERS_WRITE) !== 0)
    throw invalid(`${path}: others may write it (mode ${(mode & 0o777).toString(8)}); chmod go-w`)
}

function invalid(message: string): Error {
  return agentFaults.fault('agent-steps-invalid', message)
}
