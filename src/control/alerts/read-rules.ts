// Owns reading Prometheus rule files. It refuses what it cannot evaluate or render, naming file and line.
import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { z } from 'zod'
import { messageOf } from '#base'
import { describeQuery } from '#metrics'
import { readDurationMs } from './duration.ts'
import { invalidRules, readTextFile, readYaml } from './read-yaml.ts'
import type { AlertingRule, Rule, RuleGroup } from './rule.ts'
import { compileTemplate, type Template, TemplateProblem } from './template/call-template.ts'

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
      limit: z.int().min(0).optional(),
      labels: words.optional(),
      rules: z.array(ruleShape).max(RULES_MAX),
    }),
  ),
})

/**
 * All groups of all `*.yaml` and `*.yml` files, in order of folder and name. An alert of an own file takes the place of
 * those of the same name in the folder that ships.
 */
export function readRuleFolders(folders: readonly string[], shipped: string | null = null): RuleGroup[] {
  const groups = folders.flatMap((folder, place) =>
    listFiles(folder).flatMap(file =>
      readRules(readTextFile(file), basename(file)).map(group => ({ ...group, folder: place })),
    ),
  )
  return shipped === null ? groups : replaced(groups, folders.indexOf(shipped))
}

function replaced(groups: readonly RuleGroup[], shipped: number): RuleGroup[] {
  const names = (isShipped: boolean): Set<string> =>
    new Set(
      groups
        .filter(({ folder }) => (folder === shipped) === isShipped)
        .flatMap(({ rules }) => rules.filter(rule => rule.kind === 'alert').map(rule => rule.name)),
    )
  const [ours, own] = [names(true), names(false)]
  return groups.map(group => ({
    ...group,
    rules:
      group.folder === shipped
        ? group.rules.filter(rule => rule.kind !== 'alert' || !own.has(rule.name))
        : group.rules.map(rule =>
            rule.kind === 'alert' && ours.has(rule.name) ? { ...rule, replaces: true as const } : rule,
          ),
  }))
}

export function listFiles(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter(name => /\.ya?ml$/.test(name))
      .toSorted()
      .map(name => join(folder, name))
  } catch (error) {
    throw invalidRules(`${folder}: ${messageOf(error)}`, error)
  }
}

/** One file's text. `name` stands in messages. */
export function readRules(text: string, name: string): RuleGroup[] {
  const { value, at } = readYaml(text, name, fileShape)
  return value.groups.map((group, g) => ({
    name: group.name,
    file: name,
    intervalMs: Math.max(INTERVAL_MS, readDurationMs(group.interval ?? '1s') ?? INTERVAL_MS),
    rules: group.rules.map((rule, r) => {
      const path = ['groups', g, 'rules', r]
      const withGroup = { ...rule, labels: { ...group.labels, ...rule.labels } }
      const templates = readTemplates(withGroup, part => at([...path, ...part]))
      try {
        // Whether it can be parsed: what it finds in the store is no property of the file.
        describeQuery(rule.expr)
      } catch (error) {
        throw invalidRules(`${at([...path, 'expr'])}: ${messageOf(error)}`, error)
      }
      return toRule(withGroup, { at: at(path), limit: group.limit ?? 0, templates })
    }),
  }))
}

function toRule(
  rule: z.infer<typeof ruleShape>,
  { at, limit, templates }: Pick<AlertingRule, 'at' | 'limit' | 'templates'>,
): Rule {
  const { expr, labels = {} } = rule
  if (rule.record !== undefined) return { kind: 'record', name: rule.record, expr, labels, at, limit }
  return {
    kind: 'alert',
    name: rule.alert ?? '',
    expr,
    forMs: readDurationMs(rule.for ?? '0') ?? 0,
    keepFiringForMs: readDurationMs(rule.keep_firing_for ?? '0') ?? 0,
    labels,
    annotations: rule.annotations ?? {},
    templates,
    at,
    limit,
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
        throw invalidRules(`${at([part, key])}: ${part}.${key}: ${error.message}, at ${where}`, error)
      }
    }
    return compiled
  }
  return { labels: read('labels'), annotations: read('annotations') }
}
