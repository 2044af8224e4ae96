// Owns reading configuration: YAML, then environment overrides, then the schema. It refuses unknown keys
// and names the nearest known one.
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { type ZodType, z } from 'zod'
import { messageOf } from './fault.ts'
import { baseFaults } from './faults.ts'

const ENVIRONMENT_PREFIX = 'VITRINE_'

/** Reads and checks a configuration file; `file` null means defaults and environment only. */
export function loadConfig<Config>(
  schema: ZodType<Config>,
  file: string | null,
  environment: Readonly<Record<string, string | undefined>>,
): Config {
  const fromFile = file === null ? {} : readYaml(file)
  const names = overridesOf(schema, environment)
  const source = [
    ...(file === null ? [] : [file]),
    ...(file === null || names.length > 0 ? ['environment'] : []),
  ]
  return checkConfig(schema, withEnvironment(fromFile, environment, names), source.join(' with '))
}

/** Checks values against a schema; throws `base-config-invalid` with the first wrong key. */
export function checkConfig<Config>(schema: ZodType<Config>, value: unknown, source: string): Config {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const path = issue?.path.map(String) ?? []
  const at = path.length === 0 ? 'the top level' : path.join('.')
  if (issue?.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? ''
    const near = nearest(key, keysAt(schema, path))
    const hint = near === null ? '' : `; did you mean ${near}?`
    throw baseFaults.fault('base-config-invalid', `${source}: unknown key ${[...path, key].join('.')}${hint}`)
  }
  const what = issue?.message ?? 'is not valid'
  throw baseFaults.fault('base-config-invalid', `${source}: ${at}: ${what}`)
}

function readYaml(file: string): unknown {
  try {
    return parse(readFileSync(file, 'utf8')) ?? {}
  } catch (error) {
    throw baseFaults.fault('base-config-unreadable', `${file}: ${messageOf(error).split('\n')[0]}`, {
      cause: error,
    })
  }
}

/** Names of variables that override a key. Without a double underscore only a key's own name counts. */
function overridesOf(
  schema: ZodType,
  environment: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  const known = new Set(keysAt(schema, []).map(key => key.toLowerCase()))
  return Object.keys(environment).filter(name => {
    if (!name.startsWith(ENVIRONMENT_PREFIX) || environment[name] === undefined) return false
    return name.includes('__') || known.has((keyPath(name)[0] ?? '').toLowerCase())
  })
}

/** `VITRINE_CONTROL__LISTEN_PORT` is `control.listenPort`: a double underscore goes one level down. */
function keyPath(name: string): readonly string[] {
  return name.slice(ENVIRONMENT_PREFIX.length).split('__').map(camel)
}

function withEnvironment(
  value: unknown,
  environment: Readonly<Record<string, string | undefined>>,
  names: readonly string[],
): unknown {
  const root: Record<string, unknown> = isRecord(value) ? structuredClone(value) : {}
  if (!isRecord(value) && value !== null && value !== undefined) return value
  for (const name of names) setAt(root, keyPath(name), parse(environment[name] ?? ''))
  return root
}

function setAt(root: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let node = root
  for (const key of path.slice(0, -1)) {
    const next = node[key]
    const child: Record<string, unknown> = isRecord(next) ? next : {}
    node[key] = child
    node = child
  }
  const last = path.at(-1)
  if (last !== undefined) node[last] = value
}

function camel(text: string): string {
  return text.toLowerCase().replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The keys that the schema knows at `path`, for the hint. */
function keysAt(schema: ZodType, path: readonly string[]): string[] {
  let node: unknown = z.toJSONSchema(schema, { unrepresentable: 'any', io: 'input' })
  for (const key of path) {
    if (!isRecord(node)) return []
    const properties = node['properties']
    node =
      isRecord(properties) && key in properties
        ? properties[key]
        : (node['items'] ?? node['additionalProperties'])
  }
  const properties = isRecord(node) ? node['properties'] : null
  return isRecord(properties) ? Object.keys(properties) : []
}

const NEAR_DISTANCE_MAX = 3

/** The candidate that is closest by edit distance, or null when none is close. */
export function nearest(word: string, candidates: readonly string[]): string | null {
  let best: string | null = null
  let bestDistance = NEAR_DISTANCE_MAX + 1
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
