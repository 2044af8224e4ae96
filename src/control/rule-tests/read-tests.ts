// Owns reading a file of rule tests in promtool's format. It refuses what it cannot carry out, with file and line.
import { readdirSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { RE2JS } from 're2js'
import { z } from 'zod'
import { messageOf } from '#base'
import { describeQuery, parseSeries, staleMarker, type WriteSeries } from '#metrics'
import { readDurationMs } from '../alerts/duration.ts'
import { readRules } from '../alerts/read-rules.ts'
import { invalidRules, readTextFile, readYaml } from '../alerts/read-yaml.ts'
import type { RuleGroup } from '../alerts/rule.ts'
import { readValues } from './series-values.ts'

const EVALUATION_MS = 60_000
const duration = z.union([z.string(), z.literal(0)]).transform((text, context) => {
  const ms = readDurationMs(String(text))
  if (ms !== null) return ms
  context.addIssue({ code: 'custom', message: 'a duration such as 30s is expected' })
  return z.NEVER
})
const words = z.record(z.string(), z.coerce.string()).default({})
/** Also `.nan` and `.inf`. */
const value = z.custom<number>(
  given => typeof given === 'number',
  'a number is expected; .nan and .inf are some',
)

const alertTest = z.strictObject({
  eval_time: duration,
  alertname: z.string(),
  exp_alerts: z
    .array(z.strictObject({ exp_labels: words, exp_annotations: words.optional() }))
    .nullish()
    .transform(list => list ?? []),
})
const exprTest = z.strictObject({
  expr: z.string(),
  eval_time: duration,
  exp_samples: z
    .array(z.strictObject({ labels: z.string().default('{}'), value }))
    .nullish()
    .transform(list => list ?? []),
})
const testShape = z.strictObject({
  name: z.string().optional(),
  interval: duration.default(EVALUATION_MS),
  input_series: z.array(z.strictObject({ series: z.string(), values: z.coerce.string() })).default([]),
  external_labels: words,
  external_url: z.string().default(''),
  alert_rule_test: z.array(alertTest).default([]),
  promql_expr_test: z.array(exprTest).default([]),
})
const fileShape = z.strictObject({
  rule_files: z.array(z.string()).default([]),
  evaluation_interval: duration.default(EVALUATION_MS),
  group_eval_order: z.array(z.string()).default([]),
  fuzzy_compare: z.boolean().default(false),
  tests: z.array(testShape),
})

type Words = Readonly<Record<string, string>>

/** Names as in the file. Times in ms from 0. */
export interface AlertTest {
  readonly at: string
  readonly eval_time: number
  readonly alertname: string
  readonly exp_alerts: readonly {
    readonly exp_labels: Words
    readonly exp_annotations?: Words | undefined
  }[]
}

export interface ExprTest {
  readonly at: string
  readonly expr: string
  readonly eval_time: number
  readonly exp_samples: readonly { readonly labels: string; readonly value: number }[]
}

export interface RuleTest {
  readonly name: string
  /** File and line. */
  readonly at: string
  readonly series: readonly WriteSeries[]
  readonly externalLabels: Words
  readonly externalUrl: string
  readonly alerts: readonly AlertTest[]
  readonly expressions: readonly ExprTest[]
}

export interface RuleTestFile {
  readonly groups: readonly RuleGroup[]
  readonly evaluationMs: number
  /** Compare the last bits of floats loosely. */
  readonly fuzzy: boolean
  readonly tests: readonly RuleTest[]
}

/** Throws control-rules-invalid, also of the rule files that it names, which are found from where it stands. */
export function readRuleTests(file: string): RuleTestFile {
  const { value: read, at } = readYaml(readTextFile(file), file, fileShape)
  const groups = read.rule_files.flatMap((pattern, n) =>
    filesOf(resolve(dirname(file), pattern), at(['rule_files', n])).flatMap(path =>
      readRules(
        attempt(at(['rule_files', n]), () => readTextFile(path)),
        path,
      ),
    ),
  )
  if (read.evaluation_interval <= 0)
    throw invalidRules(`${at(['evaluation_interval'])}: more than 0 is expected`)
  return {
    groups: inOrder(groups, read.group_eval_order, at(['group_eval_order'])),
    evaluationMs: read.evaluation_interval,
    fuzzy: read.fuzzy_compare,
    tests: read.tests.map((test, t) => {
      const where = (...path: (string | number)[]): string => at(['tests', t, ...path])
      if (test.interval <= 0) throw invalidRules(`${where('interval')}: more than 0 is expected`)
      return {
        name: test.name ?? `test ${t + 1}`,
        at: where(),
        series: test.input_series.map((input, n) =>
          readSeries(input, test.interval, where('input_series', n)),
        ),
        externalLabels: test.external_labels,
        externalUrl: test.external_url,
        alerts: test.alert_rule_test.map((one, n) => ({ ...one, at: where('alert_rule_test', n) })),
        expressions: test.promql_expr_test.map((one, n) => {
          const here = where('promql_expr_test', n)
          attempt(here, () => describeQuery(one.expr))
          for (const sample of one.exp_samples) attempt(here, () => parseSeries(sample.labels))
          return { ...one, at: here }
        }),
      }
    }),
  }
}

/** `*` and `?` in the last part stand for characters, as promtool's patterns. */
function filesOf(pattern: string, at: string): string[] {
  const name = basename(pattern)
  if (!/[*?]/.test(name)) return [pattern]
  const shape = RE2JS.compile(`(?s)${Array.from(name, globPart).join('')}`)
  const all = attempt(at, () => readdirSync(dirname(pattern)))
  const found = all.filter(one => shape.matches(one))
  if (found.length === 0) throw invalidRules(`${at}: no file is called ${pattern}`)
  return found.toSorted().map(one => join(dirname(pattern), one))
}

function globPart(character: string): string {
  if (character === '*') return '.*'
  return character === '?' ? '.' : RE2JS.quote(character)
}

function readSeries(
  { series, values }: { readonly series: string; readonly values: string },
  stepMs: number,
  at: string,
): WriteSeries {
  return attempt(at, () => ({
    labels: parseSeries(series),
    samples: readValues(values).flatMap((one, n) =>
      one === null ? [] : [{ timestampMs: n * stepMs, value: one === 'stale' ? staleMarker() : one }],
    ),
  }))
}

function attempt<Value>(at: string, read: () => Value): Value {
  try {
    return read()
  } catch (error) {
    throw invalidRules(`${at}: ${messageOf(error)}`, error)
  }
}

/** Groups that are named first, in the order given. */
function inOrder(groups: readonly RuleGroup[], order: readonly string[], at: string): RuleGroup[] {
  const unknown = order.find(name => !groups.some(group => group.name === name))
  if (unknown !== undefined)
    throw invalidRules(`${at}: no group ${JSON.stringify(unknown)} in the rule files`)
  const rank = (name: string): number => (order.includes(name) ? order.indexOf(name) : order.length)
  return groups.toSorted((a, b) => rank(a.name) - rank(b.name))
}
