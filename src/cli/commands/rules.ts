// Owns `vitrine rules`: checks rule files, and carries out tests of them in promtool's format, without a control room.
import type { Command } from 'commander'
import { messageOf } from '#base'
import { type RuleTestResult, readRules, readTextFile, runRuleTests } from '#control'
import { callerPath, print, withJson } from './context.ts'
import { registerBackTest } from './rules-back-test.ts'

interface JsonOption {
  readonly json?: boolean
}

interface FileResult {
  readonly file: string
  /** Null: it could be read. */
  readonly problem: string | null
}

export function registerRules(program: Command): void {
  const command = program.command('rules').description('check and test Prometheus rule files')
  withJson(command.command('check <file...>'))
    .description('whether rule files would be taken: PromQL, templates, durations, names')
    .action((files: string[], options: JsonOption) => checkFiles(files, options))
  withJson(command.command('test <file...>'))
    .description('carry out tests of rules, in the format of promtool test rules')
    .addHelpText(
      'after',
      '\nExamples:\n  npx vitrine rules check /etc/vitrine/rules/own.yaml\n  npx vitrine rules test own.test.yaml\n\nThe format: https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/',
    )
    .action((files: string[], options: JsonOption) => testFiles(files, options))
  registerBackTest(command)
}

function checkFiles(files: readonly string[], { json }: JsonOption): void {
  const results = files.map(file => {
    const path = callerPath(file)
    try {
      const rules = readRules(readTextFile(path), path).reduce((sum, group) => sum + group.rules.length, 0)
      return { file: path, rules, problem: null }
    } catch (error) {
      return { file: path, rules: 0, problem: messageOf(error) }
    }
  })
  print(results, json, all =>
    all.map(({ file, rules, problem }) => problem ?? `${file}: ${rules} rules, all would be taken`),
  )
  if (results.some(({ problem }) => problem !== null)) process.exitCode = 1
}

type TestedFile = FileResult & { readonly tests: readonly RuleTestResult[] }

async function testFiles(files: readonly string[], { json }: JsonOption): Promise<void> {
  const results: TestedFile[] = []
  for (const file of files) {
    const path = callerPath(file)
    try {
      results.push({ file: path, problem: null, tests: await runRuleTests(path) })
    } catch (error) {
      results.push({ file: path, problem: messageOf(error), tests: [] })
    }
  }
  print(results, json, all => all.flatMap(one => words(one).split('\n')))
  const failed = results.some(
    ({ problem, tests }) => problem !== null || tests.some(({ failures }) => failures.length > 0),
  )
  if (failed) process.exitCode = 1
}

function words({ file, problem, tests }: TestedFile): string {
  if (problem !== null) return `failed   ${problem}`
  const lines = tests.map(({ name, failures }) =>
    failures.length === 0
      ? `passed   ${name}`
      : `failed   ${name}\n${failures.map(failure => `  ${failure.replaceAll('\n', '\n  ')}`).join('\n')}`,
  )
  const passed = tests.filter(({ failures }) => failures.length === 0).length
  return [...lines, `${file}: ${passed} of ${tests.length} passed`].join('\n')
}
