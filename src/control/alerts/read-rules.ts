// Owns reading Prometheus rule files. It refuses what it cannot evaluate or render, naming file and line.
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { isMap, isScalar, LineCounter, type Node, parseDocument } from 'yaml'
import { z } from 'zod'
import { type Fault, messageOf } from '#base'
import { describeQuery } from '#metrics'
import { controlFaults } from '../faults.ts'
import { readDurationMs } from './duration.ts'
import type { AlertingRule, Rule, RuleGroup } from './rule.ts'
import { compileTemplate, type Template, TemplateProblem } from './template/call-template.ts'

const FILE_BYTES_MAX = 1024 * 1024
const RULES_MAX = 1000
/** Of a template that is refused, in the message. */
const EXCERPT_CHARACTERS = 40
const INTERVAL_MS = 1000 // DESIGN: rules are evaluated every second or slower

const duration = z
  .string()
  .refine(text => readDurationMs(text) !== null, 'a duration such as 30s is expected')
const labelName = /^[A-Za-z_][A-Za-z0-9_]*$/
const words = z.record(z.string().regex(labelName, 'a label name is expected'), z.coerce.string())

const ruleShape = z
  .strictObject({
    alert: z.string().min(1).max(128).optional(),
    record: z
      .string()
      .regex(/^[A-Za-z_:][A-Za-z0-9_:]*$/, 'a metric name is expected')
      .optional(),
    expr: z.coerce.string().min(1),
    for: duration.optional(),
    keep_firing_for: duration.optional(),
    labels: words.optional(),
    annotations: words.optional(),
  })
  .refine(
    rule => (rule.alert === undefined) !== (rule.record === undefined),
    'either alert or record is expected',
  )

const fileShape = z.strictObject({
  groups: z.array(
    z.strictObject({
      name: z.string().min(1),
      interval: duration.optional(),
      rules: z.array(ruleShape).max(RULES_MAX),
    }),
  ),
})

/** All groups of all `*.yaml` and `*.yml` files, in order of folder and name. */
export function readRuleFolders(folders: readonly string[]): RuleGroup[] {
  return folders.flatMap(folder =>
    listFiles(folder).flatMap(file => readRules(readFile(file), basename(file))),
  )
}

function listFiles(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter(name => /\.ya?ml$/.test(name))
      .toSorted()
      .map(name => join(folder, name))
  } catch (error) {
    throw invalid(`${folder}: ${messageOf(error)}`, error)
  }
}

function readFile(file: string): string {
  const bytes = readFileSync(file)
  if (bytes.length > FILE_BYTES_MAX)
    throw invalid(`${file}: ${bytes.length} bytes, expected at most ${FILE_BYTES_MAX}`)
  return bytes.toString('utf8')
}

/** One file's text. `name` stands in messages. */
export function readRules(text: string, name: string): RuleGroup[] {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, version: '1.2' })
  const broken = document.errors[0]
  if (broken !== undefined)
    throw invalid(`${name}:${lines.linePos(broken.pos[0]).line}: ${firstLine(broken.message)}`)
  const lineOf = (path: readonly (string | number)[]): number => lineAt(document.contents, path, lines)
  const parsed = fileShape.safeParse(document.toJS() ?? {})
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    const path = (issue?.path ?? []).filter(part => typeof part !== 'symbol')
    throw invalid(`${name}:${lineOf(path)}: ${path.join('.')}: ${issue?.message ?? 'not a rule file'}`)
  }
  return parsed.data.groups.map((group, g) => ({
    name: group.name,
    file: name,
    intervalMs: Math.max(INTERVAL_MS, readDurationMs(group.interval ?? '1s') ?? INTERVAL_MS),
    rules: group.rules.map((rule, r) => {
      const path = ['groups', g, 'rules', r]
      const at = `${name}:${lineOf(path)}`
      const templates = readTemplates(rule, part => `${name}:${lineOf([...path, ...part])}`)
      try {
        // Whether it can be parsed: what it finds in the store is no property of the file.
        describeQuery(rule.expr)
      } catch (error) {
        throw invalid(`${name}:${lineOf([...path, 'expr'])}: ${messageOf(error)}`, error)
      }
      return toRule(rule, at, templates)
    }),
  }))
}

function toRule(rule: z.infer<typeof ruleShape>, at: string, templates: AlertingRule['templates']): Rule {
  const labels = rule.labels ?? {}
  if (rule.record !== undefined) return { kind: 'record', name: rule.record, expr: rule.expr, labels, at }
  return {
    kind: 'alert',
    name: rule.alert ?? '',
    expr: rule.expr,
    forMs: readDurationMs(rule.for ?? '0') ?? 0,
    keepFiringForMs: readDurationMs(rule.keep_firing_for ?? '0') ?? 0,
    labels,
    annotations: rule.annotations ?? {},
    templates,
    at,
  }
}

function readTemplates(
  rule: z.infer<typeof ruleShape>,
  at: (part: readonly string[]) => string,
): AlertingRule['templates'] {
  const read = (part: 'labels' | 'annotations'): Record<string, Template> => {
    const compiled: Record<string, Template> = {}
    for (const [key, text] of Object.entries(rule[part] ?? {})) {
      try {
        compiled[key] = compileTemplate(text)
      } catch (error) {
        if (!(error instanceof TemplateProblem)) throw error
        const where = JSON.stringify(text.slice(error.at, error.at + EXCERPT_CHARACTERS))
        throw invalid(`${at([part, key])}: ${part}.${key}: ${error.message}, at ${where}`, error)
      }
    }
    return compiled
  }
  return { labels: read('labels'), annotations: read('annotations') }
}

/** The line of the deepest node that exists on the way to `path`. */
function lineAt(root: Node | null, path: readonly (string | number)[], lines: LineCounter): number {
  let node: unknown = root
  let offset = root?.range?.[0] ?? 0
  for (const key of path) {
    if (isMap(node)) {
      const pair = node.items.find(item => isScalar(item.key) && item.key.value === key)
      if (pair === undefined) break
      if (isScalar(pair.key)) offset = pair.key.range?.[0] ?? offset
      node = pair.value
    } else if (typeof node === 'object' && node !== null && 'items' in node && Array.isArray(node.items)) {
      node = node.items[Number(key)]
      offset = (node as Node | undefined)?.range?.[0] ?? offset
    } else {
      break
    }
  }
  return lines.linePos(offset).line
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? text
}

function invalid(message: string, cause?: unknown): Fault {
  return controlFaults.fault('control-rules-invalid', message, { cause })
}
